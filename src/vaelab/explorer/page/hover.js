// The card beside a point: its image, its name, and the first of its columns.

import { el } from "./dom.js";
import { Picture } from "./pictures.js";

const MOST_COLUMNS = 6;

export class Hover {
  constructor(run, channels, map) {
    Object.assign(this, { run, place: null, known: new Map() });
    this.picture = new Picture(channels, "Image", 112);
    this.words = el("div", { class: "words" });
    this.card = el("div", { class: "card", hidden: true, role: "tooltip" }, run.about.images && this.picture.canvas, this.words);
    map.host.append(this.card);
    map.addEventListener("hover", ({ detail }) => this.show(detail.place, detail.at));
  }

  async show(place, at) {
    if (place === this.place && place !== null) return;
    this.place = place;
    this.stop?.abort();
    if (place === null) {
      this.card.hidden = true;
      return;
    }
    this.stop = new AbortController();
    try {
      if (!this.known.has(place)) {
        const { signal } = this.stop;
        const found = await Promise.all([this.run.api.record(place, signal), this.run.about.images ? this.run.api.pixels(place, signal) : null]);
        this.known.set(place, found);
        if (this.known.size > 200) this.known.delete(this.known.keys().next().value);
      }
    } catch {
      return;
    }
    if (place !== this.place) return;
    const [record, pixels] = this.known.get(place);
    if (pixels) this.picture.show(pixels);
    this.picture.name(`Image ${record.name}`);
    this.words.replaceChildren(el("strong", {}, record.name), el("dl", {}, this.columns(record, place)));
    this.card.hidden = false;
    this.put(at);
  }

  /** The column that colours come first, then others. */
  columns(record, place) {
    const all = [...record.columns, ...record.measured].filter(([name, value]) => value !== "" && value !== record.name);
    const { column } = this.run;
    const first = all.filter(([name]) => name === column?.name);
    if (column && !first.length && column.kind === "numbers") first.push([column.name, String(Number(column.values[place].toPrecision(4)))]);
    return [...first, ...all.filter(([name]) => name !== column?.name)].slice(0, MOST_COLUMNS).flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]);
  }

  put([x, y]) {
    const { offsetWidth: wide, offsetHeight: tall } = this.card;
    const { clientWidth: width, clientHeight: height } = this.run.hosts.map;
    const left = x + 18 + wide > width ? x - 18 - wide : x + 18;
    const top = Math.min(height - tall - 8, Math.max(8, y - tall / 2));
    this.card.style.transform = `translate(${Math.max(4, left)}px, ${top}px)`;
  }
}
