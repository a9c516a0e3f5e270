// Facts out of the ordinary: targets that fail, and the reasons why a PoP is not as its file says.

import { $, Rows, el, percent, put } from "./dom.js";
import { override, plan, toChange } from "./panels.js";
import { state } from "./state.js";

const rows = new Rows($("failing-rows"));

/** Targets of a PoP that are down, or whose last result was bad. */
export const failing = (of) =>
  of.targets.filter((target) => target.verdict === "down" || target.last_error !== null);

/** Load of a PoP: `over` the capacity, `near` it (above the target of a feed), or "". */
export function loadOf(pop) {
  if (pop.utilisation === null) return "";
  if (pop.utilisation > 1) return "over";
  return pressed(pop).length > 0 ? "near" : "";
}

/** Feeds of a PoP with a load above their target. */
function pressed(pop) {
  const feeds = state.details.get(pop.name)?.feeds ?? [];
  // The map has the newest load, but one for all feeds.
  const used = (feed) => (feeds.length === 1 ? pop.utilisation : feed.load / feed.capacity);
  return feeds.filter((feed) => !feed.stale && used(feed) > feed.target);
}

/** Reasons why a PoP is not as its file says, who gave them, until when; and what is to come. */
export function why(pop) {
  const of = state.details.get(pop.name);
  if (!of) return [];
  const bad = failing(of);
  const named = ({ service }) => (service === null ? "" : ` of ${service}`);
  return [
    override(of.state_override),
    override(of.weight_override),
    of.progress?.text,
    of.in_service_why,
    ...of.breaks,
    ...pressed(pop).map((feed) => `load${named(feed)} is above its target of ${percent(feed.target)}`),
    ...of.feeds.filter((feed) => feed.stale).map((feed) => `load${named(feed)} is not known: stale`),
    ...of.feeds.filter((feed) => feed.no_room).map((feed) => `no PoP has room for the load${named(feed)}`),
    bad.length > 0 ? `failing targets: ${bad.length} of ${of.targets.length}` : null,
    ...of.plans.map((next) => `to come: ${plan(next)}`),
  ].filter(Boolean);
}

/** Shows the failing targets of all PoPs, those that are down first; `open` opens a PoP. */
export function showFailing(open) {
  const list = [...state.details.values()].flatMap((of) => failing(of).map((target) => ({ of, target })));
  list.sort((a, b) => (b.target.verdict === "down") - (a.target.verdict === "down"));
  $("failing").hidden = list.length === 0;
  rows.show(
    list.map(({ of, target }) => {
      const words = [target.probe, target.service, target.address].filter(Boolean).join(" ");
      return [`${of.name} ${words}`, { name: of.name, words, target }];
    }),
    (key) => {
      const name = key.split(" ", 1)[0];
      const button = el("button", { type: "button", class: "plain", click: () => open(name) }, name);
      const cells = [el("td", { class: "wrap" }), el("td"), el("td"), el("td", { class: "wrap" })];
      return [el("th", { scope: "row" }, button), ...cells];
    },
    ({ cells }, { words, target }) => {
      const texts = [words, target.verdict, toChange(target) ?? "–", target.last_error ?? "–"];
      texts.forEach((text, index) => put(cells[index + 1], text));
      cells[2].classList.toggle("bad", target.verdict === "down");
    },
  );
}
