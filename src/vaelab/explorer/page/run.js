// One run as the page knows it: its facts, where its images lie on the map, their colours' column, and which are selected.

import { connect } from "./api.js";
import { isCopy, nearest } from "./copy.js";

/** Tells of "points", "column" and "selection" as they change. */
export class Run extends EventTarget {
  constructor(k = 0, stage = null) {
    super();
    this.api = connect(stage ? `${k}-${stage}` : k);
    this.k = k;
    this.shared = null;
    this.like = null;
    this.points = new Float32Array();
    this.mapName = "";
    this.column = null;
    this.selected = null;
  }

  async open(onWait) {
    [this.about, this.rows] = await Promise.all([this.api.about(onWait), this.api.rows()]);
    this.size = this.about.num_images;
    this.latentDim = this.about.latents.length;
    this.latents = this.about.latents;
    this.byLatent = [...this.latents].sort((a, b) => a.latent - b.latent);
    this.mean = Float32Array.from(this.byLatent, (latent) => latent.mean);
    this.decoded = isCopy ? await this.api.places() : null;
    return this;
  }

  /** A key of the address, or an element's id, that each run has for itself. */
  own(name) {
    return this.k ? `${name}-${this.k + 1}` : name;
  }

  /** The place of a row of the collection, or null. */
  placeOf(row) {
    this.places ??= new Map(Array.from(this.rows, (each, place) => [each, place]));
    return this.places.get(Number(row)) ?? null;
  }

  tell(what) {
    this.dispatchEvent(new Event(what));
  }

  async setMap(name, onWait) {
    const points = await this.api.points(name, onWait);
    Object.assign(this, { points, mapName: name });
    this.tell("points");
  }

  /** Two directions in latent space that the map's axes are, with the place where they cross; null on curved maps. */
  plane() {
    const [, a, b] = /^z(\d+),z(\d+)$/.exec(this.mapName) ?? [];
    if (a !== undefined) {
      const unit = (i) => Float64Array.from({ length: this.latentDim }, (_, j) => Number(j === Number(i)));
      return { directions: [unit(a), unit(b)], centre: new Float64Array(this.latentDim), same: a === b };
    }
    return this.mapName === "PCA" ? { ...this.about.pca, same: this.latentDim < 2 } : null;
  }

  /** Where a code lies on a plane map, or null. */
  placeOnMap(z) {
    const plane = this.plane();
    if (!plane) return null;
    return plane.directions.map((d) => d.reduce((sum, part, i) => sum + part * (z[i] - plane.centre[i]), 0));
  }

  /** The code moved within a plane map's two directions until it lies at (x, y). */
  movedTo(z, x, y) {
    const plane = this.plane();
    const here = this.placeOnMap(z);
    const steps = [x - here[0], plane.same ? 0 : y - here[1]];
    return Float32Array.from(z, (value, i) => value + steps[0] * plane.directions[0][i] + steps[1] * plane.directions[1][i]);
  }

  /** The code to decode where one is asked for: that itself, or in a copy the nearest that was decoded; `own` is an image's. */
  drawable(z, own) {
    if (!this.decoded || (this.about.images && own?.every((value, i) => value === z[i]))) return z;
    const [{ at }] = nearest(this.decoded, z, 1);
    return this.decoded.data.slice(at * this.latentDim, (at + 1) * this.latentDim);
  }

  /** Whether a place of the map can be decoded: a copy holds places of two maps. */
  get isGround() {
    const [first, second = first] = this.latents;
    return this.plane() !== null && (!this.decoded || ["PCA", `z${first.latent},z${second.latent}`].includes(this.mapName));
  }

  async setColumn(name, onWait) {
    if (!name) this.column = null;
    else {
      const values = await this.api.column(name, onWait);
      const kind = values instanceof Int32Array ? "categories" : "numbers";
      this.column = { name, kind, values, names: this.kindsOf(name), ...(kind === "numbers" ? range(values) : {}) };
      if (this.like) inOrderOf(this.like.kindsOf(name), this.column);
    }
    this.tell("column");
  }

  /** The names of a column's kinds, in the order in which they are coloured. */
  kindsOf(name) {
    return this.about.columns.find((each) => each.name === name)?.names ?? [];
  }

  /** A mask of the images that are selected (1) or not (0); null: all are. Others are drawn grey, never left out. */
  select(mask) {
    this.selected = mask;
    this.tell("selection");
  }
}

/** Puts a column's kinds in the order of another run's, so that each has the same colour in both. */
function inOrderOf(order, column) {
  const names = [...new Set([...order, ...column.names])];
  const places = column.names.map((name) => names.indexOf(name));
  if (column.kind === "categories") Object.assign(column, { names, values: column.values.map((value) => (value < 0 ? value : places[value])) });
}

/** The numbers' ends, and those between which 98 % of them lie. */
function range(values) {
  const step = Math.max(1, Math.floor(values.length / 50_000));
  const some = [];
  let low = Infinity, high = -Infinity, missing = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (Number.isNaN(value)) missing++;
    else {
      if (value < low) low = value;
      if (value > high) high = value;
      if (i % step === 0) some.push(value);
    }
  }
  some.sort((a, b) => a - b);
  const at = (share) => some[Math.round(share * (some.length - 1))] ?? 0;
  return { low, high, from: at(0.01), to: at(0.99), missing };
}
