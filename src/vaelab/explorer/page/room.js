// One run on the page: its map and its panels, made and told of each other.

import * as state from "./state.js";
import { Bar } from "./bar.js";
import { isCopy } from "./copy.js";
import { Chosen } from "./chosen.js";
import { Conditions } from "./conditions.js";
import { Decoded } from "./decoded.js";
import { byId, el, say } from "./dom.js";
import { Explained } from "./explained.js";
import { Hover } from "./hover.js";
import { Lasso } from "./lasso.js";
import { LatentGrid } from "./latent_grid.js";
import { Legend } from "./legend.js";
import { MapView } from "./map.js";
import { attempt, notice } from "./notes.js";
import { Thumbnails } from "./pictures.js";
import { Pinned } from "./pinned.js";
import { Selection } from "./selection.js";
import { Stages } from "./stages.js";
import { Ways } from "./ways.js";

const PLACES = ["map", "tools", "legend", "selection", "pinned", "explained", "conditions", "stages", "decoded", "ways"];

/** Where a run's parts go: the page's own places for the first run, copies beside them for another. */
export function placesOf(run) {
  return Object.fromEntries(PLACES.map((name) => {
    const place = byId(name);
    if (!run.k) return [name, place];
    const copy = place.cloneNode(false);
    copy.id = run.own(name);
    if (copy.hasAttribute("aria-labelledby")) copy.setAttribute("aria-labelledby", run.own(`${name}-title`));
    place.after(copy);
    return [name, copy];
  }));
}

export class Room {
  constructor(run, channels) {
    this.run = run;
    this.isInFocus = true;
    const thumbnails = new Thumbnails(run, channels);
    const map = (this.map = new MapView(run, thumbnails));
    const selection = (this.selection = new Selection(run));
    this.legend = new Legend(run, selection);
    const lasso = (this.lasso = new Lasso(map, selection));
    const chosen = (this.chosen = new Chosen(run, selection, channels));
    new Hover(run, channels, map);
    const pinned = (this.pinned = new Pinned(run, channels, thumbnails));
    if (!isCopy) {
      new Conditions({ run, channels, pinned });
      new Stages({ run, channels, pinned });
      this.explained = new Explained({ run, channels, thumbnails, pinned });
    }
    const decoded = (this.decoded = new Decoded(run, channels, thumbnails, pinned));
    const bar = new Bar(run, (place) => pinned.pin(place));
    if (!isCopy) {
      this.ways = new Ways({ run, channels, map, pinned, decoded, chosen });
      this.latentGrid = new LatentGrid({ run, channels, decoded });
      run.hosts.decoded.querySelector(".sliders h3").append(el("button", { class: "quiet", title: "What is decoded over two latents (V)", onclick: () => this.latentGrid.open() }, "grid of two"));
    }
    if (isCopy) for (const name of ["ways", "explained", "conditions", "stages"]) run.hosts[name].classList.add("absent");
    map.host.append(switches(map, lasso));

    chosen.addEventListener("columns", () => bar.renew());
    map.addEventListener("pick", ({ detail }) => pinned.pin(detail.place));
    map.addEventListener("ground", ({ detail: { x, y } }) => {
      if (run.isGround) decoded.go(run.movedTo(isCopy ? run.mean : decoded.z, x, y));
      else say(run.plane() ? "In this copy no other places of this map were decoded." : `On ${run.mapName} only images have a code.`);
    });
    pinned.addEventListener("change", ({ detail: { place } }) => {
      map.mark({ pinned: place });
      if (place !== null) map.reveal(place);
    });
    const cross = ({ detail: { z, isFar } }) => {
      const at = run.placeOnMap(z);
      map.mark({ decoded: at && { at, isFar } });
    };
    decoded.addEventListener("change", cross);
    run.addEventListener("points", () => cross({ detail: decoded }));
    state.on(run.own("map"), () => this.showMap());
    state.on("colour", () => this.showColumn());
  }

  /** The map and its colours; then what is pinned, decoded and on the way. */
  async open() {
    await Promise.all([this.showMap(), this.showColumn(), this.chosen.open()]);
    this.selection.fromState();
  }

  async openPanels() {
    await this.pinned.show();
    this.decoded.fromState();
    await Promise.all([this.ways?.open(), this.explained?.open()]);
  }

  /** Asks for what could not be answered while the server was away. */
  again() {
    const { run, map, pinned, explained, decoded, ways } = this;
    if (run.mapName !== (state.get(run.own("map")) ?? "PCA")) this.showMap();
    if ((run.column?.name ?? "") !== (state.get("colour") ?? run.about.label)) this.showColumn();
    pinned.show();
    decoded.update();
    if (state.get(run.own("way"))) ways?.fromState();
    explained?.open();
    map.redraw();
  }

  async showMap() {
    const { run } = this;
    const name = state.get(run.own("map")) ?? "PCA";
    const wait = () => notice(`${name} is being made; that takes a while, once.`, "waiting");
    await attempt(() => run.setMap(name, wait), () => state.set({ [run.own("map")]: "PCA" }));
  }

  /** A column that only the run in focus has is no colour in the other. */
  async showColumn() {
    const { run } = this;
    const name = state.get("colour") ?? run.about.label;
    const wait = () => notice(`${name} is being measured, once.`, "waiting");
    if (this.isInFocus) await attempt(() => run.setColumn(name, wait), () => state.set({ colour: "" }));
    else await run.setColumn(name, wait).catch(() => run.setColumn(""));
  }

  /** What keys do that are of one run. */
  keys() {
    const { run, map, pinned, lasso, selection } = this;
    const focus = (name) => () => byId(run.own(name)).focus();
    return {
      "/": focus("find"), "[": () => pinned.step(-1), "]": () => pinned.step(1), g: () => map.host.focus(), m: focus("map-kind"), c: focus("colour"),
      l: () => lasso.use("lasso"), r: () => lasso.use("rectangle"), i: () => selection.invert(),
      ...(isCopy ? {} : {
        s: () => run.hosts.decoded.querySelector(".sliders input[type=range]")?.focus(), q: focus("query"),
        w: () => run.hosts.ways.querySelector("select").focus(), v: () => this.latentGrid.open(),
      }),
    };
  }

  /** Puts a tool away, unpins, or clears the selection: whichever comes first. */
  escape() {
    if (this.lasso.stop()) return;
    if (state.get("pin")) this.pinned.pin(null);
    else this.selection.clear();
  }
}

/** What lies over the map's corner. */
function switches(map, lasso) {
  const box = el("input", { type: "checkbox", checked: map.showsThumbnails, disabled: !map.run.about.images, onchange: (event) => state.set({ thumbnails: event.target.checked ? null : "off" }) });
  state.on("thumbnails", () => { box.checked = map.showsThumbnails; });
  return el("div", { class: "bar" }, lasso.buttons,
    el("label", { class: "check", title: "Images in place of points where there is room for them (T)" }, box, "Thumbnails"),
    el("button", { class: "small", title: "Zoom in (+)", "aria-label": "Zoom in", onclick: () => map.camera.zoom(1.6) }, "+"),
    el("button", { class: "small", title: "Zoom out (−)", "aria-label": "Zoom out", onclick: () => map.camera.zoom(1 / 1.6) }, "−"),
    el("button", { class: "small", title: "Everything (0)", onclick: () => map.camera.fit() }, "Fit"));
}
