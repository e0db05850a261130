// What the model draws at a place of latent space, with how dense the data are there and the nearest real images.

import * as state from "./state.js";
import { latestOnly } from "./api.js";
import { underWords } from "./conditions.js";
import { isCopy } from "./copy.js";
import { count, el, later, number, renew } from "./dom.js";
import { Picture } from "./pictures.js";
import { Sliders } from "./sliders.js";

/** Tells of "change" with detail {z, isFar}. */
export class Decoded extends EventTarget {
  constructor(run, channels, thumbnails, pinned) {
    super();
    Object.assign(this, { run, channels, thumbnails, pinned, z: run.mean.slice(), isFar: false });
    this.picture = new Picture(channels, "What the model draws here", 192);
    this.frame = el("div", { class: "frame" }, this.picture.canvas, el("span", { class: "badge", hidden: true }, "no data here"));
    this.where = el("p", { class: "where" });
    this.gauge = el("div", { class: "gauge", role: "img" }, el("span"));
    this.words = el("p", { class: "density" });
    this.near = el("div", { class: "neighbours four" });
    this.sliders = isCopy ? null : new Sliders(run, channels, (latent, value) => this.moveLatent(latent, value));
    run.hosts.decoded.replaceChildren(
      el("header", {}, el("h2", { id: run.own("decoded-title") }, "Decoded"),
        el("span", { class: "line" },
          el("button", { class: "quiet", title: "The code of the pinned image", onclick: () => this.pinned.z && this.go(null) }, "to image"),
          el("button", { class: "quiet", title: "The mean of all codes", onclick: () => this.go(this.run.mean) }, "to mean"))),
      el("div", { class: "drawn" }, this.frame, el("div", { class: "beside" }, this.where, this.gauge, this.words, el("h3", {}, "Nearest images"), this.near)),
      isCopy ? el("p", { class: "fine" }, `A click on free ground shows the nearest of ${count(run.decoded.shape[0])} places that were decoded for this copy, on the map PCA and on that of the first two latents.`) : this.sliders.host);
    this.ask = latestOnly(() => this.decode().finally(() => void this.askNear()));
    this.askNear = latestOnly(() => this.look());
    this.settled = later(() => { this.note(); this.askNear(); this.sliders?.drawStrips(this.z, this.like); }, 140);
    pinned.addEventListener("change", ({ detail }) => { if (detail.z && !state.get(this.run.own("z"))) this.take(detail.z); });
    state.on(run.own("z"), () => this.fromState());
    run.addEventListener("conditions", () => this.shown && this.update());
  }

  get like() {
    return this.pinned.place;
  }

  fromState() {
    const there = state.unpacked(state.get(this.run.own("z")) ?? "", this.run.latentDim);
    this.take(there ?? this.pinned.z ?? this.run.mean);
  }

  /** Goes to a code and notes it in the address; null: back to the pinned image. */
  go(z) {
    if (z) this.take(Float32Array.from(z));
    else state.set({ [this.run.own("z")]: null });
    this.moved = Boolean(z);
  }

  take(asked) {
    const z = this.run.drawable(asked, this.pinned.z);
    if (this.shown && z.every((value, i) => value === this.z[i])) return;
    this.z = Float32Array.from(z);
    this.moved = false;
    this.update();
    this.moved = !this.pinned.z || this.pinned.z.some((value, i) => value !== this.z[i]);
  }

  moveLatent(latent, value) {
    this.z = this.z.slice();
    this.z[latent] = value;
    this.moved = true;
    this.update(latent);
  }

  update(latent = null) {
    this.shown = true;
    this.sliders?.set(this.z, latent);
    this.ask();
    this.tell();
    this.settled();
  }

  tell() {
    this.dispatchEvent(new CustomEvent("change", { detail: { z: this.z, isFar: this.isFar } }));
  }

  /** The place in the address: nothing where it is that of the pinned image, or the mean where none is. */
  note() {
    const home = this.pinned.z ?? this.run.mean;
    const isHome = this.z.every((value, i) => value === home[i]);
    state.set({ [this.run.own("z")]: isHome ? null : state.packed(this.z) });
    const isMean = this.z.every((value, i) => value === this.run.mean[i]);
    const where = isHome && this.pinned.z ? "At the code of the pinned image" : isMean ? "At the mean of all codes" : this.pinned.z ? "Away from the pinned image" : "At a place of the map";
    this.where.replaceChildren(where, el("small", {}, underWords(this.run, this.like)));
  }

  async decode() {
    const asked = performance.now();
    const drawn = await this.run.api.decode(this.z, { like: this.like, latest: true });
    this.picture.show(drawn);
    this.lastMs = performance.now() - asked;
    this.run.hosts.decoded.dataset.ms = this.lastMs.toFixed(1);
  }

  async look() {
    const found = await this.run.api.near(this.z, 4);
    this.isFar = found.share === 0;
    const percent = 100 * found.share;
    const isEdge = !this.isFar && percent < 1;
    this.frame.classList.toggle("far", this.isFar);
    this.frame.lastChild.hidden = !this.isFar;
    this.gauge.className = `gauge${this.isFar ? " far" : isEdge ? " edge" : ""}`;
    this.gauge.firstChild.style.width = `${Math.max(2, percent)}%`;
    const words = this.isFar
      ? `No data here: ${number(found.ratio, 2)} times as far from data as the loneliest image. What is drawn is made up.`
      : isEdge ? "At the edge of the data: under 1 % of images lie in sparser places." : `Among the data: ${Math.round(percent)} % of images lie in sparser places.`;
    this.words.textContent = words;
    this.words.title = `The tenth nearest image is ${number(found.distance)} away in latent space; compared with ${found.num_images} images' own distances.`;
    this.gauge.setAttribute("aria-label", words);
    renew(this.near, ...found.nearest.map(({ at, name, distance }) => this.thumbnails.button(at, `${name}, at a distance of ${number(distance)}`, () => this.pinned.pin(at), number(distance, 2))));
    this.tell();
  }
}
