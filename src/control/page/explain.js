// The form that asks why a client gets its answer.

import { get } from "./ask.js";
import { $, put } from "./dom.js";
import { steps } from "./panels.js";
import { asked, state } from "./state.js";

/** True while the words below the form are those of a fault of the connection, and end with it. */
let isFault = false;

function refuse(words, isOfConnection = false) {
  isFault = isOfConnection;
  put($("refusal"), words);
}

/** Labels of the form, by the key of the request. */
const LABELS = { name: "Name", type: "Type", client: "Resolver address", ecs: "Client subnet" };

/** Words of a refusal, with the labels of the form in place of keys; values, behind `not`, stay. */
const labelled = (words) =>
  words.replace(/(?<!not )`(name|type|client|ecs)`/g, (_, key) => `“${LABELS[key]}”`);

/** Ends the words of a fault, once the server has answered. */
export function forgive() {
  if (isFault) refuse("");
}

/** Begins: `map` draws the way of a client, `shown` is called after each answer. */
export function begin(map, shown) {
  $("ask").addEventListener("submit", async (event) => {
    event.preventDefault();
    const query = new URLSearchParams();
    for (const field of ["name", "type", "client", "ecs"]) {
      const value = $(field).value.trim();
      if (value) query.set(field, value);
    }
    if (asked.down.size > 0) query.set("down", [...asked.down].join(","));
    refuse("");
    try {
      const explained = await get(`v1/explain?${query}`);
      $("steps").replaceChildren(...steps(explained.lines));
      $("answer").hidden = explained.answer === null;
      put($("answer"), explained.answer ?? "");
      state.explained = explained.decision;
      const { lat, lon, candidates, chosen } = explained.decision ?? { lat: null };
      map.show(lat === null ? null : [lat, lon], candidates, chosen);
      shown();
    } catch (error) {
      $("steps").replaceChildren();
      $("answer").hidden = true;
      state.explained = null;
      map.show(null);
      refuse(labelled(error.message), !error.status);
    }
  });
}
