// Rates from the counters of two pages of metrics.

const SERIES = /^meridian_(\w+)\{(.*)\} (\S+)$/;
const LABELS = /(\w+)="((?:[^"\\]|\\.)*)"/g;
const COUNTERS = ["pop_answers_total", "queries_total"];

/** Counters and states of a page of metrics, read at `at` milliseconds. */
export function read(text, at) {
  const page = { at, counters: [], ramp: new Map(), flags: new Map() };
  page.start = Number(/^process_start_time_seconds (\S+)/m.exec(text)?.[1]);
  for (const line of text.split("\n")) {
    const [, name, labels, value] = SERIES.exec(line) ?? [];
    if (name === undefined) continue;
    const of = () => Object.fromEntries([...labels.matchAll(LABELS)].map(([, key, words]) => [key, words]));
    if (COUNTERS.includes(name))
      page.counters.push({ name, line: `${name} ${labels}`, of: of(), value: Number(value) });
    else if (name === "pop_ramp_left") page.ramp.set(of().pop, Number(value));
    else if (name === "policy_held" || name === "policy_returning")
      page.flags.set(`${name} ${of().policy}`, value === "1");
  }
  return page;
}

/** Rates a second between two pages; `all` is undefined without an earlier page of the same process. */
export function between(before, now) {
  const rates = { pop: new Map(), policy: new Map(), all: undefined, ramp: now.ramp, flags: now.flags };
  // Counters begin anew with a new process.
  if (before === null || !(Math.abs(before.start - now.start) < 1)) return rates;
  const seconds = (now.at - before.at) / 1000;
  const was = new Map(before.counters.map((counter) => [counter.line, counter.value]));
  rates.all = 0;
  for (const { name, line, of, value } of now.counters) {
    const perSecond = Math.max(0, value - (was.get(line) ?? 0)) / seconds;
    if (name === "queries_total") rates.all += perSecond;
    else {
      for (const [to, key] of [
        [rates.pop, of.pop],
        [rates.policy, of.policy],
      ])
        to.set(key, (to.get(key) ?? 0) + perSecond);
    }
  }
  return rates;
}
