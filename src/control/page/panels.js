// Words of a PoP, of its countries, of an explained answer and of events. Every text comes from the
// server and is set as text.

import { age, count, el, facts, percent, rate } from "./dom.js";
import { key, standing } from "./map.js";

/** Service in words, as the legend has them for the mark. */
export function service(pop) {
  if (pop.effective.state !== "drain") return pop.in_service;
  return pop.in_service === "last resort" ? "drained" : `drained (${pop.in_service})`;
}

const STANDING = {
  yes: "in service",
  part: "partly or last resort",
  drained: "drained",
  no: "not in service",
  bad: "down",
  unused: "in no policy",
};

/**
 * Words of a PoP, its tag on the map, and the rank of the tag. `load` is `over` above the capacity, and
 * `near` above the target of a feed.
 */
export function note(pop, answers, supposed, load) {
  const is = standing(pop);
  const moves = pop.effective.left > 0 || pop.ramp_left > 0;
  const parts = [pop.name, STANDING[is], `health ${pop.health}`, `weight ${pop.effective.weight}`];
  if (pop.utilisation !== null) parts.push(`load ${percent(pop.utilisation)}`);
  if (load === "near") parts.push("above its target");
  if (pop.shed_share > 0) parts.push(`sheds ${percent(pop.shed_share)}`);
  if (pop.effective.left > 0) parts.push(`${pop.effective.left} of 256 cells have left`);
  if (pop.ramp_left > 0) parts.push(`${percent(pop.ramp_left)} not back yet`);
  if (answers !== undefined) parts.push(`${rate(answers)} answers/s`);
  if (supposed) parts.push("supposed down");
  const trouble = is === "yes" ? 0 : is === "unused" ? 1 : 3;
  const rank =
    (supposed ? 1e6 : 0) +
    trouble * 1e5 +
    (pop.shed_share > 0 ? 5e4 : 0) +
    (moves ? 5e4 : 0) +
    (pop.utilisation ?? 0) * 1e4 +
    Math.min(answers ?? 0, 1e6) / 1e3 +
    pop.effective.weight / 1e4;
  const tag = pop.utilisation === null ? pop.name : `${pop.name} ${Math.round(pop.utilisation * 100)}%`;
  return { words: parts.join(", "), tag, rank, moves, load };
}

function setting(given) {
  return `${given.state}, weight ${given.weight}`;
}

/** Override in words: who set it, why, and until when; `null` without one. */
export function override(given) {
  if (!given) return null;
  const until = given.until ? `until ${given.until}` : "no end set";
  return `${given.action} by ${given.author}: ${given.reason} (set ${given.set}, ${until})`;
}

/** Scheduled override in words. */
export function plan(given) {
  const over = given.over_secs > 0 ? `, over ${age(given.over_secs)}` : "";
  return `${given.start ?? given.set}${over}: ${override(given)}`;
}

/** Results that change the verdict of a target; `null` if the last results point to no change. */
export function toChange({ checks_to_flip, up_after, verdict }) {
  const results = checks_to_flip ?? (verdict === "down" && up_after > 0 ? up_after : null);
  if (results === null) return null;
  const which = { up: "bad until down", down: "good until up" }[verdict] ?? "until a verdict";
  return `${results} ${which}`;
}

function target(of) {
  const words = [
    `${of.probe} ${of.service} ${of.address ?? ""}: ${of.verdict} for ${age(of.lasted_secs)}`,
    `${of.good_streak} good, ${of.bad_streak} bad in a row`,
  ];
  if (toChange(of) !== null) words.push(toChange(of));
  if (of.failures > 0) words.push(`${of.failures} failures count`);
  if (of.latency_micros !== null) words.push(`${(of.latency_micros / 1000).toFixed(1)} ms`);
  if (of.certificate_days !== null) words.push(`certificate ends in ${of.certificate_days} days`);
  if (of.damped_secs !== null) words.push(`flaps: last resort for ${age(of.damped_secs)} more`);
  if (of.frozen) words.push("frozen: the canaries fail");
  if (of.degraded) words.push(of.degraded);
  words.push(of.result_age_secs === null ? "no result yet" : `result ${age(of.result_age_secs)} old`);
  const line = el("li", {}, words.join("; "));
  if (of.last_error) line.append(el("div", { class: "bad" }, `last error: ${of.last_error}`));
  return line;
}

function feed(of) {
  const share = () => percent(of.load / of.capacity);
  const load = of.load === null ? "no reading" : `${count(of.load)} of ${count(of.capacity)} (${share()})`;
  const words = [
    `${of.service ?? "whole PoP"}: ${load}`,
    `target ${percent(of.target)}`,
    `sheds ${percent(of.shed_share)}`,
  ];
  const accept = Object.entries(of.accept).map(([pop, share]) => `${pop} ${percent(share)}`);
  if (accept.length > 0) words.push(`accepted by ${accept.join(", ")}`);
  for (const [is, text] of [
    [of.stale, "stale"],
    [of.oscillates, "oscillates"],
    [of.no_room, "no PoP has room"],
  ])
    if (is) words.push(text);
  if (of.age_secs !== null) words.push(`reading ${age(of.age_secs)} old`);
  const line = el("li", {}, words.join("; "));
  if (of.last_error) line.append(el("div", { class: "bad" }, `last error: ${of.last_error}`));
  return line;
}

export function part(head, items) {
  return items.length > 0 ? [el("h3", {}, head), el("ul", {}, ...items)] : [];
}

/** Facts of a PoP. */
export function popFacts(pop, answers) {
  const left = pop.effective.left > 0 ? `, ${pop.effective.left} of 256 cells have left` : "";
  const setNow = setting(pop.effective) + left;
  return el(
    "dl",
    {},
    ...facts([
      [
        "In service",
        `${service(pop)}${pop.in_service_why ? ` (${pop.in_service_why})` : ""}, since ${pop.since}`,
      ],
      ["Health", pop.health + (pop.flaps ? ", flaps" : "")],
      ["In force", setNow],
      ["File", setting(pop.file)],
      ["State override", override(pop.state_override)],
      ["Weight override", override(pop.weight_override)],
      ["Move", pop.progress && pop.progress.text],
      ["Ramp", pop.ramp_left > 0 ? `${percent(pop.ramp_left)} of its cells are not back` : null],
      ["Answers", answers === undefined ? null : `${rate(answers)} a second`],
      ["Tags", pop.tags.join(" ")],
    ]).flat(),
  );
}

/** Countries whose largest city gets a PoP, as a whole or in part. */
function countriesWith(pop, countries) {
  const share = (of) => of.answers.find((answer) => answer.pop === pop)?.share ?? 0;
  const codes = (isIn) => countries.filter((of) => isIn(share(of))).map((of) => of.country);
  const [whole, some] = [codes((share) => share > 0.995), codes((share) => share > 0 && share <= 0.995)];
  const line = (words, list) => el("li", {}, `${words}: ${list.length} (${list.join(" ")})`);
  return [
    ...(whole.length > 0 ? [line("as a whole", whole)] : []),
    ...(some.length > 0 ? [line("in part", some)] : []),
  ];
}

/** What follows the facts of a PoP; `taken` are the nodes of its answers if it is down. */
export function popPanel(pop, policy, countries, taken) {
  const coming = pop.coming.map((next) => el("li", {}, `${next.at}: ${setting(next)}`));
  return [
    ...part(
      "Broken safety rules",
      pop.breaks.map((words) => el("li", { class: "bad" }, words)),
    ),
    ...part("To come", [...pop.plans.map((next) => el("li", {}, plan(next))), ...coming]),
    ...taken,
    ...part(`Countries (policy ${policy})`, countriesWith(pop.name, countries)),
    ...part("Load", pop.feeds.map(feed)),
    ...part("Targets of probes", pop.targets.map(target)),
    ...(pop.targets.length === 0 ? [el("p", {}, "No probe checks this PoP.")] : []),
  ];
}

/** Countries that answer otherwise: [country, before, after]. */
export function moved(before, after) {
  const words = (of) =>
    of.answers
      .map((answer) => (answer.share > 0.995 ? answer.answer : `${answer.answer} ${percent(answer.share)}`))
      .join(", ");
  const then = new Map(after.map((of) => [of.country, words(of)]));
  return before
    .map((of) => [of.country, words(of), then.get(of.country) ?? "–"])
    .filter(([, was, is]) => was !== is);
}

/**
 * Answers that take the countries of a PoP, the most first. Each country stands once in `whole` or `most`,
 * with the answer that takes all or most of it, and in `some` of the others.
 */
export function heirs(pop, before, after) {
  const then = new Map(after.map((of) => [of.country, of.answers]));
  const all = new Map();
  for (const of of before) {
    if (!of.answers.some((answer) => answer.pop === pop)) continue;
    const was = new Map(of.answers.map(({ answer, share }) => [answer, share]));
    const gains = (then.get(of.country) ?? [])
      .map(({ answer, share }) => ({ answer, gain: share - (was.get(answer) ?? 0) }))
      .filter(({ gain }) => gain > 0.0005)
      .sort((a, b) => b.gain - a.gain);
    const sum = gains.reduce((total, { gain }) => total + gain, 0);
    gains.forEach(({ answer, gain }, place) => {
      const heir = all.get(answer) ?? { answer, whole: [], most: [], some: [] };
      heir[gain > 0.995 * sum ? "whole" : place === 0 ? "most" : "some"].push(of.country);
      all.set(answer, heir);
    });
  }
  const rank = ({ whole, most, some }) => whole.length + most.length + some.length / 1000;
  return [...all.values()].sort((a, b) => rank(b) - rank(a));
}

export function steps(lines) {
  return lines.map(([head, words]) => el("li", {}, el("b", {}, head), " ", el("span", {}, words)));
}

export function eventRow(event) {
  return el(
    "li",
    {},
    el("time", { datetime: event.time }, event.time.replace("T", " ")),
    el("b", {}, event.kind),
    event.text,
  );
}

export function styleKey(style) {
  return style === undefined ? "" : key(style);
}
