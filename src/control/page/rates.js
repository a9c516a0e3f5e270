// Rates from counters that are read again and again.

/** Time over which a rate is taken. */
const SPAN_MS = 10000;

/** Readings of counters by name, as old as a rate needs. */
export class Readings {
  constructor() {
    this.clear();
  }

  clear() {
    this.list = [];
  }

  /** Adds a reading: pairs of a name and a count. A count without a value is left out. */
  add(pairs, at = performance.now()) {
    const counts = new Map([...pairs].filter(([, count]) => count !== null && count !== undefined));
    const last = this.list.at(-1)?.counts ?? new Map();
    // Counters begin anew with a new process.
    if ([...counts].some(([name, count]) => count < (last.get(name) ?? 0))) this.clear();
    this.list.push({ at, counts });
    while (this.list.length > 2 && this.list[1].at <= at - SPAN_MS) this.list.shift();
  }

  /** Rate a second; undefined before the second reading, and for a counter without a value. */
  rate(name) {
    const [first, last] = [this.list[0], this.list.at(-1)];
    if (this.list.length < 2 || !last.counts.has(name)) return undefined;
    const more = last.counts.get(name) - (first.counts.get(name) ?? 0);
    return more / ((last.at - first.at) / 1000);
  }
}

/** Part of a rate in a whole; undefined where the whole is 0 or not known. */
export const shareOf = (part, whole) => (whole > 0 && part !== undefined ? part / whole : undefined);
