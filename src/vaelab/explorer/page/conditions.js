// Of a model under conditions: which ones what is drawn has in place of the image's own, and the pinned image under each.

import * as state from "./state.js";
import { latestOnly } from "./api.js";
import { el, number } from "./dom.js";
import { Picture } from "./pictures.js";

const MOST_SHOWN = 12, NUMBERS = 6;

/** Sets `run.api.under`, pairs of column and value, and has the run tell of "conditions". */
export class Conditions {
  constructor({ run, channels, pinned }) {
    Object.assign(this, { run, channels, pinned, host: run.hosts.conditions, fields: new Map() });
    const { conditions } = run.about;
    this.host.classList.toggle("absent", !conditions.length);
    if (!conditions.length) return;
    conditions.forEach((condition, i) => this.fields.set(condition.column, this.field(condition, run.own(`under-${i}`))));
    this.along = el("select", { "aria-label": "Condition along which the pinned image is shown", onchange: () => this.show() }, conditions.map(({ column }) => el("option", { value: column }, column)));
    this.clear = el("button", { class: "quiet", title: "The images' own conditions", onclick: () => state.set({ [this.run.own("under")]: null }) }, "own");
    this.grid = el("div", { class: "neighbours four" });
    this.words = el("p", { class: "fine" });
    this.title = el("h3", {}, "The pinned image under each ", conditions.length > 1 ? this.along : conditions[0].column);
    this.host.replaceChildren(el("header", {}, el("h2", { id: run.own("conditions-title") }, "The same under …"), this.clear),
      el("div", { class: "conditions" }, [...this.fields].flatMap(([column, field]) => [el("label", { for: field.id }, column), field])), this.words, this.title, this.grid);
    this.show = latestOnly(() => this.compute());
    pinned.addEventListener("change", () => this.show());
    state.on(run.own("under"), () => this.fromState());
    this.fromState();
  }

  /** A select of categories, or a number to type; empty: the image's own. */
  field({ column, categories, low, high }, id) {
    const changed = (event) => this.set(column, event.target.value);
    if (!categories.length) return el("input", { id, type: "number", step: "any", class: "end", placeholder: "own", title: `Of the images from ${number(low)} to ${number(high)}`, onchange: changed });
    return el("select", { id, onchange: changed }, el("option", { value: "" }, "the image's own"), [...categories].sort().map((value) => el("option", { value }, value)));
  }

  set(column, value) {
    const under = new Map(this.run.api.under);
    if (value === "") under.delete(column);
    else under.set(column, value);
    state.set({ [this.run.own("under")]: under.size ? JSON.stringify([...under]) : null });
  }

  fromState() {
    let pairs = [];
    try {
      pairs = JSON.parse(state.get(this.run.own("under")) ?? "[]").map(([column, value]) => [column, String(value)]);
    } catch { /* not as the page wrote it */ }
    const isKnown = ([column, value]) => this.run.about.conditions.some((each) => each.column === column && (each.categories.length ? each.categories.includes(value) : value !== "" && Number.isFinite(Number(value))));
    const { api } = this.run;
    api.under = [...new Map(pairs.filter(isKnown))];
    const under = new Map(api.under);
    for (const [column, field] of this.fields) field.value = under.get(column) ?? "";
    this.clear.hidden = !api.under.length;
    this.words.textContent = api.under.length ? "Decoded places, reconstructions, sliders and ways are drawn under this; codes are the images' own." : "";
    this.run.tell("conditions");
    this.show();
  }

  /** The pinned image's code under each category, or under numbers from the lowest to the highest. */
  async compute() {
    const { place, z } = this.pinned;
    this.title.hidden = place === null || !z;
    this.grid.replaceChildren();
    if (this.title.hidden) return;
    const { api, about } = this.run;
    const { column, categories, low, high } = about.conditions.find((each) => each.column === this.along.value);
    const values = categories.length ? categories.slice(0, MOST_SHOWN) : Array.from({ length: NUMBERS }, (_, k) => String(Number((low + ((high - low) * k) / (NUMBERS - 1)).toPrecision(4))));
    const cells = values.map((value) => this.cell(column, value));
    const more = categories.length > MOST_SHOWN && el("p", { class: "fine" }, `${MOST_SHOWN} of ${categories.length}, those of most images.`);
    this.grid.replaceChildren(...cells.map(({ button }) => button), ...(more ? [more] : []));
    for (const { value, picture } of cells) {
      const drawn = await api.decode(z, { like: place, under: [...new Map([...api.under, [column, value]])] });
      if (place !== this.pinned.place) return;
      picture.show(drawn);
    }
  }

  cell(column, value) {
    const words = `The pinned image under ${column} ${value}`;
    const picture = new Picture(this.channels, words, 96);
    const button = el("button", { class: "neighbour", title: words, "aria-label": words, onclick: () => this.set(column, value) }, el("span", { class: "thumb" }, picture.canvas), el("small", {}, value));
    return { value, picture, button };
  }
}

/** Under what is drawn, in words. */
export function underWords({ about, api }, like) {
  if (!about.conditions.length) return "";
  const own = `the conditions of ${like === null ? "the first image" : "the pinned image"}`;
  const asked = api.under.map(([column, value]) => `${column} ${value}`);
  return `under ${asked.length === about.conditions.length ? asked.join(", ") : [...asked, asked.length ? `else ${own}` : own].join(", ")}`;
}
