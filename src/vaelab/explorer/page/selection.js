// Which images are selected: the legend's kinds, or those that were picked; and how others are put together with them.
// Picked images are known by their rows, so that they stay what they are on another map and in another run.

import * as state from "./state.js";
import { count, say } from "./dom.js";

/** As many letters of rows as an address may hold. */
const MOST_LETTERS = 12_000;

/** What held keys ask for: add, subtract, intersect, or replace. */
export const wayOf = (event) => (event.shiftKey && event.altKey ? "intersect" : event.shiftKey || event.ctrlKey || event.metaKey ? "add" : event.altKey ? "subtract" : "replace");

export const tally = (mask) => mask.reduce((sum, each) => sum + each, 0);

/** Sets `run.selected`, of which the run tells. */
export class Selection {
  constructor(run) {
    Object.assign(this, { run, picked: null, filter: null, text: null, follows: false });
    state.on("picked", (text) => { if ((text ?? null) !== this.text) this.fromState(); });
  }

  fromState() {
    this.text = state.get("picked");
    this.picked = this.text === null ? null : maskOf(this.run, rowsFrom(this.text));
    this.tell();
  }

  tell() {
    if (!this.follows) this.run.select(this.filter ?? this.picked);
  }

  /** Takes what is selected in the run that is in focus beside this one, by the legend there or otherwise. */
  follow(mask) {
    Object.assign(this, { picked: state.get("only") ? null : mask, text: state.get("picked") });
    this.run.select(mask);
  }

  /** The legend's kinds, as a mask; null: none are chosen there. */
  setFilter(mask) {
    if (!mask && !this.filter) return;
    this.filter = mask;
    this.tell();
  }

  /** Forgets what was picked, as the legend is about to choose. */
  forget() {
    this.picked = this.text = null;
    state.set({ picked: null });
  }

  /** Puts a mask in place of what is selected, adds it, takes it away, or keeps what is in both. */
  put(mask, way = "replace") {
    const { selected, size } = this.run;
    if (way === "replace" || (way === "add" && !selected)) return this.set(mask);
    const found = new Uint8Array(size);
    for (let i = 0; i < size; i++) {
      const before = selected ? selected[i] : 1;
      found[i] = way === "add" ? before | mask[i] : way === "subtract" ? before & ~mask[i] & 1 : before & mask[i];
    }
    this.set(found);
  }

  /** Selects exactly these; none at all, or all, is no selection. */
  set(mask) {
    const number = mask ? tally(mask) : 0;
    this.picked = number && number < this.run.size ? mask : null;
    const text = this.picked && textOf(rowsOf(this.run, this.picked));
    this.text = text && text.length <= MOST_LETTERS ? text : null;
    this.filter = null;
    state.set({ only: null, picked: this.text });
    this.tell();
    say(this.picked ? `${count(number)} of ${count(this.run.size)} images selected` : number ? "All images selected" : "No image selected");
  }

  invert() {
    const { selected } = this.run;
    if (selected) this.set(selected.map((each) => 1 - each));
  }

  clear() {
    this.set(null);
  }

  /** Adds one image, or takes it away. */
  toggle(place) {
    const { selected, size } = this.run;
    const mask = selected ? selected.slice() : new Uint8Array(size);
    mask[place] = 1 - mask[place];
    this.set(mask);
  }
}

/** A bit for each image, the lowest first: as selections go to the server. */
export function bitsOf(...masks) {
  const size = Math.ceil(masks[0].length / 8);
  const bits = new Uint8Array(size * masks.length);
  masks.forEach((mask, k) => { for (let i = 0; i < mask.length; i++) bits[k * size + (i >> 3)] |= mask[i] << (i & 7); });
  return bits;
}

/** The places of a mask. */
export function placesOf(mask) {
  const places = [];
  for (let i = 0; i < mask.length; i++) if (mask[i]) places.push(i);
  return places;
}

const rowsOf = (run, mask) => Uint32Array.from(placesOf(mask), (place) => run.rows[place]).sort();

function maskOf(run, rows) {
  const mask = new Uint8Array(run.size);
  let number = 0;
  for (const row of rows) {
    const place = run.placeOf(row);
    if (place !== null) number += mask[place] = 1;
  }
  return number ? mask : null;
}

/** Rows, rising, as text: how far each is from the one before, seven bits to a byte, the last byte of each marked. */
function textOf(rows) {
  if (rows.length > MOST_LETTERS) return null;
  const bytes = [];
  let before = -1;
  for (const row of rows) {
    let step = row - before - 1;
    for (; step > 127; step >>>= 7) bytes.push(step & 127);
    bytes.push(step | 128);
    before = row;
  }
  return btoa(bytes.map((byte) => String.fromCharCode(byte)).join("")).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function rowsFrom(text) {
  const rows = [];
  try {
    let step = 0, shift = 0, before = -1;
    for (const letter of atob(text.replaceAll("-", "+").replaceAll("_", "/"))) {
      const byte = letter.charCodeAt(0);
      step += (byte & 127) * 2 ** shift;
      shift += 7;
      if (byte < 128) continue;
      rows.push((before += step + 1));
      step = shift = 0;
    }
  } catch {
    return [];
  }
  return rows;
}
