// State of the page: the last answers of the server, and the choices that they belong to.

import { Readings } from "./rates.js";

export const STALE_MS = 16000;

export const state = {
  status: null,
  ready: null,
  pops: [],
  /** PoPs as `/v1/pops` has them, by name. */
  details: new Map(),
  policies: [],
  countries: [],
  supposedCountries: null,
  forecast: null,
  policy: null,
  policyPage: null,
  /** Part of the address space of each PoP under the chosen policy. */
  expected: new Map(),
  pop: null,
  popPage: null,
  popPolicies: [],
  /** Place of each policy in the table: those with the most answers of the PoP first. */
  popRanks: new Map(),
  /** Part of the address space of the chosen PoP under each policy. */
  popExpected: new Map(),
  heirs: null,
  /** Forecast of the chosen PoP down, and the name that it is of. */
  popForecast: null,
  down: new Set(),
  styles: new Map(),
  explained: null,
  seen: 0,
  begun: Date.now(),
  lostAt: 0,
  fault: null,
};

/** Choices of the user; `state` has them once the server has answered. */
export const asked = { policy: null, pop: null, down: new Set() };

/** Counters: queries; answers by policy and by PoP; those of the chosen policy and of the chosen PoP. */
export const counted = {
  queries: new Readings(),
  answers: new Readings(),
  policy: new Readings(),
  pop: new Readings(),
};

/** Answers a second of a PoP and of a policy. */
export const rateOfPop = (name) => counted.answers.rate(`pop ${name}`);
export const rateOfPolicy = (name) => counted.answers.rate(`policy ${name}`);
