// Two runs side by side: one is in focus, whose panels are shown and which the keys mean; what is pinned, hovered and
// selected is so in both, by the images' rows.

import * as state from "./state.js";
import { byId, el, say } from "./dom.js";

export class Pair {
  constructor(rooms) {
    this.rooms = rooms;
    this.names = rooms[0].run.about.runs;
    byId("maps").classList.add("two");
    this.heads = rooms.map(({ run }, k) => {
      const head = el("button", { class: "run-head", title: "Its panels are shown and keys mean it (F: the other)", onclick: () => this.choose(k) }, el("span", { class: "name" }, this.names[k]));
      const frame = el("div", { class: "map-frame" }, head);
      run.hosts.map.replaceWith(frame);
      frame.append(run.hosts.map);
      run.hosts.map.setAttribute("aria-label", `Map of the images' codes in ${this.names[k]}`);
      for (const what of ["pointerdown", "focus"]) run.hosts.map.addEventListener(what, () => this.choose(k), true);
      return head;
    });
    const [one, other] = rooms;
    one.pinned.other = other.run;
    other.pinned.other = one.run;
    other.run.like = one.run;
    this.link(one, other);
    this.link(other, one);
    for (const { run } of rooms) run.addEventListener("column", () => sameScale(one.run, other.run));
    state.on("focus", () => {
      this.reflect();
      const { sliders, z, like } = this.room.decoded;
      sliders?.drawStrips(z, like);
    });
    this.reflect();
  }

  /** The room in focus. */
  get room() {
    return this.rooms[Number(state.get("focus") === "2")];
  }

  choose(k) {
    if (this.rooms[k] === this.room) return;
    state.set({ focus: k ? "2" : null });
    say(`${this.names[k]} is in focus`);
  }

  turn() {
    this.choose(Number(this.room === this.rooms[0]));
  }

  /** What is hovered and selected in one is so in the other, too. */
  link(from, to) {
    const there = placesIn(from.run, to.run);
    from.run.shared = there.map((place) => Number(place >= 0));
    if (from.run.shared.every(Boolean)) from.run.shared = null;
    const back = placesIn(to.run, from.run);
    from.map.addEventListener("hover", ({ detail: { place } }) => to.map.mark({ hovered: place === null || there[place] < 0 ? null : there[place] }));
    from.run.addEventListener("selection", () => {
      if (this.room !== from) return;
      const { selected } = from.run;
      to.selection.follow(selected && Uint8Array.from(back, (place) => (place < 0 ? 0 : selected[place])));
    });
  }

  reflect() {
    const { room } = this;
    this.rooms.forEach((each, k) => {
      each.isInFocus = each === room;
      each.selection.follows = !each.isInFocus;
      this.heads[k].setAttribute("aria-pressed", String(each.isInFocus));
      for (const [name, host] of Object.entries(each.run.hosts)) if (name !== "map") host.hidden = !each.isInFocus;
    });
  }
}

/** Numbers that mean the same in both runs have the same colours: all but latents, which are of each run alone. */
function sameScale(...runs) {
  const columns = runs.map(({ column }) => column);
  if (columns.some((column) => column?.kind !== "numbers" || column.name !== columns[0].name || /^z\d/.test(column.name))) return;
  const [from, to] = [Math.min(...columns.map((each) => each.from)), Math.max(...columns.map((each) => each.to))];
  for (const run of runs) {
    if (run.column.from === from && run.column.to === to) continue;
    Object.assign(run.column, { from, to });
    run.tell("column");
  }
}

/** For each image of a run its place in the other, or -1. */
function placesIn(run, other) {
  const known = new Map();
  other.rows.forEach((row, place) => known.set(row, place));
  return Int32Array.from(run.rows, (row) => known.get(row) ?? -1);
}
