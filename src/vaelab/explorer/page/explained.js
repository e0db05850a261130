// What `vaelab explain` found for the pinned image: its series, which pixels matter, what is dragged along; or which
// images were explained, or how to have some explained.

import * as state from "./state.js";
import { latestOnly } from "./api.js";
import { el, number } from "./dom.js";
import { Picture } from "./pictures.js";
import { overlay } from "./overlay.js";

const MOST_SHOWN = 24;
const words = (name) => name.replaceAll("_", " ");

export class Explained {
  constructor({ run, channels, thumbnails, pinned }) {
    Object.assign(this, { run, channels, thumbnails, pinned, known: [], maps: [] });
    this.choice = el("select", { "aria-label": "What was explained", onchange: (event) => state.set({ [this.run.own("explained")]: event.target.value }) });
    this.body = el("div", { class: "explained" });
    run.hosts.explained.replaceChildren(el("header", {}, el("h2", { id: run.own("explained-title") }, "Explained"), this.choice), this.body);
    this.show = latestOnly(() => this.compute());
    pinned.addEventListener("change", () => this.show());
    channels.addEventListener("change", () => { for (const draw of this.maps) draw(); });
    state.on(run.own("explained"), () => this.show());
  }

  async open() {
    this.known = await this.run.api.explanations();
    this.choice.replaceChildren(...this.known.map(({ name, what }) => el("option", { value: name }, what ?? name)));
    this.choice.hidden = this.known.length < 2;
    await this.show();
  }

  async compute() {
    const { place } = this.pinned;
    const found = this.known.find(({ name }) => name === state.get(this.run.own("explained"))) ?? this.known[0];
    this.maps = [];
    if (!found) return this.body.replaceChildren(...this.advice());
    this.choice.value = found.name;
    if (found.refused) return this.body.replaceChildren(el("p", { class: "fine wrong" }, found.refused));
    const isThere = place !== null && found.images.some(({ at }) => at === place);
    try {
      const parts = isThere ? await this.image(found, place) : this.others(found);
      if (place !== this.pinned.place) return;
      this.body.replaceChildren(...this.head(found), ...parts, ...dragged(found.confounders), ...this.advice());
      for (const draw of this.maps) draw();
    } catch (error) {
      this.body.replaceChildren(el("p", { class: "fine wrong" }, error.message));
    }
  }

  /** The commands that make what is not there. */
  advice() {
    const { about } = this.run;
    if (!about.own) return [el("p", { class: "fine" }, "Only the run's own images are explained.")];
    const command = (what) => el("code", {}, `vaelab explain ${about.path} ${what}`);
    const column = /^[\w-]+$/.test(about.label) ? about.label : "COLUMN";
    return [
      !this.known.length && el("p", { class: "fine" }, "What a classifier's decision looks like: ", command(`--label ${column} --to CLASS`)),
      !this.run.latents.some(({ meant }) => meant) && el("p", { class: "fine" }, "What each latent means: ", command("--latents")),
    ].filter(Boolean);
  }

  /** What has to stand above every explanation. */
  head({ what, warning, earlier }) {
    return [
      this.known.length < 2 && el("p", { class: "where" }, what),
      warning && el("p", { class: "warning", role: "note" }, warning),
      earlier && el("p", { class: "warning", role: "note" }, "The run was trained on since: this was explained with earlier weights."),
    ].filter(Boolean);
  }

  /** Which images were explained. */
  others({ images }) {
    const here = images.filter(({ at }) => at !== null);
    const away = images.length - here.length;
    const said = this.pinned.place === null ? `${images.length} images were explained` : `This image is none of the ${images.length} that were explained`;
    const rest = [away && `${away} of them ${away === 1 ? "is" : "are"} not shown here`, here.length > MOST_SHOWN && `these are the first ${MOST_SHOWN}`].filter(Boolean);
    return [
      el("p", { class: "fine" }, `${[said, ...rest].join("; ")}.`),
      el("div", { class: "neighbours" }, here.slice(0, MOST_SHOWN).map(({ at, row, known }) => this.thumbnails.button(at, [`#${row}`, known].filter(Boolean).join(", "), () => this.pinned.pin(at), known))),
    ];
  }

  /** The pinned image's series and saliency. */
  async image({ name, methods, saliencies }, place) {
    const { api, about } = this.run;
    const [said, series, maps, pixels] = await Promise.all([
      api.explained(name, place),
      Promise.all(methods.map((method) => api.series(name, method.name, place))),
      Promise.all(saliencies.map((kind) => api.saliency(name, kind, place))),
      about.images ? api.pixels(place) : null,
    ]);
    const asked = el("div", { class: "film asked", title: "What the classifier was wanted to say of each step" }, said.wanted.map((value) => el("span", {}, short(value))));
    return [
      el("p", { class: "fine" }, `The classifier says ${short(said.said)} of the image and ${short(said.said_of_reconstruction)} of its reconstruction. Wanted of the steps:`),
      asked,
      ...methods.flatMap((method, m) => [
        el("h3", {}, words(method.name), method.baseline && " · baseline"),
        el("div", { class: "film" }, said.series[method.name].map((value, k) => this.step(series[m], k, `${words(method.name)}, step ${k + 1}: ${short(said.wanted[k])} was wanted, the classifier says ${short(value)}`, short(value)))),
      ]),
      pixels && el("h3", { title: "Orange: the most in each map; all channels together" }, "Pixels that matter"),
      pixels && el("div", { class: "saliencies" }, saliencies.map((kind, m) => this.map(pixels, maps[m], words(kind)))),
    ].filter(Boolean);
  }

  step(array, k, title, caption) {
    const picture = new Picture(this.channels, title, 64);
    picture.show(array, k);
    return el("figure", { title }, picture.canvas, el("figcaption", {}, caption));
  }

  map(pixels, map, title) {
    const canvas = el("canvas", { role: "img", "aria-label": `Which pixels matter, by ${title}` });
    this.maps.push(() => overlay(canvas, pixels, map, this.channels.settings));
    return el("figure", {}, canvas, el("figcaption", {}, title));
  }
}

const short = (value) => (Math.abs(value) < 10 ? value.toFixed(2).replace("-", "−") : number(value));

/** What is to be said of other columns that move with the series. */
function dragged(confounders) {
  if (!confounders.length) return [];
  const ends = (values) => `${short(values[0])} (${short(values[1])} to ${short(values[2])})`;
  const line = ({ verdict, moved, baseline_moved: baseline }) => el("li", { title: moved && baseline ? `Moves ${ends(moved)}; by balanced data ${ends(baseline)}; 0 is not at all, 1 wholly` : "" }, `${verdict}.`);
  return [el("h3", {}, "Does it follow something else?"), el("ul", { class: "dragged" }, confounders.map(line))];
}
