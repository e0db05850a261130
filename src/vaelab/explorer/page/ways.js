// A way between two places of latent space: its images, how far each channel changes, where no data lie, and files of it.

import * as state from "./state.js";
import { latestOnly } from "./api.js";
import { paint } from "./composite.js";
import { el, number, say } from "./dom.js";
import { hex } from "./palette.js";
import { bitsOf } from "./selection.js";
import { png, save } from "./saving.js";
import { inPython } from "./way_python.js";

const STEPS = 9;
const NS = "http://www.w3.org/2000/svg";
const KINDS = [["straight", "straight line"], ["geodesic", "geodesic"]];

export class Ways {
  constructor({ run, channels, map, pinned, decoded, chosen }) {
    Object.assign(this, { run, channels, map, pinned, decoded, chosen, ends: [null, null], kind: "straight", codes: null });
    this.selects = [0, 1].map((i) => el("select", { "aria-label": i ? "to" : "Way from", onchange: (event) => this.choose(i, event.target.value) }));
    this.kinds = el("select", { "aria-label": "Kind of way", title: "A geodesic is as short as can be by what happens to the image", onchange: (event) => this.take(event.target.value, this.ends) }, KINDS.map(([value, words]) => el("option", { value }, words)));
    this.stop = el("button", { class: "quiet", onclick: () => state.set({ [this.run.own("way")]: null }) }, "clear");
    this.shown = el("div", { class: "way" });
    this.list = el("ul", { class: "kinds kept" });
    this.kept = [];
    run.hosts.ways.replaceChildren(el("header", {}, el("h2", { id: run.own("ways-title") }, "Way"), el("span", { class: "line" }, this.kinds, this.stop)),
      el("div", { class: "line way-ends" }, this.selects[0], el("span", { class: "fine" }, "to"), this.selects[1]), this.shown, this.list);
    this.line = map.host.appendChild(document.createElementNS(NS, "svg"));
    this.line.setAttribute("class", "outline way-line");
    this.line.setAttribute("aria-hidden", "true");
    map.camera.addEventListener("change", () => this.draw());
    run.addEventListener("points", () => this.draw());
    channels.addEventListener("change", () => this.paintStrip());
    run.addEventListener("selection", () => this.renderEnds());
    pinned.addEventListener("change", () => this.renderEnds());
    chosen.addEventListener("columns", () => this.renderEnds());
    this.find = latestOnly(() => this.compute());
    run.addEventListener("conditions", () => this.codes && this.find());
    state.on(run.own("way"), () => this.fromState());
    this.renderEnds();
  }

  async open() {
    this.fromState();
    this.renderKept(await this.run.api.ways());
  }

  renderKept(ways) {
    this.kept = ways;
    this.list.replaceChildren(...ways.map(({ name, kind, ends, words }) => el("li", {}, el("button", { class: "kind", title: `${words[0]} to ${words[1]}`, onclick: () => this.take(kind, ends.map((z, i) => ({ z: Float32Array.from(z), words: words[i] }))) }, el("span", { class: "name" }, name), el("span", { class: "tally" }, kind)))));
  }

  async keep(event) {
    event.preventDefault();
    const name = event.target.querySelector("input").value.trim();
    const wrong = this.shown.querySelector(".wrong");
    try {
      this.renderKept(await this.run.api.keepWay(name, this.kind, this.both(), this.ends.map((end) => end.words)));
      event.target.reset();
      wrong.textContent = "";
      say(`Kept as ${name}`);
    } catch (error) {
      wrong.textContent = error.message;
    }
  }

  /** Both ends, one after the other. */
  both() {
    const { latentDim } = this.run;
    const both = new Float32Array(2 * latentDim);
    this.ends.forEach((end, i) => both.set(end.z, i * latentDim));
    return both;
  }

  /** What an end may be: words, and how its code is found. */
  sources() {
    const { pinned, decoded, run, chosen } = this;
    const mean = async (mask) => (await run.api.centre(bitsOf(mask))).data;
    return [
      pinned.place !== null && ["pinned", "the pinned image", () => pinned.z, `image #${run.rows[pinned.place]}`],
      ["decoded", "the decoded place", () => decoded.z.slice(), "a place"],
      run.selected && ["selected", "mean of the selection", () => mean(run.selected), "mean of a selection"],
      ...chosen.kept.map(({ name }) => [`=${name}`, `mean of ${name}`, async () => mean(await run.api.selection(name)), `mean of ${name}`]),
    ].filter(Boolean);
  }

  renderEnds() {
    this.selects.forEach((select, i) => {
      const end = this.ends[i];
      select.replaceChildren(el("option", { value: "" }, end ? end.words : i ? "to: choose an end" : "from: choose a start"), ...this.sources().map(([value, words]) => el("option", { value }, words)));
      select.value = "";
    });
    this.stop.hidden = !this.ends.some(Boolean);
    this.kinds.value = this.kind;
  }

  async choose(i, value) {
    const source = this.sources().find(([key]) => key === value);
    if (!source) return;
    try {
      const ends = this.ends.slice();
      ends[i] = { z: Float32Array.from(await source[2]()), words: source[3] };
      this.take(this.kind, ends);
    } catch (error) {
      this.shown.replaceChildren(el("p", { class: "fine wrong" }, error.message));
    }
  }

  /** Takes a kind and ends, and where both ends are there, notes them in the address. */
  take(kind, ends) {
    Object.assign(this, { kind, ends });
    this.renderEnds();
    if (!ends.every(Boolean)) return;
    const words = ends.map((end) => encodeURIComponent(end.words));
    const text = [kind, ...ends.map((end) => state.packed(end.z)), ...words].join("~");
    if (state.get(this.run.own("way")) === text) this.find();
    else state.set({ [this.run.own("way")]: text });
  }

  fromState() {
    const [kind, first, second, ...words] = (state.get(this.run.own("way")) ?? "").split("~");
    const z = [first, second].map((text) => state.unpacked(text ?? "", this.run.latentDim));
    if (KINDS.some(([value]) => value === kind) && z.every(Boolean)) {
      Object.assign(this, { kind, ends: z.map((each, i) => ({ z: each, words: decodeURIComponent(words[i] ?? "a place") })) });
      this.find();
    } else {
      Object.assign(this, { ends: [null, null], codes: null });
      this.shown.replaceChildren();
      this.draw();
    }
    this.renderEnds();
  }

  async compute() {
    const { api, latentDim } = this.run;
    const { ends, kind } = this;
    const like = this.decoded.like;
    try {
      const codes = (await api.way(this.both(), { kind, steps: STEPS, like }, () => this.shown.replaceChildren(el("p", { class: "fine" }, "The curve is being searched for …")))).data;
      const images = await api.decode(codes, { like });
      const near = [];
      for (let k = 0; k < STEPS; k++) near.push(await api.near(codes.slice(k * latentDim, (k + 1) * latentDim), 1));
      if (ends !== this.ends || kind !== this.kind) return;
      Object.assign(this, { codes, images, near, like });
      this.render();
      this.draw();
      say(`${kind === "geodesic" ? "Geodesic" : "Straight line"} from ${ends[0].words} to ${ends[1].words}`);
    } catch (error) {
      this.shown.replaceChildren(el("p", { class: "fine wrong" }, error.message));
    }
  }

  code(k) {
    return this.codes.slice(k * this.run.latentDim, (k + 1) * this.run.latentDim);
  }

  render() {
    this.cells = Array.from({ length: STEPS }, (_, k) => {
      const isFar = this.near[k].share === 0;
      const words = `Step ${k + 1} of ${STEPS}${isFar ? ", where no data lie" : ""}: decode there`;
      return el("button", { class: `step${isFar ? " far" : ""}`, title: words, "aria-label": words, onclick: () => this.decoded.go(this.code(k)) }, el("canvas"));
    });
    const { moved, perChannel, direct } = this.changes();
    const { channels } = this.run.about;
    const far = this.near.filter(({ share }) => share === 0).length;
    const total = moved.reduce((a, b) => a + b, 0);
    const file = (words, title, does) => el("button", { class: "quiet", title, onclick: does }, words);
    this.shown.replaceChildren(
      el("div", { class: "strip-row" }, this.cells),
      changeChart(perChannel, channels),
      el("p", { class: "fine" }, channels.flatMap(({ name }, c) => [el("span", { class: "swatch", "data-channel": c }), `${name} ${number(perChannel[c].reduce((a, b) => a + b, 0), 2)}   `])),
      el("p", { class: "fine", title: "Root mean square over pixels of how far the image changes from step to step, 1 being from black to full" }, `The image moves ${number(total, 3)}, ${detour(total, direct)}. ${far ? `Of ${STEPS} steps ${far} lie where no data are.` : "All steps lie among data."}`),
      el("form", { class: "line keeping", onsubmit: (event) => this.keep(event) }, el("input", { type: "text", class: "filter", maxlength: "48", placeholder: "Name to keep", "aria-label": "Name under which the way is kept with the run", autocomplete: "off", spellcheck: "false" }), el("button", { class: "small" }, "Keep")),
      el("p", { class: "fine wrong", role: "alert" }),
      el("div", { class: "line files" }, el("span", { class: "fine" }, "Save"),
        file("strip", "PNG of the steps, in the channels' colours as set here", () => this.saveStrip()),
        file("film", "GIF, there and back", () => this.saveFilm())),
      el("details", {}, el("summary", { class: "fine" }, "In Python"), el("pre", { class: "code", tabindex: "0" }, inPython(this))));
    this.shown.querySelectorAll(".swatch").forEach((swatch) => { swatch.style.background = hex(channels[swatch.dataset.channel].colour); });
    this.paintStrip();
  }

  /** How far the image, and each channel of it, moves at each step, in shares of the range of stored values. */
  changes() {
    const { data, shape: [, channels, height, width] } = this.images;
    const size = height * width;
    const apart = (k, other, c) => {
      const { lo, hi } = this.run.about.channels[c];
      let sum = 0;
      for (let p = 0; p < size; p++) sum += (data[(k * channels + c) * size + p] - data[(other * channels + c) * size + p]) ** 2;
      return sum / size / ((hi - lo || 1) ** 2);
    };
    const squares = (k, other) => Array.from({ length: channels }, (_, c) => apart(k, other, c));
    const mean = (values) => Math.sqrt(values.reduce((a, b) => a + b, 0) / channels);
    const steps = Array.from({ length: STEPS - 1 }, (_, k) => squares(k, k + 1));
    return { moved: steps.map(mean), perChannel: Array.from({ length: channels }, (_, c) => steps.map((step) => Math.sqrt(step[c]))), direct: mean(squares(0, STEPS - 1)) };
  }

  paintStrip() {
    if (!this.codes) return;
    this.cells.forEach((cell, k) => paint(cell.firstChild, this.images, this.channels.settings, k));
  }

  /** The way on the map, where the map has codes. */
  draw() {
    const { camera } = this.map;
    this.line.replaceChildren();
    if (!this.codes || !this.run.plane()) return;
    const places = Array.from({ length: STEPS }, (_, k) => camera.toScreen(...this.run.placeOnMap(this.code(k))).map((v) => v.toFixed(1)));
    for (const name of ["ground", "stroke"]) {
      const path = this.line.appendChild(document.createElementNS(NS, "path"));
      path.setAttribute("class", name);
      path.setAttribute("d", `M${places.map((each) => each.join(" ")).join("L")}`);
    }
    for (const [x, y] of places) {
      const dot = this.line.appendChild(document.createElementNS(NS, "circle"));
      for (const [key, value] of [["cx", x], ["cy", y], ["r", 3]]) dot.setAttribute(key, value);
    }
  }

  async saveStrip() {
    const [, , height, width] = this.images.shape;
    const canvas = Object.assign(document.createElement("canvas"), { width: STEPS * (width + 2) - 2, height });
    this.cells.forEach((cell, k) => canvas.getContext("2d").drawImage(cell.firstChild, k * (width + 2), 0));
    save(await png(canvas), `${this.run.about.folder}-way.png`);
  }

  async saveFilm() {
    save(await this.run.api.film(this.codes, { like: this.like, channels: this.channels.toText() }), `${this.run.about.folder}-way.gif`);
  }
}

function detour(total, direct) {
  if (!(direct > 0)) return "and comes back";
  return total < 1.005 * direct ? "as straight as can be" : `${number(total / direct, 3)} times as far as its ends are apart`;
}

/** A bar for each channel at each step: how much changes there. */
function changeChart(perChannel, channels) {
  const most = Math.max(1e-12, ...perChannel.flat());
  const svg = document.createElementNS(NS, "svg");
  const steps = perChannel[0].length;
  svg.setAttribute("viewBox", `0 0 ${steps * 100} 60`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("class", "changes");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `How far each channel changes from step to step: ${channels.map(({ name }, c) => `${name} ${perChannel[c].map((v) => number(v, 2)).join(", ")}`).join("; ")}`);
  const wide = 64 / perChannel.length;
  perChannel.forEach((values, c) => values.forEach((value, k) => {
    const bar = svg.appendChild(document.createElementNS(NS, "rect"));
    const tall = (56 * value) / most;
    for (const [key, each] of [["x", k * 100 + 18 + c * wide], ["y", 60 - tall], ["width", wide * 0.86], ["height", tall], ["fill", hex(channels[c].colour)]]) bar.setAttribute(key, each);
  }));
  return svg;
}
