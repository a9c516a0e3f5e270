// Tables: PoPs, countries, policies; the PoPs of the chosen policy, and the policies of the chosen PoP.

import { $, Rows, el, percent, put, rate } from "./dom.js";
import { service, styleKey } from "./panels.js";
import { shareOf } from "./rates.js";
import { asked, counted, rateOfPolicy, rateOfPop, state } from "./state.js";

const rows = {
  pops: new Rows($("rows")),
  policies: new Rows($("policy-rows")),
  countries: new Rows($("country-rows")),
  members: new Rows($("member-rows")),
  popPolicies: new Rows($("pop-policy-rows")),
};

const cell = (kind) => el("td", kind ? { class: kind } : {});
const head = (...children) => el("th", { scope: "row" }, ...children);
const choice = (name, choose) => el("button", { type: "button", class: "plain", click: choose }, name);

/** Puts texts into the cells behind the first. */
const fill = (cells, texts) => texts.forEach((text, index) => put(cells[index + 1], text));

/** PoPs that the filter lets through; `open` opens one, `supposeDown` supposes one down or not. */
export function showPops(open, supposeDown) {
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
      const numbers = [cell("number"), cell("number"), cell("number"), cell("number")];
      const named = head(el("span"), choice(name, () => open(name)));
      return [named, cell(), cell(), cell(), ...numbers, el("td", {}, box)];
    },
    ({ node, cells }, pop) => {
      const style = state.styles.get(pop.name);
      if (cells[0].dataset.style !== String(style)) {
        cells[0].dataset.style = style;
        cells[0].firstChild.replaceChildren(styleKey(style));
      }
      const left = pop.effective.left > 0 ? ` (${pop.effective.left}/256 left)` : "";
      fill(cells, [
        service(pop),
        pop.health,
        pop.effective.state + left,
        String(pop.effective.weight),
        percent(pop.utilisation),
        percent(pop.shed_share),
        rate(rateOfPop(pop.name)),
      ]);
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

/** PoPs of the chosen policy, those with the largest expected share first. */
export function showPolicy(open) {
  const { policyPage, expected } = state;
  put($("policy-head"), policyPage ? `Policy ${policyPage.name}` : "Policy");
  $("members").hidden = policyPage === null;
  if (policyPage === null) return;
  const share = (of) => expected.get(of.pop) ?? 0;
  const list = [...policyPage.members].sort((a, b) => share(b) - share(a) || (a.pop < b.pop ? -1 : 1));
  const all = counted.policy.rate("all");
  const words = [`order ${policyPage.order}`, `TTL ${ttl(policyPage)}`, `${rate(all)} answers/s`];
  put($("member-facts"), `${words.join(", ")}, ${list.length} ${list.length === 1 ? "PoP" : "PoPs"}`);
  rows.members.show(
    list.map((of) => [of.pop, of]),
    (name) => [head(choice(name, () => open(name))), cell("number"), cell("number"), cell("number")],
    ({ node, cells }, of) => {
      const perSecond = counted.policy.rate(of.pop);
      fill(cells, [rate(perSecond), percent(shareOf(perSecond, all)), percent(expected.get(of.pop))]);
      node.classList.toggle("chosen", of.pop === state.pop);
    },
  );
}

/** Policies of the chosen PoP, in the order that they had when it was chosen. */
export function showPopPolicies(choose) {
  $("pop-policies").hidden = state.popPolicies.length === 0;
  const rank = ({ name }) => state.popRanks.get(name) ?? Infinity;
  const list = [...state.popPolicies].sort((a, b) => rank(a) - rank(b) || 0);
  rows.popPolicies.show(
    list.map((policy) => [policy.name, policy]),
    (name) => [head(choice(name, () => choose(name))), cell("number"), cell("number"), cell("number")],
    ({ node, cells }, { name }) => {
      const [perSecond, all] = [counted.pop.rate(`part ${name}`), counted.pop.rate(`all ${name}`)];
      fill(cells, [
        rate(perSecond),
        percent(shareOf(perSecond, all)),
        percent(state.popExpected.get(name)),
      ]);
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
