// Head of the page: the node, the age of what is shown, a lost connection, alarms.

import { $, age, el, facts, put, rate } from "./dom.js";
import { STALE_MS, counted, state } from "./state.js";

/** Shows whether the server answers; `streamState` is the state of the stream of events. */
export function showLink(streamState) {
  const old = Date.now() - (state.seen || state.begun);
  const { fault } = state;
  // A fault with a status is a refusal, which a server sends that is there.
  const isGone = old > STALE_MS || (fault !== null && !fault.status);
  const isLost = isGone || streamState === "lost";
  document.documentElement.classList.toggle("stale", isLost && !document.hidden);
  $("link").className = isLost ? "lost" : "live";
  put($("link"), isLost ? "Connection lost" : state.seen ? "Live" : "Loading");
  $("lost").hidden = !isLost && fault === null;
  // Text of an alert is read aloud when it changes: the age is in steps.
  const shownAge = old < 60000 ? Math.floor(old / 5000) * 5 : Math.floor(old / 60000) * 60;
  const lines = {
    refused: `The server refused a request: ${fault?.message}. This is ${age(shownAge)} old.`,
    gone: `No answer from the server: this is ${age(shownAge)} old (${fault?.message ?? "no reply"}).`,
    read: "The stream of events is lost; the state is still read.",
    lost: "The stream of events is lost.",
  };
  const which = fault?.status ? "refused" : isGone ? "gone" : state.seen > state.lostAt ? "read" : "lost";
  if (!$("lost").hidden) put($("lost"), `${lines[which]} The page tries again.`);
}

export function showNode() {
  const { status } = state;
  document.title = `${status.node} – Meridian`;
  put($("node"), status.node);
  const queries = rate(counted.queries.rate("all"));
  const pairs = facts([
    ["Phase", status.phase],
    ["Queries", queries === "–" ? queries : `${queries}/s`],
    ["Snapshot", String(status.sequence)],
    ["Digest", status.digest.slice(0, 8)],
    ["Files", status.files_digest.slice(0, 8)],
    ["Up", age(status.uptime_secs)],
    ["Data", oldness()],
  ]);
  $("facts").replaceChildren(
    ...pairs.map(([term, words], index) => {
      const full = { 3: status.digest, 4: status.files_digest }[index];
      return el("div", full ? { title: full } : {}, term, words);
    }),
  );
  const words = [...state.ready.reasons, ...state.ready.notes];
  $("alarms").hidden = words.length === 0;
  const list = $("alarms").querySelector("ul");
  if ([...list.children].map((line) => line.textContent).join("\n") !== words.join("\n")) {
    list.replaceChildren(...words.map((text) => el("li", {}, text)));
  }
}

const oldness = () => `${Math.floor((Date.now() - (state.seen || state.begun)) / 1000)} s old`;

/** Shows the age of the last answer alone. */
export function showAge() {
  const field = $("facts").lastElementChild?.querySelector("dd");
  if (field) put(field, oldness());
}
