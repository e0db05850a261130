// Images on the page: small canvases that are drawn again when the channels' settings change.

import { difference, ofDifferences, paint } from "./composite.js";
import { el, inMemory } from "./dom.js";

/** A canvas that shows an image of an array; `words` name it for those who don't see it. */
export class Picture {
  constructor(channels, words, side = 128) {
    this.channels = channels;
    this.canvas = el("canvas", { class: "picture", role: "img", "aria-label": words });
    this.canvas.style.setProperty("--side", `${side}px`);
    this.redraw = () => this.draw();
    channels.addEventListener("change", this.redraw);
  }

  show(array, place = 0, { asDifference = false } = {}) {
    Object.assign(this, { array, place, asDifference });
    this.draw();
  }

  showDifference(a, b) {
    this.show(difference(a, b), 0, { asDifference: true });
  }

  draw() {
    if (!this.array) return;
    if (!this.canvas.isConnected && this.wasConnected) {
      this.channels.removeEventListener("change", this.redraw);
      return;
    }
    this.wasConnected ||= this.canvas.isConnected;
    const settings = this.channels.settings;
    paint(this.canvas, this.array, this.asDifference ? ofDifferences(settings) : settings, this.place);
  }

  name(words) {
    this.canvas.setAttribute("aria-label", words);
  }
}

/** Thumbnails by place: asked for in one go, drawn when they have come, kept for as long as there is room. */
export class Thumbnails extends EventTarget {
  constructor(run, channels) {
    super();
    Object.assign(this, { run, channels, kept: new Map(), asked: new Set(), queue: new Set(), drawn: new Map() });
    channels.addEventListener("change", () => {
      this.drawn.clear();
      this.dispatchEvent(new Event("change"));
    });
  }

  /** The thumbnail's canvas, or null while it is on its way. */
  of(place) {
    if (this.drawn.has(place)) return this.drawn.get(place);
    const array = this.kept.get(place);
    if (!array) {
      this.want(place);
      return null;
    }
    const canvas = paint(document.createElement("canvas"), array, this.channels.settings);
    this.drawn.set(place, canvas);
    return canvas;
  }

  want(place) {
    if (!this.run.about.images || this.asked.has(place)) return;
    this.asked.add(place);
    this.queue.add(place);
    this.timer ??= setTimeout(() => this.fetch(), 30);
  }

  async fetch() {
    this.timer = undefined;
    const places = [...this.queue].slice(0, 128);
    for (const place of places) this.queue.delete(place);
    if (this.queue.size) this.timer = setTimeout(() => this.fetch(), 0);
    try {
      const { data, shape } = await this.run.api.thumbnails(places);
      const size = shape[1] * shape[2] * shape[3];
      places.forEach((place, i) => this.kept.set(place, { data: data.slice(i * size, (i + 1) * size), shape: [1, ...shape.slice(1)] }));
    } catch {
      for (const place of places) this.asked.delete(place);
      return;
    }
    while (this.kept.size > 4000) {
      const oldest = this.kept.keys().next().value;
      for (const of of [this.kept, this.drawn, this.asked]) of.delete(oldest);
    }
    this.dispatchEvent(new Event("change"));
  }

  /** A button with an image's thumbnail. */
  button(place, words, onclick, caption = "") {
    const holder = el("span", { class: "thumb" });
    const draw = () => {
      const canvas = this.of(place);
      if (!canvas) return;
      const copy = el("canvas", { width: canvas.width, height: canvas.height });
      inMemory(copy).drawImage(canvas, 0, 0);
      holder.replaceChildren(copy);
    };
    draw();
    const listen = () => {
      if (!holder.isConnected) this.removeEventListener("change", listen);
      else draw();
    };
    setTimeout(() => this.addEventListener("change", listen));
    return el("button", { class: "neighbour", title: words, "aria-label": words, onclick }, holder, caption && el("small", {}, caption));
  }
}
