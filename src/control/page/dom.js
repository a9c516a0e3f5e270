// Elements and their texts: numbers in words, and tables whose rows keep their nodes. Every text is
// set as text, never as markup.

export const $ = (id) => document.getElementById(id);

export function el(name, attributes, ...children) {
  const node = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes ?? {})) {
    if (typeof value === "function") node.addEventListener(attribute, value);
    else if (value !== null && value !== undefined) node.setAttribute(attribute, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

export const percent = (share) =>
  share === null || share === undefined
    ? "–"
    : `${(share * 100).toFixed(share < 0.1 && share > 0 ? 1 : 0)} %`;

/** Share with one decimal, as the command has it in its tables. */
export const tenths = (share) =>
  share === null || share === undefined ? "–" : `${(share * 100).toFixed(1)} %`;

export const rate = (perSecond) =>
  perSecond === undefined
    ? "–"
    : perSecond >= 100
      ? Math.round(perSecond).toLocaleString("en")
      : perSecond.toFixed(1);

/** Number with no more decimals than its size needs. */
export const count = (number) =>
  number.toLocaleString("en", { maximumFractionDigits: Math.abs(number) >= 100 ? 0 : 2 });

/** Name that breaks behind its dots, dashes and slashes alone. */
export const breakable = (name) => name.split(/(?<=[./-])/).flatMap((part) => [part, el("wbr")]);

export function age(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  const [s, m, h] = [Math.floor(seconds), Math.floor(seconds / 60), Math.floor(seconds / 3600)];
  if (s < 60) return `${s} s`;
  if (m < 60) return `${m} min ${s % 60} s`;
  return h < 48 ? `${h} h ${m % 60} min` : `${Math.floor(h / 24)} d ${h % 24} h`;
}

/** Pairs of a term and its words, without those that have none. */
export function facts(pairs) {
  return pairs
    .filter(([, words]) => words !== null && words !== undefined && words !== "")
    .map(([term, words]) => [el("dt", {}, term), el("dd", {}, words)]);
}

/** Rows of a table that keep their nodes, so that focus stays. */
export class Rows {
  constructor(body) {
    this.body = body;
    this.rows = new Map();
  }

  /** Shows `list`, pairs of a key and a state; `make` makes the cells of a row, `fill` fills them. */
  show(list, make, fill) {
    const keys = new Set(list.map(([name]) => name));
    for (const [name, row] of this.rows) {
      if (!keys.has(name)) {
        row.node.remove();
        this.rows.delete(name);
      }
    }
    list.forEach(([name, state], index) => {
      let row = this.rows.get(name);
      if (!row) {
        const cells = make(name);
        row = { node: el("tr", {}, ...cells), cells };
        this.rows.set(name, row);
      }
      if (this.body.children[index] !== row.node)
        this.body.insertBefore(row.node, this.body.children[index] ?? null);
      fill(row, state);
    });
  }
}

export function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
