// The page: asks the server, keeps the answers, and gives them to the map, the tables and the panels.
//
// One round every ROUND_MS while the page is seen: the status, the alarms, the PoPs, the policies, and
// the answers of the chosen policy and PoP. Countries, shares of address space and forecasts are asked
// for only if there is a new snapshot, and details of all PoPs if something happens. Events come as a
// stream. A hidden page asks nothing and holds no connection.

import { briefPolicies, countriesOf, forecastOf, get, heirsOf, policiesOf, policyOf } from "./ask.js";
import { $, el, percent, put } from "./dom.js";
import * as explain from "./explain.js";
import { STYLES, WorldMap, legend, styles } from "./map.js";
import { showAge, showLink, showNode } from "./node.js";
import { eventRow, moved, note, popFacts, popPanel } from "./panels.js";
import { STALE_MS, asked, counted, rateOfPop, state } from "./state.js";
import { Stream } from "./stream.js";
import { showCountries, showPolicies, showPolicy, showPopPolicies, showPops } from "./tables.js";
import * as theme from "./theme.js";
import { failing, loadOf, showFailing } from "./trouble.js";
import { heirPanel, showSupposition } from "./whatif.js";

const ROUND_MS = 5000;
const EVENTS_MAX = 100;
/** Rounds after which a forecast is made anew: its queries are those counted so far. */
const FORECAST_ROUNDS = 6;
/** Age at which details of all PoPs are read again, though nothing happens. */
const DETAILS_MS = 30000;
/** Pause after such a reading, as a multiple of its duration: with many PoPs it is long. */
const DETAILS_PAUSE = 20;

const map = new WorldMap($("map"), open, point);

// --- Rounds

let timer = 0;
let round = 0;
let running = false;
let wanted = false;
let shownSequence = null;

async function look() {
  if (document.hidden) return;
  if (running) {
    wanted = true;
    return;
  }
  running = true;
  clearTimeout(timer);
  try {
    await read();
    state.seen = Date.now();
    state.fault = null;
    explain.forgive();
  } catch (error) {
    // A server that refuses once is there, and may be busy.
    if (!error.status || Date.now() - state.seen > STALE_MS) state.fault = error;
  }
  running = false;
  show();
  // Not at once, so that many events make one round.
  timer = setTimeout(look, wanted ? 1000 : ROUND_MS);
  wanted = false;
}

async function read() {
  const [status, ready] = await Promise.all([get("v1/status"), get("v1/readyz?format=json")]);
  const received = Object.values(status.lanes).reduce((sum, lane) => sum + lane.received, 0);
  counted.queries.add([["all", received]]);
  await readPolicies();
  const isNew = status.sequence !== shownSequence;
  let isWhole = isNew;
  state.pops = (await get("v1/map")).pops;
  if (isNew) {
    state.styles = styles(state.pops);
    forget();
    isWhole = await readCountries();
  } else if (round % FORECAST_ROUNDS === 0) await readForecast();
  const isForecastDue = isNew || round % FORECAST_ROUNDS === 0;
  round++;
  Object.assign(state, { status, ready });
  await readDetails(isNew);
  await readPolicy(isNew);
  if (state.pop) {
    await readPop(isNew);
    if (state.pop && (isForecastDue || state.popForecast?.pop !== state.pop)) readPopForecast();
  }
  // Only now, so that a request that fails is made again.
  if (isWhole) shownSequence = status.sequence;
}

const details = { at: -Infinity, took: 0, isDue: true };

/** Details of all PoPs: after a change or an event, while a target fails, and now and then. */
async function readDetails(isNew) {
  details.isDue ||= isNew || [...state.details.values()].some((of) => failing(of).length > 0);
  const began = performance.now();
  if (began - details.at < (details.isDue ? DETAILS_PAUSE * details.took : DETAILS_MS)) return;
  details.isDue = false;
  const { pops } = await get("v1/pops");
  state.details = new Map(pops.map((pop) => [pop.name, pop]));
  Object.assign(details, { at: performance.now(), took: performance.now() - began });
}

/** A round soon, but at most one a second. */
function soon() {
  if (running) {
    wanted = true;
    return;
  }
  clearTimeout(timer);
  timer = setTimeout(look, Math.max(100, 1000 - (Date.now() - state.seen)));
}

/** Policies, and the answers of all policies and PoPs. */
async function readPolicies() {
  const { policies, pops } = await briefPolicies();
  counted.answers.add([
    ...policies.map((policy) => [`policy ${policy.name}`, policy.answered]),
    ...pops.map((of) => [`pop ${of.pop}`, of.answered]),
  ]);
  state.policies = policies;
  const names = policies.map((policy) => policy.name);
  if (!names.includes(state.policy)) state.policy = names[0] ?? null;
  if (!names.includes(asked.policy)) asked.policy = state.policy;
  if ([...$("policy").options].map((option) => option.value).join(" ") !== names.join(" "))
    $("policy").replaceChildren(...names.map((name) => el("option", { value: name }, name)));
  if ($("policy").value !== (state.policy ?? "")) $("policy").value = state.policy ?? "";
}

/** True unless a choice came between, which has its own countries: the next round reads them again. */
async function readCountries() {
  const { policy, down } = state;
  const of = await countriesOf(policy, down);
  if (state.policy !== policy || state.down !== down) return false;
  Object.assign(state, of);
  return true;
}

async function readForecast() {
  const { down } = state;
  const forecast = await forecastOf(down);
  if (state.down === down) state.forecast = forecast;
}

let forecastAsked = null;

/** Forecast of the chosen PoP down. The page does not wait for it; a later round asks again. */
async function readPopForecast() {
  const { pop, down } = state;
  if (forecastAsked === pop) return;
  forecastAsked = pop;
  try {
    const isSupposed = down.size === 1 && down.has(pop) && state.forecast !== null;
    const forecast = isSupposed ? state.forecast : await forecastOf(new Set([pop]));
    if (state.pop === pop) state.popForecast = { pop, forecast };
  } catch {
    // The panel goes on with what it has.
  }
  if (forecastAsked === pop) forecastAsked = null;
  if (state.status) showPop();
}

async function readPolicy(isNew) {
  const name = state.policy;
  const page = await policyOf(name, isNew || state.policyPage?.name !== name);
  if (state.policy === name) Object.assign(state, policyView(page));
}

/** What the page of a policy shows; its answers are counted. */
function policyView(policyPage) {
  if (policyPage === null) return { policyPage };
  if (state.policyPage?.name !== policyPage.name) counted.policy.clear();
  const { members, answered } = policyPage;
  counted.policy.add([["all", answered], ...members.map((of) => [of.pop, of.answered])]);
  const isExpected = members.some((of) => of.expected !== null);
  return isExpected
    ? { policyPage, expected: new Map(members.map((of) => [of.pop, of.expected])) }
    : { policyPage };
}

async function readPop(isNew) {
  const name = state.pop;
  try {
    const [popPage, policies] = await Promise.all([
      get(`v1/pops/${encodeURIComponent(name)}`),
      policiesOf(name, isNew || state.popPage?.name !== name),
    ]);
    if (state.pop === name) Object.assign(state, popView(popPage, policies));
  } catch (error) {
    if (error.status !== 404) throw error;
    if (state.pop === name) state.pop = state.popPage = null;
    if (asked.pop === name) asked.pop = null;
  }
  const { policy, countries } = state;
  if (state.pop === name && (isNew || state.heirs === null)) {
    const taken = await heirsOf(name, policy, countries);
    if (state.pop === name && state.policy === policy) state.heirs = taken;
  }
}

/** What the pages of a PoP show; its answers are counted. */
function popView(popPage, popPolicies) {
  if (state.popPage?.name !== popPage.name) {
    counted.pop.clear();
    const answered = ({ members: [of] }) => of.answered ?? 0;
    const ranked = [...popPolicies].sort((a, b) => answered(b) - answered(a));
    state.popRanks = new Map(ranked.map(({ name }, rank) => [name, rank]));
  }
  counted.pop.add(
    popPolicies.flatMap(({ name, answered, members: [of] }) => [
      [`all ${name}`, answered],
      [`part ${name}`, of.answered],
    ]),
  );
  const isExpected = popPolicies.some(({ members: [of] }) => of.expected !== null);
  return isExpected
    ? {
        popPage,
        popPolicies,
        popExpected: new Map(popPolicies.map(({ name, members: [of] }) => [name, of.expected])),
      }
    : { popPage, popPolicies };
}

/** Forgets suppositions of PoPs that are gone, which a link may have. */
function forget() {
  const known = new Set(state.pops.map((pop) => pop.name));
  for (const of of [state, asked])
    if ([...of.down].some((name) => !known.has(name)))
      of.down = new Set([...of.down].filter((name) => known.has(name)));
}

// --- Stream of events

const stream = new Stream(take, () => {
  if (stream.state === "lost") state.lostAt = Date.now();
  if (stream.state === "lost" || state.fault !== null) soon();
  show();
});

function take(event) {
  $("event-rows").prepend(eventRow(event));
  while ($("event-rows").children.length > EVENTS_MAX) $("event-rows").lastChild.remove();
  if (event.kind === "lost") shownSequence = null;
  details.isDue = true;
  soon();
}

// --- What is shown

function point(country) {
  const of = (state.supposedCountries ?? state.countries).find((one) => one.country === country);
  if (!of) return put($("under"), "");
  const answers = of.answers.map((answer) => `${answer.answer} ${percent(answer.share)}`);
  put($("under"), `${of.country} (from ${of.city}): ${answers.join(", ")}`);
}

function show() {
  showLink(stream.state);
  if (!state.status) return;
  showNode();
  showFailing(open);
  showMap();
  showPops(open, supposeDown);
  showPolicies(choosePolicy);
  showPolicy(open);
  showPop();
  showSupposition();
  showCountries();
}

function showMap() {
  const notes = new Map(
    state.pops.map((pop) => {
      const isSupposed = state.down.has(pop.name);
      return [pop.name, note(pop, rateOfPop(pop.name), isSupposed, loadOf(pop))];
    }),
  );
  for (const name of [state.explained?.chosen, state.pop]) if (notes.has(name)) notes.get(name).rank += 1e7;
  const countries = state.supposedCountries ?? state.countries;
  const colours = new Map(countries.map((of) => [of.country, state.styles.get(of.answers[0]?.pop)]));
  const moves = state.supposedCountries ? moved(state.countries, state.supposedCountries) : [];
  $("repeat").hidden = state.pops.length <= STYLES;
  map.small(countries);
  map.colour(colours, new Set(moves.map(([country]) => country)));
  map.draw(state.pops, notes, state.pop, state.down);
}

function showPop() {
  const isOpen = Boolean(state.pop && state.popPage);
  put($("pop-head"), isOpen ? `PoP ${state.pop}` : "PoP");
  $("pop-none").hidden = isOpen;
  $("pop-suppose").hidden = $("pop-facts").hidden = $("pop-more").hidden = !isOpen;
  if (!isOpen) {
    $("pop-policies").hidden = true;
    return;
  }
  const supposed = state.down.has(state.pop);
  put($("pop-suppose"), supposed ? `Suppose ${state.pop} as it is` : `Suppose ${state.pop} down`);
  $("pop-facts").replaceChildren(popFacts(state.popPage, rateOfPop(state.pop)));
  showPopPolicies(choosePolicy);
  const panel = popPanel(state.popPage, state.policy, state.countries, heirPanel());
  $("pop-more").replaceChildren(...panel);
}

// --- What people do

let choices = 0;

/** Makes a choice: the page changes once all that belongs to it has been read, or not at all. */
async function choose(choice) {
  Object.assign(asked, choice);
  const own = ++choices;
  try {
    const set = await viewOf({ ...asked });
    if (own !== choices) return false;
    set();
    $("policy").value = state.policy ?? "";
  } catch (error) {
    if (own !== choices) return false;
    Object.assign(asked, { policy: state.policy, pop: state.pop, down: state.down });
    state.fault = error;
    show();
    return false;
  }
  keep();
  show();
  if (state.pop && state.popForecast?.pop !== state.pop) readPopForecast();
  return true;
}

/** Reads everything that a choice of policy, PoP and supposition shows; the result sets it. */
async function viewOf({ policy, pop, down }) {
  const isKnown = policy === state.policy && down === state.down;
  const view = { policy, down, pop, ...(isKnown ? {} : await countriesOf(policy, down)) };
  const policyPage = policy === state.policy ? undefined : await policyOf(policy, true);
  let popPages;
  if (pop && (policy !== state.policy || pop !== state.pop)) {
    popPages = await Promise.all([get(`v1/pops/${encodeURIComponent(pop)}`), policiesOf(pop, true)]);
    view.heirs = await heirsOf(pop, policy, view.countries ?? state.countries);
  }
  return () => {
    if (policyPage !== undefined) Object.assign(state, policyView(policyPage));
    if (popPages !== undefined) Object.assign(state, popView(...popPages));
    Object.assign(state, view);
  };
}

function open(name) {
  if (!name) return;
  choose({ pop: name }).then((isDone) => {
    if (!isDone) return;
    map.reveal(name);
    $("pop").focus({ preventScroll: true });
    const { top } = $("pop-head").getBoundingClientRect();
    if (top < 0 || top > window.innerHeight / 2) $("pop").scrollIntoView();
  });
}

const choosePolicy = (policy) => choose({ policy });

function supposeDown(name, isDown) {
  const down = new Set(asked.down);
  if (isDown) down.add(name);
  else down.delete(name);
  choose({ down });
}

$("clear").addEventListener("click", () => {
  choose({ down: new Set() });
  $("policy").focus();
});
$("supposing-more").addEventListener("click", () => $("what-if").scrollIntoView({ block: "center" }));
$("policy").addEventListener("change", (event) => {
  const policy = event.target.value;
  // The selector follows the map.
  event.target.value = state.policy ?? "";
  choosePolicy(policy);
});
$("pop-suppose").addEventListener("click", () => supposeDown(state.pop, !asked.down.has(state.pop)));
$("filter").addEventListener("input", () => showPops(open, supposeDown));
$("countries").querySelector("details").addEventListener("toggle", showCountries);
$("in").addEventListener("click", () => map.nearer(1.6));
$("out").addEventListener("click", () => map.nearer(1 / 1.6));
$("whole").addEventListener("click", () => map.whole());
explain.begin(map, () => {
  if (state.status) showMap();
});
theme.begin();

/** Keeps policy, PoP and supposition in the address, so that a link leads to the same view. */
function keep() {
  const fragment = new URLSearchParams();
  if (state.policy) fragment.set("policy", state.policy);
  if (state.pop) fragment.set("pop", state.pop);
  if (state.down.size > 0) fragment.set("down", [...state.down].join(","));
  history.replaceState(null, "", `#${fragment}`);
}

/** Choices that the address has. */
function given() {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const down = new Set((fragment.get("down") ?? "").split(",").filter(Boolean));
  return { policy: fragment.get("policy"), pop: fragment.get("pop"), down };
}

function adopt() {
  Object.assign(state, given());
  Object.assign(asked, given(), { down: state.down });
}

adopt();

/** A changed address is a choice; PoPs and policies that do not exist are left out. */
window.addEventListener("hashchange", async () => {
  // The link to a section of the page has no choice.
  if (!/^#?$|(policy|pop|down)=/.test(location.hash)) return;
  if (!state.status) return adopt();
  const { policy, pop, down } = given();
  const names = new Set(state.pops.map((one) => one.name));
  const isPolicy = state.policies.some((one) => one.name === policy);
  const choice = {
    policy: isPolicy ? policy : state.policy,
    pop: names.has(pop) ? pop : null,
    down: new Set([...down].filter((name) => names.has(name))),
  };
  if (!(await choose(choice))) keep();
});

// --- Begin

$("legend").replaceChildren(
  el("li", {}, "Marks, over all policies:"),
  ...legend().map(([mark, words]) => el("li", {}, mark, words)),
);
let clock = 0;
function wake() {
  clearInterval(clock);
  clearTimeout(timer);
  if (document.hidden) {
    stream.stop();
    return;
  }
  Object.values(counted).forEach((readings) => readings.clear());
  round = 0;
  details.isDue = true;
  clock = setInterval(tick, 1000);
  stream.start();
  look();
}
/** The age of what is shown; tables follow with the next round. */
function tick() {
  showAge();
  if (Date.now() - (state.seen || state.begun) > STALE_MS || state.fault !== null) show();
}
document.addEventListener("visibilitychange", wake);
wake();
get("page/outlines.txt").then(
  (text) => {
    map.outlines(text);
    if (state.status) showMap();
  },
  () => {},
);
