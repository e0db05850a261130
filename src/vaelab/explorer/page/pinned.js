// The pinned image: as stored, as the model draws it again, how far these differ, and its neighbours in latent space.

import * as state from "./state.js";
import { isCopy } from "./copy.js";
import { el, number, renew, say } from "./dom.js";
import { Picture } from "./pictures.js";

/** Tells of "change" with detail {place, z}: null where nothing is pinned. */
export class Pinned extends EventTarget {
  constructor(run, channels, thumbnails) {
    super();
    Object.assign(this, { run, channels, thumbnails, place: null, z: null, other: null });
    state.on("pin", () => this.show());
    run.addEventListener("conditions", () => this.place !== null && this.show());
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
      const [record, near, pixels, ...drawn] = await Promise.all([api.record(place), api.near(z, 9), about.images ? api.pixels(place) : null, ...this.runs().map((run) => drawnBy(run, this.run.rows[place]))]);
      if (place !== this.place) return;
      this.again = () => this.render(record, near, pixels, drawn);
      this.again();
      say(`Pinned image ${record.name}`);
    } catch (error) {
      renew(this.run.hosts.pinned, this.head("Image"), el("p", { class: "fine" }, error.message));
    }
  }

  /** The runs that draw the image again: this one, and one beside it, in their order. */
  runs() {
    return [this.run, this.other].filter(Boolean).sort((a, b) => a.k - b.k);
  }

  tell() {
    this.dispatchEvent(new CustomEvent("change", { detail: { place: this.place, z: this.z } }));
  }

  head(words) {
    return el("header", {}, el("h2", { id: this.run.own("pinned-title") }, words),
      this.place !== null && el("span", { class: "line" },
        el("button", { class: "quiet", title: "The image before ([)", "aria-label": "The image before", onclick: () => this.step(-1) }, "‹"),
        el("button", { class: "quiet", title: "The next image (])", "aria-label": "The next image", onclick: () => this.step(1) }, "›"),
        el("button", { class: "quiet", title: "Unpin (Esc)", onclick: () => this.pin(null) }, "unpin")));
  }

  renderNothing() {
    this.again = null;
    renew(this.run.hosts.pinned, this.head("Image"), el("p", { class: "hint" }, state.get("pin") ? "The pinned image is not shown by this run." : "Click a point to pin its image."));
  }

  render(record, near, pixels, drawn) {
    const { about } = this.run;
    const side = 112;
    const figure = (caption, words, fill) => {
      const picture = new Picture(this.channels, words, side);
      fill(picture);
      return el("figure", {}, picture.canvas, el("figcaption", {}, caption));
    };
    const runs = this.runs();
    const by = (k) => (runs.length > 1 ? `, ${about.runs[runs[k].k]}` : "");
    const called = ({ api: { under } }) => (under.length ? `under ${under.map(([, value]) => value).join(", ")}` : "reconstruction");
    const again = drawn.map((array, k) => array
      ? figure(`${called(runs[k])}${by(k)}`, `Reconstruction of ${record.name}${by(k)}`, (picture) => picture.show(array))
      : el("p", { class: "fine" }, `Not shown by ${about.runs[runs[k].k]}`));
    const apart = drawn.map((array, k) => pixels && array && figure(`difference${by(k)}`, `Where reconstruction and image differ${by(k)}`, (picture) => picture.showDifference(pixels, array)));
    const stored = pixels && figure("stored", `Image ${record.name} as stored`, (picture) => picture.show(pixels));
    const figures = !pixels ? again : runs.length > 1 ? [stored, ...again, el("span"), ...apart.map((each) => each ?? el("span"))] : [stored, ...again, ...apart];
    const others = near.nearest.filter(({ at }) => at !== this.place).slice(0, 8);
    const errors = pixels ? drawn.map((array, k) => array && [`error${by(k)}`, `${number(rootMeanSquare(pixels.data, array.data))} ${about.type === "float32" ? "" : "grey levels"}`.trim(), "Root mean square over pixels and channels, in stored units"]) : [];
    const fit = record.measured.find(([name]) => name === "fit");
    const facts = [
      ...errors,
      fit && ["fit", number(Number(fit[1])), "How far the distortion is below the usual, in robust standard deviations; below −3.5 it is drawn badly"],
      ["in sparser places", `${Math.round(100 * near.share)} % of images`, `Images that lie in sparser places: the distance to the tenth nearest image is ${number(near.distance)} here`],
    ].filter(Boolean);
    renew(this.run.hosts.pinned,
      this.head(record.name),
      el("div", { class: "figures" }, figures),
      el("dl", { class: "facts" }, facts.map(([name, value, words]) => el("div", { title: words }, el("dt", {}, name), el("dd", {}, value)))),
      el("dl", { class: "columns", tabindex: "0" }, [["row", String(record.row)], ...record.columns, ...record.measured].filter(([name, value]) => value !== "" && name !== "fit").flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)])),
      el("h3", {}, "Nearest in latent space"),
      el("div", { class: "neighbours" }, others.map(({ at, name, distance }) => this.thumbnails.button(at, `${name}, at a distance of ${number(distance)}`, () => this.pin(at), number(distance, 2)))),
    );
  }
}

/** The image of a row as a run draws it again; null where the run does not show it. */
async function drawnBy(run, row) {
  const place = run.placeOf(row);
  if (place === null) return null;
  if (run.about.images) return run.api.reconstruction(place);
  return isCopy ? null : run.api.decode((await run.api.codes(place)).data);
}

function rootMeanSquare(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
  return Math.sqrt(sum / a.length);
}
