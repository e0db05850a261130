// The pinned image: as stored, as the model draws it again, how far these differ, and its neighbours in latent space.

import * as state from "./state.js";
import { byId, el, number, say } from "./dom.js";
import { Picture } from "./pictures.js";

/** Tells of "change" with detail {place, z}: null where nothing is pinned. */
export class Pinned extends EventTarget {
  constructor(run, channels, thumbnails) {
    super();
    Object.assign(this, { run, channels, thumbnails, place: null, z: null });
    state.on("pin", () => this.show());
    run.addEventListener("column", () => this.place !== null && this.again?.());
  }

  pin(place) {
    state.set({ pin: place === null ? null : this.run.rows[place] });
  }

  /** The next or the previous image, in the order of the collection. */
  step(by) {
    this.pin(this.place === null ? 0 : (this.place + by + this.run.size) % this.run.size);
  }

  async show() {
    const place = this.run.placeOf(state.get("pin") ?? -1);
    this.place = place;
    if (place === null) {
      this.z = null;
      this.renderNothing();
      this.tell();
      return;
    }
    const { api, about } = this.run;
    try {
      const z = (await api.codes(place)).data;
      if (place !== this.place) return;
      this.z = z;
      this.tell();
      const [record, near, pixels, drawn] = await Promise.all([api.record(place), api.near(z, 9), about.images ? api.pixels(place) : null, about.images ? api.reconstruction(place) : api.decode(z)]);
      if (place !== this.place) return;
      this.again = () => this.render(record, near, pixels, drawn);
      this.again();
      say(`Pinned image ${record.name}`);
    } catch (error) {
      byId("pinned").replaceChildren(this.head("Image"), el("p", { class: "fine" }, error.message));
    }
  }

  tell() {
    this.dispatchEvent(new CustomEvent("change", { detail: { place: this.place, z: this.z } }));
  }

  head(words) {
    return el("header", {}, el("h2", { id: "pinned-title" }, words),
      this.place !== null && el("span", { class: "line" },
        el("button", { class: "quiet", title: "The image before ([)", "aria-label": "The image before", onclick: () => this.step(-1) }, "‹"),
        el("button", { class: "quiet", title: "The next image (])", "aria-label": "The next image", onclick: () => this.step(1) }, "›"),
        el("button", { class: "quiet", title: "Unpin (Esc)", onclick: () => this.pin(null) }, "unpin")));
  }

  renderNothing() {
    this.again = null;
    byId("pinned").replaceChildren(this.head("Image"), el("p", { class: "hint" }, "Click a point to pin its image."));
  }

  render(record, near, pixels, drawn) {
    const { about } = this.run;
    const side = 112;
    const figure = (caption, words, fill) => {
      const picture = new Picture(this.channels, words, side);
      fill(picture);
      return el("figure", {}, picture.canvas, el("figcaption", {}, caption));
    };
    const figures = pixels ? [
      figure("stored", `Image ${record.name} as stored`, (picture) => picture.show(pixels)),
      figure("reconstruction", `Reconstruction of ${record.name}`, (picture) => picture.show(drawn)),
      figure("difference", `Where reconstruction and image differ`, (picture) => picture.showDifference(pixels, drawn)),
    ] : [figure("reconstruction", `Reconstruction of ${record.name}`, (picture) => picture.show(drawn))];
    const others = near.nearest.filter(({ at }) => at !== this.place).slice(0, 8);
    const error = pixels && rootMeanSquare(pixels.data, drawn.data);
    const fit = record.measured.find(([name]) => name === "fit");
    const facts = [
      pixels && ["error", `${number(error)} ${about.type === "float32" ? "" : "grey levels"}`.trim(), "Root mean square over pixels and channels, in stored units"],
      fit && ["fit", number(Number(fit[1])), "How far the distortion is below the usual, in robust standard deviations; below −3.5 it is drawn badly"],
      ["in sparser places", `${Math.round(100 * near.share)} % of images`, `Images that lie in sparser places: the distance to the tenth nearest image is ${number(near.distance)} here`],
    ].filter(Boolean);
    byId("pinned").replaceChildren(
      this.head(record.name),
      el("div", { class: "figures" }, figures),
      el("dl", { class: "facts" }, facts.map(([name, value, words]) => el("div", { title: words }, el("dt", {}, name), el("dd", {}, value)))),
      el("dl", { class: "columns" }, [["row", String(record.row)], ...record.columns, ...record.measured].filter(([name, value]) => value !== "" && name !== "fit").flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)])),
      el("h3", {}, "Nearest in latent space"),
      el("div", { class: "neighbours" }, others.map(({ at, name, distance }) => this.thumbnails.button(at, `${name}, at a distance of ${number(distance)}`, () => this.pin(at), number(distance)))),
    );
  }
}

function rootMeanSquare(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
  return Math.sqrt(sum / a.length);
}
