// The page: its parts are made, and told of each other.

import * as state from "./state.js";
import { Bar } from "./bar.js";
import { Channels } from "./channels.js";
import { Decoded } from "./decoded.js";
import { byId, count, el, say } from "./dom.js";
import { openHelp } from "./help.js";
import { Hover } from "./hover.js";
import { Legend } from "./legend.js";
import { MapView } from "./map.js";
import { Thumbnails } from "./pictures.js";
import { Pinned } from "./pinned.js";
import { Run } from "./run.js";

async function start() {
  const run = await new Run().open();
  const { about } = run;
  document.title = `${about.name} · vaelab explorer`;
  byId("run-name").textContent = about.folder;
  byId("run-words").textContent = `${count(about.num_images)} ${about.on}`;
  for (const note of about.notes) notice(`${note}.`);

  const channels = new Channels(run);
  await channels.open();
  const thumbnails = new Thumbnails(run, channels);
  const map = new MapView(run, thumbnails);
  new Legend(run);
  new Hover(run, channels, map);
  const pinned = new Pinned(run, channels, thumbnails);
  const decoded = new Decoded(run, channels, thumbnails, pinned);
  new Bar(run, (place) => pinned.pin(place));
  map.host.append(switches(map));

  map.addEventListener("pick", ({ detail }) => pinned.pin(detail.place));
  map.addEventListener("ground", ({ detail: { x, y } }) => {
    if (run.plane()) decoded.go(run.movedTo(decoded.z, x, y));
    else say(`On ${run.mapName} only images have a code.`);
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

  const waiting = (words) => () => notice(words, "waiting");
  const showMap = async () => {
    const name = state.get("map") ?? "PCA";
    await attempt(() => run.setMap(name, waiting(`${name} is being made; that takes a while, once.`)), () => state.set({ map: "PCA" }));
  };
  const showColumn = async () => {
    const name = state.get("colour") ?? about.label;
    await attempt(() => run.setColumn(name, waiting(`${name} is being measured, once.`)), () => state.set({ colour: "" }));
  };
  state.on("map", showMap);
  state.on("colour", showColumn);
  await Promise.all([showMap(), showColumn()]);
  document.body.dataset.ready = "points";
  await pinned.show();
  decoded.fromState();
  keys({ map, pinned });
  document.body.dataset.ready = "all";
}

/** Does it; what is refused is said, and undone. */
async function attempt(does, undo) {
  try {
    await does();
  } catch (error) {
    notice(error.message);
    undo();
  } finally {
    byId("notes").querySelector(".waiting")?.remove();
  }
}

/** A line below the head; one of a kind at a time. */
function notice(words, kind = "") {
  const notes = byId("notes");
  if ([...notes.children].some((note) => note.firstChild.textContent === words)) return;
  if (kind) notes.querySelector(`.${kind}`)?.remove();
  const note = el("p", { class: kind }, el("span", {}, words), el("button", { class: "quiet", "aria-label": "Close this note", onclick: () => note.remove() }, "×"));
  notes.append(note);
}

/** What lies over the map's corner. */
function switches(map) {
  const box = el("input", { type: "checkbox", checked: map.showsThumbnails, disabled: !map.run.about.images, onchange: (event) => state.set({ thumbnails: event.target.checked ? null : "off" }) });
  state.on("thumbnails", () => { box.checked = map.showsThumbnails; });
  return el("div", { class: "bar" },
    el("label", { class: "check", title: "Images in place of points where there is room for them (T)" }, box, "Thumbnails"),
    el("button", { class: "small", title: "Zoom in (+)", "aria-label": "Zoom in", onclick: () => map.camera.zoom(1.6) }, "+"),
    el("button", { class: "small", title: "Zoom out (−)", "aria-label": "Zoom out", onclick: () => map.camera.zoom(1 / 1.6) }, "−"),
    el("button", { class: "small", title: "Everything (0)", onclick: () => map.camera.fit() }, "Fit"));
}

function keys({ map, pinned }) {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const isTyping = event.target.matches("input:not([type=checkbox], [type=range], [type=color]), select, textarea");
    if (isTyping && event.key !== "Escape") return;
    const does = {
      "?": openHelp, "/": () => byId("find").focus(), "[": () => pinned.step(-1), "]": () => pinned.step(1), g: () => map.host.focus(),
      m: () => byId("map-kind").focus(), c: () => byId("colour").focus(), s: () => document.querySelector(".sliders input[type=range]")?.focus(),
      t: () => state.set({ thumbnails: state.get("thumbnails") === "off" ? null : "off" }),
      Escape: () => (isTyping ? event.target.blur() : state.get("pin") ? pinned.pin(null) : state.set({ only: null })),
    }[event.key];
    if (!does) return;
    event.preventDefault();
    does();
  });
  byId("skip").addEventListener("click", (event) => {
    event.preventDefault();
    map.host.focus();
  });
}

start().catch((error) => {
  document.body.dataset.ready = "failed";
  notice(error.status === 403 ? "Open the address that `vaelab explore` printed: it ends in a token." : error.message);
  if (!error.status && !error.message.startsWith("The server")) throw error;
});
