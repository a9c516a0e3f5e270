// Questions to the server.

import { heirs } from "./panels.js";

const TRIES = 5;

/** Body of a reply; a refusal is an error with the status. */
export async function get(path, signal) {
  const response = await fetch(path, { signal: signal ?? AbortSignal.timeout(10000), cache: "no-store" });
  const kind = response.headers.get("content-type") ?? "";
  const body = kind.startsWith("application/json") ? await response.json() : await response.text();
  if (!response.ok && response.status !== 503)
    throw Object.assign(new Error(body.message ?? `status ${response.status}`), { status: response.status });
  if (response.status === 503 && body.code) throw Object.assign(new Error(body.message), { status: 503 });
  return body;
}

/** The same, of a page that the server makes for few at once. It is asked again while it is busy. */
async function patient(path, query = {}) {
  for (let tries = 1; ; tries++) {
    try {
      return await get(`${path}?${new URLSearchParams(query)}`);
    } catch (error) {
      if (error.status !== 503 || tries === TRIES) throw error;
    }
    await new Promise((done) => setTimeout(done, 200 * tries));
  }
}

/** Map of a policy under a supposition. */
const mapOf = (policy, down) =>
  patient("v1/map", { policy, ...(down.length > 0 ? { down: down.join(",") } : {}) });

/** Clients and load that a supposition moves, over all policies; `null` without one. */
export const forecastOf = async (down) =>
  down.size === 0 ? null : await patient("v1/forecast", { down: [...down].join(",") });

/** Answers that take the countries of a PoP; `null` without a policy. */
export async function heirsOf(name, policy, countries) {
  if (!policy) return null;
  return heirs(name, countries, (await mapOf(policy, [name])).countries);
}

/** Countries of a policy, now and under a supposition, and the forecast of the supposition. */
export async function countriesOf(policy, down) {
  const forecast = await forecastOf(down);
  if (!policy) return { countries: [], supposedCountries: null, forecast };
  if (down.size === 0)
    return { countries: (await mapOf(policy, [])).countries, supposedCountries: null, forecast };
  // Both of one snapshot, so that only the supposition makes them differ.
  for (let tries = 1; ; tries++) {
    const now = await mapOf(policy, []);
    const then = await mapOf(policy, [...down]);
    if (now.sequence === then.sequence || tries === 3)
      return { countries: now.countries, supposedCountries: then.countries, forecast };
  }
}

const expectedOf = (isWanted) => (isWanted ? { expected: "true" } : {});

/** Policies without their PoPs, and the answers of every PoP. */
export const briefPolicies = () => get("v1/policies?brief=true");

/** One policy with its PoPs; `null` without one. */
export async function policyOf(name, isExpected) {
  if (!name) return null;
  return await patient(`v1/policies/${encodeURIComponent(name)}`, expectedOf(isExpected));
}

/** Policies that can answer with a PoP, each with that PoP alone. */
export async function policiesOf(pop, isExpected) {
  return (await patient("v1/policies", { pop, ...expectedOf(isExpected) })).policies;
}
