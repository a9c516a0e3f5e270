// The page: asks the server, keeps the answers, and gives them to the map and the panels.
//
// One round every ROUND_MS while the page is seen: the status, the alarms and the PoPs; the
// countries only if there is a new snapshot; every other round the metrics. Events come as a stream.
// A hidden page asks nothing and holds no connection.

import { between, read } from "./rates.js";
import { Stream } from "./stream.js";
import { STYLES, WorldMap, legend, styles } from "./map.js";
import {
  Rows,
  age,
  el,
  elsewhere,
  eventRow,
  facts,
  heirs,
  moved,
  note,
  percent,
  popPanel,
  put,
  rate,
  service,
  steps,
  styleKey,
} from "./panels.js";

const ROUND_MS = 5000;
const STALE_MS = 16000;
const EVENTS_MAX = 100;
const MAP_TRIES = 5;

const $ = (id) => document.getElementById(id);
const state = {
  status: null,
  pops: [],
  policies: [],
  countries: [],
  supposedCountries: null,
  policy: null,
  pop: null,
  popPage: null,
  heirs: null,
  down: new Set(),
  rates: { pop: new Map(), policy: new Map(), all: undefined, ramp: new Map() },
  explained: null,
  seen: 0,
  begun: Date.now(),
  lostAt: 0,
  fault: null,
};
/** Choices of the user; `state` has them once the server has answered. */
const asked = { policy: null, pop: null, down: new Set() };
const map = new WorldMap($("map"), open, point);
const rows = {
  pops: new Rows($("rows")),
  policies: new Rows($("policy-rows")),
  countries: new Rows($("country-rows")),
};

async function get(path, signal) {
  const response = await fetch(path, { signal: signal ?? AbortSignal.timeout(10000), cache: "no-store" });
  const kind = response.headers.get("content-type") ?? "";
  const body = kind.startsWith("application/json") ? await response.json() : await response.text();
  if (!response.ok && response.status !== 503)
    throw Object.assign(new Error(body.message ?? `status ${response.status}`), { status: response.status });
  if (response.status === 503 && body.code) throw Object.assign(new Error(body.message), { status: 503 });
  return body;
}

/** Map of a policy under a supposition. A server that makes maps for others is asked again. */
async function mapOf(policy, down) {
  const query = new URLSearchParams({ policy });
  if (down.length > 0) query.set("down", down.join(","));
  for (let tries = 1; ; tries++) {
    try {
      return await get(`v1/map?${query}`);
    } catch (error) {
      if (error.status !== 503 || tries === MAP_TRIES) throw error;
    }
    await new Promise((done) => setTimeout(done, 200 * tries));
  }
}

// --- Rounds

let timer = 0;
let round = 0;
let running = false;
let wanted = false;
let shownSequence = null;
let shownFiles = null;

async function look() {
  if (document.hidden) return;
  if (running) {
    wanted = true;
    return;
  }
  running = true;
  clearTimeout(timer);
  try {
    const [status, ready] = await Promise.all([get("v1/status"), get("v1/readyz?format=json")]);
    if (status.files_digest !== shownFiles) {
      state.policies = (await get("v1/policies")).policies;
      shownFiles = status.files_digest;
      choosePolicy();
    }
    const isNew = status.sequence !== shownSequence;
    state.pops = (await get("v1/map")).pops;
    if (isNew) {
      state.styles = styles(state.pops);
      forget();
      const { policy, down } = state;
      const of = await countriesOf(policy, down);
      // A choice that came between has its own countries; the next round reads them again.
      if (state.policy === policy && state.down === down) {
        Object.assign(state, of);
        shownSequence = status.sequence;
      }
    }
    if (round++ % 2 === 0) await measure();
    state.status = status;
    state.ready = ready;
    if (state.pop) await readPop(isNew);
    state.seen = Date.now();
    state.fault = null;
    if (refusalIsFault) refuse("");
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

/** A round soon, but at most one a second. */
function soon() {
  if (running) {
    wanted = true;
    return;
  }
  clearTimeout(timer);
  timer = setTimeout(look, Math.max(100, 1000 - (Date.now() - state.seen)));
}

function choosePolicy() {
  const names = state.policies.map((policy) => policy.name);
  if (!names.includes(state.policy)) state.policy = names[0] ?? null;
  if (!names.includes(asked.policy)) asked.policy = state.policy;
  $("policy").replaceChildren(...names.map((name) => el("option", { value: name }, name)));
  $("policy").value = state.policy ?? "";
}

let counted = null;

async function measure() {
  const now = read(await get("v1/metrics"), performance.now());
  state.rates = between(counted, now);
  counted = now;
}

async function readPop(isNew) {
  const name = state.pop;
  try {
    const page = await get(`v1/pops/${encodeURIComponent(name)}`);
    if (state.pop === name) state.popPage = page;
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

/** Answers that take the countries of a PoP; `null` without a policy. */
async function heirsOf(name, policy, countries) {
  if (!policy) return null;
  return heirs(name, countries, (await mapOf(policy, [name])).countries);
}

/** Forgets suppositions of PoPs that are gone, which a link may have. */
function forget() {
  const known = new Set(state.pops.map((pop) => pop.name));
  for (const of of [state, asked])
    if ([...of.down].some((name) => !known.has(name)))
      of.down = new Set([...of.down].filter((name) => known.has(name)));
}

/** Countries of a policy, now and under a supposition. */
async function countriesOf(policy, down) {
  if (!policy) return { countries: [], supposedCountries: null };
  if (down.size === 0)
    return { countries: (await mapOf(policy, [])).countries, supposedCountries: null };
  // Both of one snapshot, so that only the supposition makes them differ.
  for (let tries = 1; ; tries++) {
    const now = await mapOf(policy, []);
    const then = await mapOf(policy, [...down]);
    if (now.sequence === then.sequence || tries === 3)
      return { countries: now.countries, supposedCountries: then.countries };
  }
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
  if (event.kind === "lost") shownSequence = shownFiles = null;
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
  const now = Date.now();
  const old = now - (state.seen || state.begun);
  const { fault } = state;
  // A fault with a status is a refusal, which a server sends that is there.
  const isGone = old > STALE_MS || (fault !== null && !fault.status);
  const isLost = isGone || stream.state === "lost";
  document.documentElement.classList.toggle("stale", isLost && !document.hidden);
  $("link").className = isLost ? "lost" : "live";
  put($("link"), isLost ? "Connection lost" : state.seen ? "Live" : "Loading");
  $("lost").hidden = !isLost && fault === null;
  // Text of an alert is read aloud when it changes: the age is in steps.
  const shownAge = old < 60000 ? Math.floor(old / 5000) * 5 : Math.floor(old / 60000) * 60;
  const lines = {
    refused: `The server refused a request: ${fault?.message}. This is ${age(shownAge)} old.`,
    gone: `No answer from the server: this is ${age(shownAge)} old (${fault?.message ?? "no reply"}).`,
    read: "The stream of events is lost; the state is still read.",
    lost: "The stream of events is lost.",
  };
  const which = fault?.status ? "refused" : isGone ? "gone" : state.seen > state.lostAt ? "read" : "lost";
  if (!$("lost").hidden) put($("lost"), `${lines[which]} The page tries again.`);
  if (!state.status) return;
  const { status } = state;
  document.title = `${status.node} – Meridian`;
  put($("node"), status.node);
  const all = state.rates.all;
  const pairs = facts([
    ["Phase", status.phase],
    ["Queries", all === undefined ? "–" : `${rate(all)}/s`],
    ["Snapshot", String(status.sequence)],
    ["Digest", status.digest.slice(0, 8)],
    ["Files", status.files_digest.slice(0, 8)],
    ["Up", age(status.uptime_secs)],
    ["Data", `${Math.floor(old / 1000)} s old`],
  ]);
  $("facts").replaceChildren(
    ...pairs.map(([term, words], index) => {
      const full = { 3: status.digest, 4: status.files_digest }[index];
      return el("div", full ? { title: full } : {}, term, words);
    }),
  );
  showAlarms();
  showMap();
  showPops();
  showPolicies();
  showPop();
  showSupposition();
  showCountries();
}

function showAlarms() {
  const words = [...state.ready.reasons, ...state.ready.notes];
  $("alarms").hidden = words.length === 0;
  const list = $("alarms").querySelector("ul");
  if ([...list.children].map((line) => line.textContent).join("\n") !== words.join("\n")) {
    list.replaceChildren(...words.map((text) => el("li", {}, text)));
  }
}

const shownRate = (pop) => (state.rates.all === undefined ? undefined : (state.rates.pop.get(pop) ?? 0));

function showMap() {
  const notes = new Map(
    state.pops.map((pop) => [
      pop.name,
      note(pop, shownRate(pop.name), state.rates.ramp.get(pop.name) ?? 0, state.down.has(pop.name)),
    ]),
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

function showPops() {
  const words = $("filter").value.trim().toLowerCase();
  const list = state.pops.filter((pop) =>
    [pop.name, pop.country ?? "", service(pop), pop.health, pop.effective.state]
      .join(" ")
      .toLowerCase()
      .includes(words),
  );
  rows.pops.show(
    list.map((pop) => [pop.name, pop]),
    (name) => {
      const box = el("input", {
        type: "checkbox",
        "aria-label": `Suppose ${name} down`,
        change: (event) => supposeDown(name, event.target.checked),
      });
      const cell = (kind) => el("td", kind ? { class: kind } : {});
      return [
        el(
          "th",
          { scope: "row" },
          el("span"),
          el("button", { type: "button", class: "plain", click: () => open(name) }, name),
        ),
        cell(),
        cell(),
        cell(),
        cell("number"),
        cell("number"),
        cell("number"),
        cell("number"),
        el("td", {}, box),
      ];
    },
    ({ node, cells }, pop) => {
      const style = state.styles.get(pop.name);
      if (cells[0].dataset.style !== String(style)) {
        cells[0].dataset.style = style;
        cells[0].firstChild.replaceChildren(styleKey(style));
      }
      const left = pop.effective.left > 0 ? ` (${pop.effective.left}/256 left)` : "";
      const words = [
        service(pop),
        pop.health,
        pop.effective.state + left,
        String(pop.effective.weight),
        percent(pop.utilisation),
        percent(pop.shed_share),
        rate(shownRate(pop.name)),
      ];
      words.forEach((text, index) => put(cells[index + 1], text));
      cells[1].classList.toggle("bad", pop.in_service === "no");
      cells[2].classList.toggle("bad", pop.health === "down");
      cells[5].classList.toggle("bad", pop.utilisation > 1);
      const box = cells[8].firstChild;
      if (box.checked !== asked.down.has(pop.name)) box.checked = asked.down.has(pop.name);
      node.classList.toggle("chosen", pop.name === state.pop);
    },
  );
}

const ttl = (policy) => `${policy.ttl.min}–${policy.ttl.max} s`;

function standingOf(policy) {
  const held = state.rates.flags?.get(`policy_held ${policy.name}`) ?? policy.held;
  const returning = state.rates.flags?.get(`policy_returning ${policy.name}`) ?? policy.returning;
  return (
    [held ? "held by its panic guard" : "", returning ? "a pool is on its way back" : ""]
      .filter(Boolean)
      .join(", ") || "–"
  );
}

function showPolicies() {
  const perSecond = (name) =>
    state.rates.all === undefined ? undefined : (state.rates.policy.get(name) ?? 0);
  rows.policies.show(
    state.policies.map((policy) => [policy.name, policy]),
    (name) => [
      el("th", { scope: "row" }, name),
      el("td", { class: "wrap" }),
      el("td"),
      el("td"),
      el("td", { class: "number" }),
    ],
    ({ cells }, policy) => {
      [standingOf(policy), policy.order, ttl(policy), rate(perSecond(policy.name))].forEach((text, index) =>
        put(cells[index + 1], text),
      );
    },
  );
  const policy = state.policies.find((one) => one.name === state.policy);
  if (policy)
    put(
      $("policy-facts"),
      `order ${policy.order}, TTL ${ttl(policy)}, ${rate(perSecond(policy.name))} answers/s`,
    );
}

function showPop() {
  if (!state.pop || !state.popPage) return;
  put($("pop-head"), `PoP ${state.pop}`);
  const supposed = state.down.has(state.pop);
  const button =
    $("pop-suppose") ??
    el("button", {
      type: "button",
      id: "pop-suppose",
      click: () => supposeDown(state.pop, !asked.down.has(state.pop)),
    });
  put(button, supposed ? `Suppose ${state.pop} as it is` : `Suppose ${state.pop} down`);
  const body = popPanel(state.popPage, shownRate(state.pop), state.policy, state.heirs);
  // The button keeps its node, and with it the focus.
  if (button.parentNode !== $("pop-body")) $("pop-body").replaceChildren(button);
  while (button.nextSibling) button.nextSibling.remove();
  $("pop-body").append(...body);
}

function showSupposition() {
  $("what-if").hidden = state.down.size === 0;
  if (state.down.size === 0) return;
  const moves = state.supposedCountries ? moved(state.countries, state.supposedCountries) : null;
  put(
    $("supposed"),
    `Supposed down: ${[...state.down].join(" ")}. ${
      moves === null
        ? "Asking."
        : `The largest cities of ${moves.length} of ${state.countries.length} countries get other answers under ${state.policy}. ${elsewhere([...state.down])} Nothing is changed.`
    }`,
  );
  const text = (moves ?? []).map(([country, was, is]) => `${country}: ${was} → ${is}`);
  const list = $("moves");
  if ([...list.children].map((line) => line.textContent).join("\n") !== text.join("\n"))
    list.replaceChildren(...text.map((line) => el("li", {}, line)));
}

function showCountries() {
  if (!$("countries").querySelector("details").open) return;
  const words = (of) => of.answers.map((answer) => `${answer.answer} ${percent(answer.share)}`).join(", ");
  const then = new Map((state.supposedCountries ?? []).map((of) => [of.country, words(of)]));
  rows.countries.show(
    state.countries.map((of) => [of.country, of]),
    (code) => [
      el("th", { scope: "row" }, code),
      el("td"),
      el("td", { class: "wrap" }),
      el("td", { class: "wrap" }),
    ],
    ({ cells }, of) => {
      const [is, next] = [words(of), then.get(of.country)];
      [of.city, is, next === undefined ? "–" : next === is ? "the same" : next].forEach((text, index) =>
        put(cells[index + 1], text),
      );
    },
  );
}

// --- What people do

let choices = 0;

/** Makes a choice: the page changes once all that belongs to it has been read, or not at all. */
async function choose(choice) {
  Object.assign(asked, choice);
  const own = ++choices;
  try {
    const view = await viewOf({ ...asked });
    if (own !== choices) return false;
    Object.assign(state, view);
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
  return true;
}

/** Everything that a choice of policy, PoP and supposition shows. */
async function viewOf({ policy, pop, down }) {
  const isKnown = policy === state.policy && down === state.down;
  const view = { policy, down, pop, ...(isKnown ? {} : await countriesOf(policy, down)) };
  if (!pop || (policy === state.policy && pop === state.pop)) return view;
  view.popPage = await get(`v1/pops/${encodeURIComponent(pop)}`);
  view.heirs = await heirsOf(pop, policy, view.countries ?? state.countries);
  return view;
}

function open(name) {
  if (!name) return;
  choose({ pop: name }).then((isDone) => {
    if (!isDone) return;
    map.reveal(name);
    $("pop").focus({ preventScroll: window.innerWidth > 960 });
  });
}

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
$("policy").addEventListener("change", (event) => {
  const policy = event.target.value;
  // The selector follows the map.
  event.target.value = state.policy ?? "";
  choose({ policy });
});
$("filter").addEventListener("input", showPops);
$("countries").querySelector("details").addEventListener("toggle", showCountries);
$("in").addEventListener("click", () => map.nearer(1.6));
$("out").addEventListener("click", () => map.nearer(1 / 1.6));
$("whole").addEventListener("click", () => map.whole());

$("ask").addEventListener("submit", async (event) => {
  event.preventDefault();
  const query = new URLSearchParams();
  for (const field of ["name", "type", "client", "ecs"]) {
    const value = $(field).value.trim();
    if (value) query.set(field, value);
  }
  if (asked.down.size > 0) query.set("down", [...asked.down].join(","));
  refuse("");
  try {
    const explained = await get(`v1/explain?${query}`);
    $("steps").replaceChildren(...steps(explained.lines));
    $("answer").hidden = explained.answer === null;
    put($("answer"), explained.answer ?? "");
    state.explained = explained.decision;
    const { lat, lon, candidates, chosen } = explained.decision ?? { lat: null };
    map.show(lat === null ? null : [lat, lon], candidates, chosen);
    if (state.status) showMap();
  } catch (error) {
    $("steps").replaceChildren();
    $("answer").hidden = true;
    state.explained = null;
    map.show(null);
    refuse(error.message, !error.status);
  }
});

/** Words below the form; those of a fault of the connection end with it. */
let refusalIsFault = false;
function refuse(words, isFault = false) {
  refusalIsFault = isFault;
  put($("refusal"), words);
}

/** Keeps policy, PoP and supposition in the address, so that a link leads to the same view. */
function keep() {
  const fragment = new URLSearchParams();
  if (state.policy) fragment.set("policy", state.policy);
  if (state.pop) fragment.set("pop", state.pop);
  if (state.down.size > 0) fragment.set("down", [...state.down].join(","));
  history.replaceState(null, "", `#${fragment}`);
}

const given = new URLSearchParams(location.hash.slice(1));
state.policy = given.get("policy");
state.pop = given.get("pop");
state.down = new Set((given.get("down") ?? "").split(",").filter(Boolean));
Object.assign(asked, { policy: state.policy, pop: state.pop, down: state.down });

// --- Theme

const theme = (name) => {
  if (name) document.documentElement.dataset.theme = name;
  else delete document.documentElement.dataset.theme;
  $("theme").value = name;
};
try {
  theme(localStorage.getItem("theme") ?? "");
} catch {
  /* A browser may keep nothing. */
}
$("theme").addEventListener("change", (event) => {
  theme(event.target.value);
  try {
    localStorage.setItem("theme", event.target.value);
  } catch {
    /* A browser may keep nothing. */
  }
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
  counted = null;
  round = 0;
  clock = setInterval(tick, 1000);
  stream.start();
  look();
}
/** The age of what is shown; tables follow with the next round. */
function tick() {
  const old = Date.now() - (state.seen || state.begun);
  const field = $("facts").lastElementChild?.querySelector("dd");
  if (field) put(field, `${Math.floor(old / 1000)} s old`);
  if (old > STALE_MS || state.fault !== null) show();
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
