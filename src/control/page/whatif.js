// What if PoPs were down: the countries that move, and the shares of clients and the load that go
// elsewhere, as the dry run of the command has them.

import { $, Rows, el, put, tenths } from "./dom.js";
import { moved } from "./panels.js";
import { state } from "./state.js";

const rows = new Rows($("gain-rows"));

/** Answers with what comes to them, by the moves of a forecast, the most first. */
function gains(moves) {
  const all = new Map();
  for (const { to, cells, queries } of moves) {
    const gain = all.get(to) ?? { to, cells: 0, queries: null };
    gain.cells += cells;
    if (queries !== null) gain.queries = (gain.queries ?? 0) + queries;
    all.set(to, gain);
  }
  return [...all.values()].sort((a, b) => (b.queries ?? b.cells) - (a.queries ?? a.cells));
}

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

function showGains() {
  const { forecast, policy } = state;
  $("gains").hidden = forecast === null || forecast.moves.length === 0;
  if (forecast === null) return put($("over"), "");
  const of = forecast.policies.find((one) => one.policy === policy);
  const list = [["all", forecast.moves], ...(of ? [[policy, of.moves]] : [])].flatMap(([name, moves]) =>
    gains(moves).map((gain) => [`${name === "all" ? "" : "of "}${name} ${gain.to}`, { ...gain, name }]),
  );
  rows.show(
    list,
    () => [
      el("td", { class: "wrap" }),
      el("th", { scope: "row" }),
      el("td", { class: "number" }),
      el("td", { class: "number" }),
      el("td", { class: "wrap" }),
    ],
    ({ cells }, gain) => {
      const feeds = gain.name === "all" ? forecast.load.filter((feed) => feed.pop === gain.to) : [];
      [gain.name, gain.to, tenths(gain.cells), tenths(gain.queries)].forEach((text, index) =>
        put(cells[index], text),
      );
      cells[4].replaceChildren(...(feeds.length > 0 ? feeds.flatMap(loadWords) : ["–"]));
      cells[4].classList.toggle("bad", feeds.some(isOver));
    },
  );
  const over = forecast.load.filter(isOver);
  const names = over.map(
    ({ pop, service, load, added, capacity }) =>
      `${pop}${service === null ? "" : ` (${service})`} ${whole(used(load + added, capacity))}`,
  );
  put($("over"), names.length > 0 ? `Over capacity: ${names.join(", ")}` : "");
}

export function showSupposition() {
  $("what-if").hidden = state.down.size === 0;
  if (state.down.size === 0) return;
  const { forecast, supposedCountries, countries, policy } = state;
  const names = [...state.down].join(" ");
  const moves = supposedCountries ? moved(countries, supposedCountries) : null;
  const words = [`Supposed down: ${names}.`];
  if (forecast === null) words.push("Asking.");
  else {
    if (moves !== null)
      words.push(
        `The largest cities of ${moves.length} of ${countries.length} countries get other answers under ${policy}.`,
      );
    words.push(
      forecast.moves.length === 0
        ? "No client moves."
        : `Clients outside those cities move too: below are the shares of all, as meridian pop drain ${names} --dry-run has them.`,
    );
    words.push("Nothing is changed.");
  }
  put($("supposed"), words.join(" "));
  showGains();
  const text = (moves ?? []).map(([country, was, is]) => `${country}: ${was} → ${is}`);
  const list = $("moves");
  if ([...list.children].map((line) => line.textContent).join("\n") !== text.join("\n"))
    list.replaceChildren(...text.map((line) => el("li", {}, line)));
}
