// The map: countries, PoPs, the way of an explained client. It draws what it is given, and asks no
// server.

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 2000;
const HEIGHT = 872;
const COLOURS = 7;
const PATTERNS = 3;
const TAG_LETTER = 7.3;
const TAG_HEIGHT = 13;
/** PoPs above which the map is dense: marks without trouble are small, and grow with the zoom. */
const DENSE = 60;
/** Styles that differ. */
export const STYLES = COLOURS * PATTERNS;

export function svg(name, attributes, ...children) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes ?? {})) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

/** Point of the map, in the frame of outlines.txt, whose head has the formula. */
export function project(lat, lon) {
  const [f, l] = [(lat * Math.PI) / 180, (lon * Math.PI) / 180];
  const u = f * f;
  const v = u * u;
  const k = 1000 / (0.8707 * Math.PI);
  const x = l * (0.8707 - 0.131979 * u + v * (-0.013791 + v * u * (0.003971 - 0.001529 * u)));
  const y = f * (1.007226 + 0.015085 * u + v * u * (-0.044475 + 0.028874 * u - 0.005916 * v));
  return [1000 + k * x, 510 - k * y];
}

/** Service of a PoP as a class of its mark, worst last. */
export function standing(pop) {
  if (pop.effective.state === "drain") return "drained";
  if (pop.in_service === "yes") return "yes";
  if (pop.in_service === "no") return pop.health === "down" || pop.effective.state === "down" ? "bad" : "no";
  return pop.in_service === "unused" ? "unused" : "part";
}

const SHAPES = {
  yes: (r) => `M${-r} 0A${r} ${r} 0 1 0 ${r} 0A${r} ${r} 0 1 0 ${-r} 0Z`,
  part: (r) => `M0 ${-r * 1.3}L${r * 1.25} ${r * 0.95}H${-r * 1.25}Z`,
  drained: (r) => `M0 ${-r * 1.4}L${r * 1.4} 0L0 ${r * 1.4}L${-r * 1.4} 0Z`,
  no: (r) => `M${-r} ${-r}H${r}V${r}H${-r}ZM${-r} ${-r}L${r} ${r}M${r} ${-r}L${-r} ${r}`,
  unused: (r) => `M${-r} ${-r}H${r}V${r}H${-r}Z`,
};
SHAPES.bad = SHAPES.no;

const LEGEND = [
  ["yes", "in service"],
  ["part", "partly, or last resort"],
  ["drained", "drained"],
  ["no", "not in service"],
  ["unused", "in no policy"],
];

/** Marks with their meaning. */
export function legend() {
  const marks = LEGEND.map(([name, words]) => {
    const mark = svg("path", { class: "mark", d: SHAPES[name](5) });
    return [
      svg("svg", { viewBox: "-8 -8 16 16", "aria-hidden": "true" }, svg("g", { class: `pop ${name}` }, mark)),
      words,
    ];
  });
  const load = svg("path", { class: "load", d: arc(6.5, 0.6) });
  const ramp = svg("circle", { class: "ramp", r: 6.5 });
  for (const [node, words] of [
    [load, "load of the capacity, amber above its target"],
    [ramp, "clients leave or come back"],
  ]) {
    marks.push([
      svg("svg", { viewBox: "-8 -8 16 16", "aria-hidden": "true" }, svg("g", { class: "pop" }, node)),
      words,
    ]);
  }
  return marks;
}

function arc(r, share) {
  const angle = Math.min(share, 0.9999) * 2 * Math.PI;
  const [x, y] = [r * Math.sin(angle), -r * Math.cos(angle)];
  return `M0 ${-r}A${r} ${r} 0 ${angle > Math.PI ? 1 : 0} 1 ${x.toFixed(2)} ${y.toFixed(2)}`;
}

/** Style of each PoP, colour and pattern, so that near PoPs differ. */
export function styles(pops) {
  const given = [];
  const of = new Map();
  const placed = pops.filter((pop) => pop.lat !== null);
  for (const pop of placed) {
    let best = [-1, 0];
    for (let style = 0; style < STYLES; style++) {
      let near = Infinity;
      for (const other of given) {
        const far = apart(pop, other.pop);
        // The same colour in another pattern is told apart less easily than another colour.
        if (other.style === style) near = Math.min(near, far * 0.4);
        else if (other.style % COLOURS === style % COLOURS) near = Math.min(near, far * 1.5);
      }
      near = Math.min(near, 90 - Math.floor(style / COLOURS) * 10);
      if (near > best[0]) best = [near, style];
    }
    given.push({ pop, style: best[1] });
    of.set(pop.name, best[1]);
  }
  pops
    .filter((pop) => pop.lat === null)
    .forEach((pop, index) => of.set(pop.name, index % STYLES));
  return of;
}

function apart(a, b) {
  const lon = Math.abs(a.lon - b.lon);
  return Math.hypot(a.lat - b.lat, Math.min(lon, 360 - lon) * Math.cos((a.lat * Math.PI) / 180));
}

/** Fills an element with a style: a colour, or a pattern over it. */
export function paint(node, style, prefix = "p") {
  node.classList.remove(...[...node.classList].filter((name) => /^k\d$/.test(name)));
  const fill = style >= COLOURS ? `url(#${prefix}${style})` : "";
  if (node.style.fill !== fill) node.style.fill = fill;
  if (style < COLOURS) node.classList.add(`k${style}`);
}

/** Small field with the style of a PoP, for tables. */
export function key(style) {
  const field = svg("rect", { width: 18, height: 12 });
  paint(field, style, "q");
  return svg("svg", { class: "key", viewBox: "0 0 18 12", "aria-hidden": "true" }, field);
}

/** Patterns of the map, whose identifiers begin with `prefix`. */
function patterns(prefix) {
  const all = [];
  for (let style = COLOURS; style < STYLES; style++) {
    const colour = svg("rect", { width: 6, height: 6, class: `k${style % COLOURS}` });
    const over =
      style < 2 * COLOURS
        ? svg("path", { class: "hatch", d: "M-1 1L1 -1M0 6L6 0M5 7L7 5", "stroke-width": 1.6 })
        : svg("circle", { class: "spot", cx: 3, cy: 3, r: 1.4 });
    all.push(
      svg(
        "pattern",
        { id: `${prefix}${style}`, width: 6, height: 6, patternUnits: "userSpaceOnUse" },
        colour,
        over,
      ),
    );
  }
  return all;
}

export class WorldMap {
  /** A map in `holder`: `open` gets the name of a chosen PoP, `point` the country below the pointer. */
  constructor(holder, open, point) {
    this.holder = holder;
    this.open = open;
    this.view = { x: 0, y: 0, width: WIDTH };
    this.pops = [];
    this.marks = new Map();
    this.lands = new Map();
    this.cursor = null;
    this.defs = svg("defs", {}, ...patterns("p"));
    this.land = svg("g", { "aria-hidden": "true" });
    this.way = svg("g", { "aria-hidden": "true" });
    this.points = svg("g", { role: "group", "aria-label": "PoPs" });
    this.tags = svg("g", { "aria-hidden": "true" });
    // Those of the tables do not follow the scale of the map.
    const fixed = svg("defs", {}, ...patterns("q"));
    this.svg = svg(
      "svg",
      { role: "group", "aria-label": "World map of PoPs" },
      this.defs,
      fixed,
      this.land,
      this.way,
      this.points,
      this.tags,
    );
    holder.append(this.svg);
    new ResizeObserver(() => this.place()).observe(holder);
    this.land.addEventListener("pointerover", (event) => point(event.target.dataset.country));
    this.land.addEventListener("pointerleave", () => point(undefined));
    this.svg.addEventListener("keydown", (event) => this.press(event));
    this.drag();
  }

  /** Outlines, as outlines.txt has them: a code and a path in each line. */
  outlines(text) {
    const rows = text.split("\n").filter((row) => row && !row.startsWith("#"));
    for (const row of rows) {
      const code = row.slice(0, 2);
      this.addLand(
        code,
        svg("path", { class: "land", d: row.slice(3), "fill-rule": "evenodd", "data-country": code }),
      );
    }
    this.outlined = true;
  }

  addLand(code, land) {
    this.lands.set(code, land);
    this.land.append(land);
  }

  /** Points for countries that are too small for an outline. */
  small(countries) {
    for (const { country, lat, lon } of this.outlined ? countries : []) {
      if (this.lands.has(country)) continue;
      const [cx, cy] = project(lat, lon);
      this.addLand(country, svg("circle", { class: "land", cx, cy, r: 5, "data-country": country }));
    }
  }

  /** Colours countries: `of` has the style of each, `moved` those that move. */
  colour(of, moved) {
    for (const [code, land] of this.lands) {
      paint(land, of.get(code));
      land.classList.toggle("moved", moved.has(code));
    }
  }

  /** Draws PoPs; `notes` has the words of each for readers of the screen, and its rank among tags. */
  draw(pops, notes, chosen, supposed) {
    this.pops = pops.filter((pop) => pop.lat !== null);
    this.chosen = chosen;
    const names = new Set(this.pops.map((pop) => pop.name));
    for (const [name, mark] of this.marks) {
      if (!names.has(name)) {
        mark.node.remove();
        this.marks.delete(name);
      }
    }
    const most = Math.max(1, ...this.pops.map((pop) => pop.effective.weight));
    const base = (this.pops.length > DENSE ? 2.4 : 3.4) * (this.holder.clientWidth < 600 ? 0.6 : 1);
    if (!names.has(this.cursor)) this.cursor = this.pops[0]?.name ?? null;
    for (const pop of this.pops) {
      let mark = this.marks.get(pop.name);
      if (!mark) this.marks.set(pop.name, (mark = this.mark(pop.name)));
      const is = standing(pop);
      const note = notes.get(pop.name);
      mark.is = is;
      mark.full = base + 2.6 * Math.sqrt(pop.effective.weight / most);
      mark.share = pop.utilisation ?? 0;
      mark.moves = note.moves;
      const isInTrouble = is !== "yes" || note.load !== "" || pop.shed_share > 0 || note.moves;
      mark.isCalm = !isInTrouble && pop.name !== chosen && !supposed.has(pop.name);
      mark.rank = note.rank;
      mark.words = note.tag;
      mark.node.setAttribute(
        "class",
        `pop ${is}${pop.name === chosen ? " chosen" : ""}${supposed.has(pop.name) ? " supposed" : ""}`,
      );
      mark.node.setAttribute("aria-label", note.words);
      mark.node.setAttribute("aria-pressed", String(pop.name === chosen));
      mark.node.setAttribute("tabindex", pop.name === this.cursor ? "0" : "-1");
      mark.title.textContent = note.words;
      mark.load.setAttribute("class", `load ${note.load}`);
    }
    this.place();
  }

  /** Sizes of a mark at the present zoom. */
  size(mark) {
    const zoom = WIDTH / this.view.width;
    const part = this.pops.length > DENSE && mark.isCalm ? Math.min(1, Math.max(0.5, 0.5 * zoom)) : 1;
    mark.r = mark.full * part;
    mark.node.classList.toggle("small", part < 0.8);
    mark.shape.setAttribute("d", SHAPES[mark.is](mark.r));
    mark.ring.setAttribute("r", mark.r + 5);
    mark.hit.setAttribute("r", Math.max(mark.r + 3, 9 * part));
    mark.load.setAttribute("d", mark.share ? arc(mark.r + 2.6 * part, mark.share) : "");
    mark.ramp.setAttribute("r", mark.moves ? mark.r + 2.6 : 0);
  }

  mark(name) {
    const [title, hit, ring, shape] = [
      svg("title"),
      svg("circle", { class: "hit" }),
      svg("circle", { class: "ring" }),
      svg("path", { class: "mark" }),
    ];
    const [load, ramp] = [svg("path", { class: "load" }), svg("circle", { class: "ramp" })];
    const node = svg("g", { role: "button" }, title, hit, ring, ramp, load, shape);
    node.addEventListener("click", () => this.open(name));
    node.addEventListener("focus", () => this.move(name));
    this.points.append(node);
    return { node, title, hit, ring, shape, load, ramp };
  }

  move(name) {
    this.marks.get(this.cursor)?.node.setAttribute("tabindex", "-1");
    this.cursor = name;
    this.marks.get(name)?.node.setAttribute("tabindex", "0");
  }

  /** Lines from a client, `[lat, lon]`, to PoPs; the chosen one last and strong. */
  show(client, candidates, chosen) {
    this.drawn = client ? { client, candidates, chosen } : null;
    this.place();
  }

  /** Puts everything at its place in the view. */
  place() {
    const width = this.holder.clientWidth || WIDTH;
    const ratio = (this.holder.clientHeight || width / 2) / width;
    // The whole world is shown in the height of a narrow screen, not in its width.
    const most = Math.max(WIDTH, HEIGHT / ratio);
    this.view.width = Math.min(this.view.width, most);
    const height = this.view.width * ratio;
    const bound = (at, size, all) => (size >= all ? (all - size) / 2 : Math.min(Math.max(at, 0), all - size));
    this.view.x = bound(this.view.x, this.view.width, WIDTH);
    this.view.y = bound(this.view.y, height, HEIGHT);
    this.scale = width / this.view.width;
    this.holder.classList.toggle("zoomed", this.view.width < WIDTH);
    const at = (lat, lon) => {
      const [x, y] = project(lat, lon);
      return [(x - this.view.x) * this.scale, (y - this.view.y) * this.scale];
    };
    const { x, y } = this.view;
    this.land.setAttribute("transform", `scale(${this.scale}) translate(${-x} ${-y})`);
    for (const pattern of this.defs.children)
      pattern.setAttribute("patternTransform", `scale(${1 / this.scale})`);
    for (const pop of this.pops) {
      const mark = this.marks.get(pop.name);
      this.size(mark);
      mark.at = at(pop.lat, pop.lon);
      mark.node.setAttribute("transform", `translate(${mark.at[0].toFixed(1)} ${mark.at[1].toFixed(1)})`);
    }
    this.way.replaceChildren(...this.rays(at));
    this.tag(width, height * this.scale);
  }

  rays(at) {
    if (!this.drawn) return [];
    const { client, candidates, chosen } = this.drawn;
    const [x, y] = at(...client);
    const known = candidates.filter((name) => this.marks.has(name) && name !== chosen);
    const all = known.concat(this.marks.has(chosen) ? [chosen] : []);
    const lines = all.map((name) => {
      const [toX, toY] = this.marks.get(name).at;
      return svg("path", { class: name === chosen ? "ray chosen" : "ray", d: `M${x} ${y}L${toX} ${toY}` });
    });
    const star = [...Array(10).keys()].map((i) => {
      const [r, angle] = [i % 2 ? 3.5 : 8, (i * Math.PI) / 5];
      return `${(x + r * Math.sin(angle)).toFixed(1)} ${(y - r * Math.cos(angle)).toFixed(1)}`;
    });
    return [...lines, svg("path", { class: "client", d: `M${star.join("L")}Z` })];
  }

  /** Names beside the PoPs: in order of rank, each where none is yet; the others are hidden. */
  tag(width, height) {
    const taken = [];
    const marks = [...this.marks.values()].filter((mark) => mark.at).sort((a, b) => b.rank - a.rank);
    const dense = marks.length > DENSE;
    if (!dense)
      for (const {
        at: [x, y],
        r,
      } of marks)
        taken.push([x - r - 1, y - r - 1, x + r + 1, y + r + 1]);
    const nodes = [];
    for (const {
      at: [x, y],
      r,
      words,
    } of marks) {
      const size = words.length * TAG_LETTER + 4;
      const half = TAG_HEIGHT / 2;
      const places = [
        [x + r + 3, y - half],
        [x - r - 3 - size, y - half],
        [x - size / 2, y - r - 2 - TAG_HEIGHT],
        [x - size / 2, y + r + 2],
      ];
      const free = places.find(
        ([left, top]) =>
          left >= 0 &&
          top >= 0 &&
          left + size <= width &&
          top + TAG_HEIGHT <= height &&
          taken.every(
            ([l, t, right, below]) =>
              left >= right || left + size <= l || top >= below || top + TAG_HEIGHT <= t,
          ),
      );
      if (!free) continue;
      taken.push([free[0], free[1], free[0] + size, free[1] + TAG_HEIGHT]);
      const text = svg("text", { class: "tag", x: free[0].toFixed(1), y: (free[1] + 10).toFixed(1) });
      text.textContent = words;
      nodes.push(text);
    }
    this.tags.replaceChildren(...nodes);
  }

  /** Zooms by a factor about a point of the view, 0 to 1. */
  zoom(factor, aboutX = 0.5, aboutY = 0.5) {
    const ratio = this.holder.clientHeight / this.holder.clientWidth;
    const width = Math.min(Math.max(this.view.width / factor, WIDTH / 24), Math.max(WIDTH, HEIGHT / ratio));
    this.view.x += (this.view.width - width) * aboutX;
    this.view.y += (this.view.width - width) * ratio * aboutY;
    this.view.width = width;
    this.place();
  }

  /** Zooms by a factor, with the chosen PoP in the middle if there is one. */
  nearer(factor) {
    const at = this.marks.get(this.chosen)?.at;
    if (at) {
      this.view.x += (at[0] - this.holder.clientWidth / 2) / this.scale;
      this.view.y += (at[1] - this.holder.clientHeight / 2) / this.scale;
    }
    this.zoom(factor);
  }

  whole() {
    this.view = { x: 0, y: 0, width: Infinity };
    this.place();
  }

  /** Moves the view so that a PoP is within it. */
  reveal(name) {
    const mark = this.marks.get(name);
    if (!mark) return;
    const [width, height] = [this.holder.clientWidth, this.holder.clientHeight];
    const [x, y] = mark.at;
    if (x >= 0 && y >= 0 && x <= width && y <= height) return;
    this.view.x += (x - width / 2) / this.scale;
    this.view.y += (y - height / 2) / this.scale;
    this.place();
  }

  press(event) {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (step) this.step(...step);
    else if (event.key === "Enter" || event.key === " ") this.open(this.cursor);
    else if (event.key === "+" || event.key === "=") this.nearer(1.6);
    else if (event.key === "-") this.nearer(1 / 1.6);
    else if (event.key === "0") this.whole();
    else return;
    event.preventDefault();
  }

  /** Goes to the nearest PoP in a direction. */
  step(toX, toY) {
    const from = this.marks.get(this.cursor);
    if (!from) return;
    let best = [Infinity, null];
    for (const [
      name,
      {
        at: [x, y],
      },
    ] of this.marks) {
      const [along, across] = [
        (x - from.at[0]) * toX + (y - from.at[1]) * toY,
        (x - from.at[0]) * toY + (y - from.at[1]) * toX,
      ];
      const cost = along + 2 * Math.abs(across);
      if (name !== this.cursor && along > 0 && cost < best[0]) best = [cost, name];
    }
    if (best[1] === null) return;
    this.reveal(best[1]);
    this.marks.get(best[1]).node.focus({ preventScroll: true });
  }

  drag() {
    let from = null;
    this.svg.addEventListener("pointerdown", (event) => {
      if (!event.target.closest(".pop") && this.view.width < WIDTH) from = [event.clientX, event.clientY];
    });
    this.svg.addEventListener("pointermove", (event) => {
      if (!from) return;
      this.view.x -= (event.clientX - from[0]) / this.scale;
      this.view.y -= (event.clientY - from[1]) / this.scale;
      from = [event.clientX, event.clientY];
      this.place();
    });
    for (const end of ["pointerup", "pointerleave", "pointercancel"])
      this.svg.addEventListener(end, () => (from = null));
    this.svg.addEventListener(
      "wheel",
      (event) => {
        if (!event.ctrlKey && !event.metaKey) return;
        event.preventDefault();
        const box = this.svg.getBoundingClientRect();
        this.zoom(
          event.deltaY < 0 ? 1.25 : 0.8,
          (event.clientX - box.left) / box.width,
          (event.clientY - box.top) / box.height,
        );
      },
      { passive: false },
    );
  }
}
