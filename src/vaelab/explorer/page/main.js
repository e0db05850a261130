// The page: its parts are made, and told of each other.

import * as state from "./state.js";
import { Bar } from "./bar.js";
import { Channels } from "./channels.js";
import { Chosen } from "./chosen.js";
import { Decoded } from "./decoded.js";
import { byId, count, el, say } from "./dom.js";
import { openHelp } from "./help.js";
import { Hover } from "./hover.js";
import { Lasso } from "./lasso.js";
import { LatentGrid } from "./latent_grid.js";
import { Legend } from "./legend.js";
import { MapView } from "./map.js";
import { Thumbnails } from "./pictures.js";
import { Pinned } from "./pinned.js";
import { Run } from "./run.js";
import { Selection } from "./selection.js";
import { Ways } from "./ways.js";

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
  const selection = new Selection(run);
  new Legend(run, selection);
  const lasso = new Lasso(map, selection);
  const chosen = new Chosen(run, selection, channels);
  new Hover(run, channels, map);
  const pinned = new Pinned(run, channels, thumbnails);
  const decoded = new Decoded(run, channels, thumbnails, pinned);
  const bar = new Bar(run, (place) => pinned.pin(place));
  chosen.addEventListener("columns", () => bar.renew());
  const ways = new Ways({ run, channels, map, pinned, decoded, chosen });
  const latentGrid = new LatentGrid({ run, channels, decoded });
  map.host.append(switches(map, lasso));

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
  byId("decoded").querySelector(".sliders h3").append(el("button", { class: "quiet", title: "What is decoded over two latents (V)", onclick: () => latentGrid.open() }, "grid of two"));
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
  await Promise.all([showMap(), showColumn(), chosen.open()]);
  selection.fromState();
  document.body.dataset.ready = "points";
  await pinned.show();
  decoded.fromState();
  await ways.open();
  keys({ map, pinned, lasso, selection, latentGrid });
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
function switches(map, lasso) {
  const box = el("input", { type: "checkbox", checked: map.showsThumbnails, disabled: !map.run.about.images, onchange: (event) => state.set({ thumbnails: event.target.checked ? null : "off" }) });
  state.on("thumbnails", () => { box.checked = map.showsThumbnails; });
  return el("div", { class: "bar" }, lasso.buttons,
    el("label", { class: "check", title: "Images in place of points where there is room for them (T)" }, box, "Thumbnails"),
    el("button", { class: "small", title: "Zoom in (+)", "aria-label": "Zoom in", onclick: () => map.camera.zoom(1.6) }, "+"),
    el("button", { class: "small", title: "Zoom out (−)", "aria-label": "Zoom out", onclick: () => map.camera.zoom(1 / 1.6) }, "−"),
    el("button", { class: "small", title: "Everything (0)", onclick: () => map.camera.fit() }, "Fit"));
}

function keys({ map, pinned, lasso, selection, latentGrid }) {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const isTyping = event.target.matches("input:not([type=checkbox], [type=range], [type=color]), select, textarea");
    if (isTyping && event.key !== "Escape") return;
    const does = {
      "?": openHelp, "/": () => byId("find").focus(), "[": () => pinned.step(-1), "]": () => pinned.step(1), g: () => map.host.focus(),
      m: () => byId("map-kind").focus(), c: () => byId("colour").focus(), s: () => document.querySelector(".sliders input[type=range]")?.focus(),
      t: () => state.set({ thumbnails: state.get("thumbnails") === "off" ? null : "off" }),
      Escape: () => (isTyping ? event.target.blur() : lasso.stop() ? null : state.get("pin") ? pinned.pin(null) : selection.clear()),
      l: () => lasso.use("lasso"), r: () => lasso.use("rectangle"), i: () => selection.invert(), q: () => byId("query").focus(),
      w: () => byId("ways").querySelector("select").focus(), v: () => latentGrid.open(),
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
