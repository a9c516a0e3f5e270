// Words of a PoP, of its countries, of an explained answer and of events. Every text comes from the
// server and is set as text.

import { age, el, facts, percent, rate } from "./dom.js";
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

/** Words of a PoP, its tag on the map, and the rank of the tag. */
export function note(pop, answers, supposed) {
  const is = standing(pop);
  const moves = pop.effective.left > 0 || pop.ramp_left > 0;
  const parts = [pop.name, STANDING[is], `health ${pop.health}`, `weight ${pop.effective.weight}`];
  if (pop.utilisation !== null) parts.push(`load ${percent(pop.utilisation)}`);
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
  return { words: parts.join(", "), tag, rank, moves };
}

function setting(given) {
  return `${given.state}, weight ${given.weight}`;
}

function override(given) {
  if (!given) return null;
  const until = given.until ? `, until ${given.until}` : "";
  return `${given.action} by ${given.author}: ${given.reason} (set ${given.set}${until})`;
}

function target(of) {
  const words = [
    `${of.probe} ${of.service} ${of.address ?? ""}: ${of.verdict} for ${age(of.lasted_secs)}`,
    `${of.good_streak} good, ${of.bad_streak} bad in a row`,
  ];
  if (of.checks_to_flip !== null) words.push(`${of.checks_to_flip} more to change`);
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
  const load =
    of.load === null ? "no reading" : `${of.load} of ${of.capacity} (${percent(of.load / of.capacity)})`;
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

function part(head, items) {
  return items.length > 0 ? [el("h3", {}, head), el("ul", {}, ...items)] : [];
}

/** Limit of answers by country, and the command that has the shares of clients. */
export function elsewhere(down) {
  const command = `meridian pop drain ${down.join(" ")} --dry-run`;
  return `Each country stands for its largest city. Clients elsewhere may move too: ${command} has the shares.`;
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

/** What follows the facts of a PoP. `heirs` are pairs of an answer and the countries that get it. */
export function popPanel(pop, policy, heirs) {
  const coming = pop.coming.map((next) => el("li", {}, `${next.at}: ${setting(next)}`));
  const heirLines =
    heirs === null
      ? [el("li", {}, "asking")]
      : heirs.map(([answer, countries]) =>
          el(
            "li",
            {},
            `${answer}: ${countries.length} ${countries.length === 1 ? "country" : "countries"} (${countries.join(" ")})`,
          ),
        );
  const taken = policy
    ? [
        ...part(
          `If it is down (policy ${policy})`,
          heirLines.length > 0 ? heirLines : [el("li", {}, "no country's largest city gets another answer")],
        ),
        el("p", {}, elsewhere([pop.name])),
      ]
    : [];
  return [
    ...part(
      "Broken safety rules",
      pop.breaks.map((words) => el("li", { class: "bad" }, words)),
    ),
    ...part("To come", coming),
    ...taken,
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

/** Answers that take the share of a PoP, with their countries, the most first. */
export function heirs(pop, before, after) {
  const then = new Map(after.map((of) => [of.country, of.answers]));
  const all = new Map();
  for (const of of before) {
    if (!of.answers.some((answer) => answer.pop === pop)) continue;
    for (const next of then.get(of.country) ?? []) {
      const was = of.answers.find((answer) => answer.answer === next.answer);
      if (next.share <= (was?.share ?? 0)) continue;
      all.set(next.answer, [...(all.get(next.answer) ?? []), of.country]);
    }
  }
  return [...all].sort((a, b) => b[1].length - a[1].length);
}

export function steps(lines) {
  return lines.map(([head, words]) => el("li", {}, el("b", {}, head), " ", el("span", {}, words)));
}

export function eventRow(event) {
  return el(
    "li",
    {},
    el("time", { datetime: event.time }, event.time.replace("T", " ").replace("Z", "")),
    el("b", {}, event.kind),
    event.text,
  );
}

export function styleKey(style) {
  return style === undefined ? "" : key(style);
}
