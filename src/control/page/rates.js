// Rates and shares from counters that are read again and again.

/** Time over which a rate is taken, and a share of many answers. */
const SPAN_MS = 10000;
/** Time over which a share of few answers is taken. */
const LONG_MS = 60000;
/** Shortest time that makes a rate: what happens between two near readings is chance. */
const LEAST_MS = 4000;
/** Answers from which on ten seconds are enough for a share. */
const MANY = 100;

/** Readings of counters by name, as old as a share needs. */
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
    const last = (name) => this.list.findLast((one) => one.counts.has(name))?.counts.get(name) ?? 0;
    // Counters begin anew with a new process.
    if ([...counts].some(([name, count]) => count < last(name))) this.clear();
    this.list.push({ at, counts });
    while (this.list.length > 2 && this.list[1].at <= at - LONG_MS) this.list.shift();
  }

  /**
   * The reading whose age is nearest to a span, and the last, of those that have all names; undefined
   * if they are too near. A name that comes back has the count of before, which is no increase.
   */
  ends(span, names) {
    const list = this.list.filter(({ counts }) => names.every((name) => counts.has(name)));
    const last = list.at(-1);
    if (last === undefined || last !== this.list.at(-1)) return undefined;
    const off = ({ at }) => Math.abs(last.at - at - span);
    const first = list.reduce((best, one) => (off(one) < off(best) ? one : best));
    return last.at - first.at < LEAST_MS ? undefined : { first, last };
  }

  /** Increase of a counter over a span; undefined where it is not known. */
  more(name, span, names = [name]) {
    const ends = this.ends(span, names);
    return ends && ends.last.counts.get(name) - ends.first.counts.get(name);
  }

  /** Seconds over which rates are taken; undefined before there are any. */
  secs(span = SPAN_MS, names = []) {
    const ends = this.ends(span, names);
    return ends && (ends.last.at - ends.first.at) / 1000;
  }

  /** Rate a second; undefined until the readings are far enough apart, or without a value. */
  rate(name) {
    const more = this.more(name, SPAN_MS);
    return more === undefined ? undefined : more / this.secs(SPAN_MS, [name]);
  }

  /** Share of a counter in another: `share`, `of` (answers that it is a share of), `secs`, `isOfFew`. */
  share(part, whole) {
    const span = this.more(whole, SPAN_MS) >= MANY ? SPAN_MS : LONG_MS;
    const names = [part, whole];
    const [is, of] = names.map((name) => this.more(name, span, names));
    if (is === undefined || !(of > 0)) return undefined;
    return { share: is / of, of, secs: this.secs(span, names), isOfFew: of < MANY };
  }
}
