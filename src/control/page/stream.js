// The stream of events: it goes on behind the last event that it has.

const SILENT_MS = 25000;
const AGAIN_MS = 3000;

export class Stream {
  /** A stream that gives each event to `take`, and calls `changed` when its state changes. */
  constructor(take, changed) {
    this.take = take;
    this.changed = changed;
    this.state = "off";
    this.id = null;
    this.open = null;
    this.again = 0;
  }

  /** Closes the stream. */
  stop() {
    clearTimeout(this.again);
    this.open?.abort();
    this.open = null;
    this.become("off");
  }

  /** Reads events until the stream breaks, and then tries again. */
  async start() {
    if (this.open) return;
    const own = (this.open = new AbortController());
    let silence = 0;
    const alive = () => {
      clearTimeout(silence);
      silence = setTimeout(() => own.abort(), SILENT_MS);
    };
    alive();
    try {
      await this.read(own.signal, alive);
    } catch {
      // The page says that the stream is lost.
    }
    clearTimeout(silence);
    if (this.open !== own) return;
    this.open = null;
    this.become("lost");
    this.again = setTimeout(() => this.start(), AGAIN_MS);
  }

  async read(signal, alive) {
    // No run has the identifier 0-0, so the stream begins with the oldest event that the node has.
    const headers = { "Last-Event-ID": this.id ?? "0-0" };
    const response = await fetch("v1/events", { headers, signal, cache: "no-store" });
    if (!response.ok) throw new Error(`status ${response.status}`);
    this.become("live");
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let rest = ""; ;) {
      const { done, value } = await reader.read();
      if (done) return;
      alive();
      const frames = (rest + value).split("\n\n");
      rest = frames.pop();
      frames.forEach((frame) => this.frame(frame));
    }
  }

  frame(text) {
    const lines = text.split("\n").map((line) => line.split(/: ?(.*)/s));
    const { id, event, data } = Object.fromEntries(lines);
    const isFirst = this.id === null;
    if (id) this.id = id;
    if (!data || (isFirst && event === "lost")) return;
    this.take(JSON.parse(data));
  }

  become(state) {
    if (this.state === state) return;
    this.state = state;
    this.changed();
  }
}
