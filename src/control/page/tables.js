// Tables: PoPs, countries, policies; the PoPs of the chosen policy, and the policies of the chosen PoP.

import { $, Rows, breakable, count, el, percent, put, rate } from "./dom.js";
import { service, styleKey } from "./panels.js";
import { asked, counted, rateOfPolicy, rateOfPop, state } from "./state.js";
import { loadOf, why } from "./trouble.js";

const rows = {
  pops: new Rows($("rows")),
  policies: new Rows($("policy-rows")),
  countries: new Rows($("country-rows")),
  members: new Rows($("member-rows")),
  popPolicies: new Rows($("pop-policy-rows")),
};

const cell = (kind) => el("td", kind ? { class: kind } : {});
const head = (...children) => el("th", { scope: "row" }, ...children);
const choice = (name, choose) =>
  el("button", { type: "button", class: "plain", click: choose }, ...breakable(name));

/** Puts texts into the cells behind the first. */
const fill = (cells, texts) => texts.forEach((text, index) => put(cells[index + 1], text));

/** Seconds over which rates are taken, in words. */
const over = (readings) => {
  const secs = readings.secs();
  return secs === undefined ? "in a few seconds" : `over the last ${Math.round(secs)} s`;
};

/** Puts a share into a cell, with the answers that it is of: beside it if they are few. */
function putShare(cell, share) {
  const few = share?.isOfFew ? ` of ${count(share.of)}` : "";
  put(cell, percent(share?.share) + few);
  cell.title = share ? `of ${count(share.of)} answers in ${Math.round(share.secs)} s` : "";
}

/** Second line of a PoP: what is out of the ordinary. */
const whyRow = (name) => `${name} why`;

/** PoPs that the filter lets through; `open` opens one, `supposeDown` supposes one down or not. */
export function showPops(open, supposeDown) {
  const words = $("filter").value.trim().toLowerCase();
  const list = state.pops.filter((pop) =>
    [pop.name, pop.country ?? "", service(pop), pop.health, pop.effective.state]
      .concat(state.details.get(pop.name)?.tags ?? [])
      .join(" ")
      .toLowerCase()
      .includes(words),
  );
  put($("answers-over"), over(counted.answers));
  rows.pops.show(
    list.flatMap((pop) => {
      const reasons = why(pop);
      return [[pop.name, pop], ...(reasons.length > 0 ? [[whyRow(pop.name), { reasons }]] : [])];
    }),
    (name) => {
      if (name.endsWith(" why")) return [el("td", { class: "why", colspan: 9 })];
      const box = el("input", {
        type: "checkbox",
        "aria-label": `Suppose ${name} down`,
        change: (event) => supposeDown(name, event.target.checked),
      });
      const numbers = [cell("number"), cell("number"), cell("number"), cell("number")];
      const named = head(el("span"), choice(name, () => open(name)));
      return [named, cell(), cell(), cell(), ...numbers, el("td", {}, box)];
    },
    ({ node, cells }, pop) => {
      if (pop.reasons) {
        put(cells[0], pop.reasons.join("\n"));
        return;
      }
      const style = state.styles.get(pop.name);
      if (cells[0].dataset.style !== String(style)) {
        cells[0].dataset.style = style;
        cells[0].firstChild.replaceChildren(styleKey(style));
      }
      const detail = state.details.get(pop.name);
      const isWeightSet = Boolean(detail?.weight_override);
      const left = pop.effective.left > 0 ? ` (${pop.effective.left}/256 left)` : "";
      fill(cells, [
        service(pop),
        pop.health,
        pop.effective.state + left,
        isWeightSet ? `${pop.effective.weight} (file ${detail.file.weight})` : String(pop.effective.weight),
        percent(pop.utilisation),
        percent(pop.shed_share),
        rate(rateOfPop(pop.name)),
      ]);
      cells[1].classList.toggle("bad", pop.in_service === "no");
      cells[2].classList.toggle("bad", pop.health === "down");
      cells[4].classList.toggle("set", isWeightSet);
      const load = loadOf(pop);
      cells[5].classList.toggle("bad", load === "over");
      cells[5].classList.toggle("near", load === "near");
      const box = cells[8].firstChild;
      if (box.checked !== asked.down.has(pop.name)) box.checked = asked.down.has(pop.name);
      node.classList.toggle("chosen", pop.name === state.pop);
    },
  );
}

const ttl = (policy) => `${policy.ttl.min}–${policy.ttl.max} s`;

const standingOf = (policy) =>
  [policy.held ? "held by its panic guard" : "", policy.returning ? "a pool is on its way back" : ""]
    .filter(Boolean)
    .join(", ") || "–";

/** Policies; `choose` chooses one. */
export function showPolicies(choose) {
  rows.policies.show(
    state.policies.map((policy) => [policy.name, policy]),
    (name) => [head(choice(name, () => choose(name))), cell("number"), cell(), cell(), cell("ttl")],
    ({ node, cells }, policy) => {
      fill(cells, [rate(rateOfPolicy(policy.name)), standingOf(policy), policy.order, ttl(policy)]);
      node.classList.toggle("chosen", policy.name === state.policy);
    },
  );
  const policy = state.policies.find((one) => one.name === state.policy);
  if (policy)
    put(
      $("policy-facts"),
      `order ${policy.order}, TTL ${ttl(policy)}, ${rate(rateOfPolicy(policy.name))} answers/s`,
    );
}

/** PoPs of the chosen policy, those with the most answers first. */
export function showPolicy(open) {
  const { policyPage, expected } = state;
  put($("policy-head"), policyPage ? `Policy ${policyPage.name}` : "Policy");
  $("members").hidden = policyPage === null;
  if (policyPage === null) return;
  const answers = (of) => counted.policy.more(of.pop, 60000) ?? 0;
  const list = [...policyPage.members].sort(
    (a, b) => answers(b) - answers(a) || b.answered - a.answered || (a.pop < b.pop ? -1 : 1),
  );
  const all = counted.policy.rate("all");
  const words = [`order ${policyPage.order}`, `TTL ${ttl(policyPage)}`, `${rate(all)} answers/s`];
  put($("member-facts"), `${words.join(", ")}, ${list.length} ${list.length === 1 ? "PoP" : "PoPs"}`);
  put($("member-over"), over(counted.policy));
  rows.members.show(
    list.map((of) => [of.pop, of]),
    (name) => [head(choice(name, () => open(name))), cell("number"), cell("number"), cell("number")],
    ({ node, cells }, of) => {
      put(cells[1], rate(counted.policy.rate(of.pop)));
      putShare(cells[2], counted.policy.share(of.pop, "all"));
      put(cells[3], percent(expected.get(of.pop)));
      node.classList.toggle("chosen", of.pop === state.pop);
    },
  );
}

/** Policies of the chosen PoP, in the order that they had when it was chosen. */
export function showPopPolicies(choose) {
  $("pop-policies").hidden = state.popPolicies.length === 0;
  put($("pop-over"), over(counted.pop));
  const rank = ({ name }) => state.popRanks.get(name) ?? Infinity;
  const list = [...state.popPolicies].sort((a, b) => rank(a) - rank(b) || 0);
  rows.popPolicies.show(
    list.map((policy) => [policy.name, policy]),
    (name) => [head(choice(name, () => choose(name))), cell("number"), cell("number"), cell("number")],
    ({ node, cells }, { name }) => {
      put(cells[1], rate(counted.pop.rate(`part ${name}`)));
      putShare(cells[2], counted.pop.share(`part ${name}`, `all ${name}`));
      put(cells[3], percent(state.popExpected.get(name)));
      node.classList.toggle("chosen", name === state.policy);
    },
  );
}

export function showCountries() {
  if (!$("countries").querySelector("details").open) return;
  const words = (of) => of.answers.map((answer) => `${answer.answer} ${percent(answer.share)}`).join(", ");
  const then = new Map((state.supposedCountries ?? []).map((of) => [of.country, words(of)]));
  rows.countries.show(
    state.countries.map((of) => [of.country, of]),
    (code) => [head(code), cell(), cell("wrap"), cell("wrap")],
    ({ cells }, of) => {
      const [is, next] = [words(of), then.get(of.country)];
      fill(cells, [of.city, is, next === undefined ? "–" : next === is ? "the same" : next]);
    },
  );
}
