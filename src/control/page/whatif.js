// What if PoPs were down: the countries that move, the parts of the moving clients that each answer
// takes, and the load that goes elsewhere, as the dry run of the command has them.

import { $, Rows, breakable, el, put, tenths } from "./dom.js";
import { moved, part } from "./panels.js";
import { state } from "./state.js";

const rows = new Rows($("gain-rows"));

/**
 * Answers with what comes to them by the moves of a forecast, the most first. `part` is their part of the
 * moving clients: by queries if any was counted (`isCounted`), else by cells.
 */
function gains(moves) {
  const all = new Map();
  for (const { to, cells, queries } of moves) {
    const gain = all.get(to) ?? { to, cells: 0, queries: null };
    gain.cells += cells;
    if (queries !== null) gain.queries = (gain.queries ?? 0) + queries;
    all.set(to, gain);
  }
  const sum = (key) => [...all.values()].reduce((total, gain) => total + (gain[key] ?? 0), 0);
  const isCounted = sum("queries") > 0;
  const [key, whole] = isCounted ? ["queries", sum("queries")] : ["cells", sum("cells")];
  const list = [...all.values()].map((gain) => ({ ...gain, part: (gain[key] ?? 0) / whole }));
  return { isCounted, list: list.sort((a, b) => b.part - a.part || b.cells - a.cells) };
}

/** False if every figure of a gain is shown as 0.0 %. */
const isShown = ({ part, queries, cells }) => [part, queries, cells].some((share) => share >= 0.0005);

const used = (load, capacity) => (capacity > 0 ? load / capacity : null);
const isOver = ({ load, added, capacity }) => used(load + added, capacity) > 1;
const whole = (share) => (share === null ? "?" : `${Math.round(share * 100)} %`);

/** Load of a feed, before and after. */
function loadWords({ service, added, load, capacity }) {
  const of = service === null ? "" : `${service} `;
  const [was, is] = [used(load, capacity), used(load + added, capacity)];
  const words = [`${of}${whole(was)} → ${whole(is)}`, ...(is > 1 ? ["over capacity"] : [])];
  // A space between, where a line may break.
  return words.flatMap((text) => [el("span", {}, text), " "]);
}

/** PoPs that a forecast brings over their capacity, in words; "" without any. */
function overWords(forecast) {
  const names = (forecast?.load ?? [])
    .filter(isOver)
    .map(
      ({ pop, service, load, added, capacity }) =>
        `${pop}${service === null ? "" : ` (${service})`} ${whole(used(load + added, capacity))}`,
    );
  return names.length > 0 ? `Over capacity: ${names.join(", ")}` : "";
}

function showGains() {
  const { forecast, policy } = state;
  $("gains").hidden = forecast === null || forecast.moves.length === 0;
  put($("over"), overWords(forecast));
  if (forecast === null) return;
  const of = forecast.policies.find((one) => one.policy === policy);
  const list = [["all", forecast.moves], ...(of ? [[policy, of.moves]] : [])].flatMap(([name, moves]) => {
    const { list, isCounted } = gains(moves);
    const words = isCounted ? name : `${name}, by cells`;
    return list
      .filter(isShown)
      .map((gain) => [`${name === "all" ? "" : "of "}${name} ${gain.to}`, { ...gain, name, words }]);
  });
  rows.show(
    list,
    () => [
      el("td", { class: "name" }),
      el("th", { scope: "row" }),
      ...[1, 2, 3].map(() => el("td", { class: "number" })),
      el("td", { class: "wrap" }),
    ],
    ({ cells }, gain) => {
      const feeds = gain.name === "all" ? forecast.load.filter((feed) => feed.pop === gain.to) : [];
      const shares = [gain.part, gain.queries, gain.cells].map(tenths);
      cells[0].replaceChildren(...breakable(gain.words));
      [gain.to, ...shares].forEach((text, index) => put(cells[index + 1], text));
      cells[5].replaceChildren(...(feeds.length > 0 ? feeds.flatMap(loadWords) : ["–"]));
      cells[5].classList.toggle("bad", feeds.some(isOver));
    },
  );
}

/** Shows the supposition: in one line at the foot of the window, and whole behind the table of PoPs. */
export function showSupposition() {
  const isNone = state.down.size === 0;
  $("what-if").hidden = $("supposing").hidden = isNone;
  document.documentElement.classList.toggle("supposing", !isNone);
  if (isNone) return;
  const { forecast, supposedCountries, countries, policy } = state;
  const moves = supposedCountries ? moved(countries, supposedCountries) : null;
  const words = [`Supposed down: ${[...state.down].join(" ")}.`];
  if (forecast === null) words.push("Asking.");
  else if (moves !== null) {
    const of = `${moves.length} of ${countries.length} countries`;
    words.push(`The largest cities of ${of} get other answers under ${policy}.`);
  }
  put($("supposing-words"), words.join(" "));
  put($("supposing-over"), overWords(forecast));
  if (forecast !== null) words.push(forecast.moves.length === 0 ? "No client moves." : "Nothing is changed.");
  put($("supposed"), words.join(" "));
  $("gains-hint").hidden = forecast === null || forecast.moves.length === 0;
  showGains();
  const text = (moves ?? []).map(([country, was, is]) => `${country}: ${was} → ${is}`);
  const list = $("moves");
  if ([...list.children].map((line) => line.textContent).join("\n") !== text.join("\n"))
    list.replaceChildren(...text.map((line) => el("li", {}, line)));
}

/** Countries of an heir, each counted once, in words. */
function taken({ whole, most, some }) {
  const [all, much] = [whole.length + most.length, most.length];
  const named = all > 0 ? ` (${[...whole, ...most].join(" ")})` : "";
  const words = all > 0 ? [`${all} ${all === 1 ? "country" : "countries"}${named}`] : [];
  if (much > 0) words.push(much === all ? "in part" : `${much} of them in part`);
  if (some.length > 0) words.push(`smaller parts of ${some.length}`);
  return words;
}

/** Parts of the moving clients that each answer takes, in words. */
const partsOf = (list) =>
  list
    .filter(isShown)
    .map((gain) => `${gain.to} ${tenths(gain.part)}`)
    .join(", ");

/** Nodes that say who takes the clients of the chosen PoP if it is down. */
export function heirPanel() {
  const { pop, policy, heirs, popForecast } = state;
  if (!policy) return [];
  const forecast = popForecast?.pop === pop ? popForecast.forecast : null;
  const of = gains(forecast?.policies.find((one) => one.policy === policy)?.moves ?? []);
  const byAnswer = new Map((heirs ?? []).map((heir) => [heir.answer, heir]));
  const names = new Set([...of.list.filter(isShown).map((gain) => gain.to), ...byAnswer.keys()]);
  const parts = new Map(of.list.map((gain) => [gain.to, `${tenths(gain.part)} of its clients`]));
  const lines = [...names].map((name) => {
    const heir = byAnswer.get(name);
    const words = [parts.get(name), ...(heir ? taken(heir) : [])].filter(Boolean);
    return el("li", {}, `${name}: ${words.join(", ")}`);
  });
  if (forecast === null || heirs === null) lines.push(el("li", {}, "asking for the shares"));
  else if (lines.length === 0) lines.push(el("li", {}, "no client gets another answer"));
  const all = gains(forecast?.moves ?? []);
  const how = ({ isCounted }) => (isCounted ? "by queries" : "by address space");
  const over = overWords(forecast);
  const hint = el("p", { class: "hint" }, `Shares ${how(of)}; countries by their largest city.`);
  return [
    ...part(`If it is down (policy ${policy})`, lines),
    ...(of.list.length > 0 ? [hint] : []),
    ...(all.list.length > 0 ? [el("p", {}, `Over all policies, ${how(all)}: ${partsOf(all.list)}.`)] : []),
    ...(over ? [el("p", { class: "bad" }, over)] : []),
  ];
}
