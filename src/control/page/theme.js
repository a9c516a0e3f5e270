// Theme: that of the system, unless the user has chosen one.

import { $ } from "./dom.js";

function show(name) {
  if (name) document.documentElement.dataset.theme = name;
  else delete document.documentElement.dataset.theme;
  $("theme").value = name;
}

export function begin() {
  try {
    show(localStorage.getItem("theme") ?? "");
  } catch {
    /* A browser may keep nothing. */
  }
  $("theme").addEventListener("change", (event) => {
    show(event.target.value);
    try {
      localStorage.setItem("theme", event.target.value);
    } catch {
      /* A browser may keep nothing. */
    }
  });
}
