// The page: its runs are opened, each with its map and panels, and keys are told whom they mean.

import * as state from "./state.js";
import { server } from "./api.js";
import { Channels } from "./channels.js";
import { byId, count } from "./dom.js";
import { openHelp } from "./help.js";
import { forget, notice } from "./notes.js";
import { Pair } from "./pair.js";
import { Room, placesOf } from "./room.js";
import { Run } from "./run.js";
import { stageOf } from "./stages.js";

async function start() {
  const opened = (k) => new Run(k, stageOf(k)).open(() => notice(`The ${stageOf(k)} stage is being opened; that takes a while, once.`, "waiting"));
  const first = await opened(0);
  const runs = [first, ...(await Promise.all(first.about.runs.slice(1).map((_, i) => opened(i + 1))))];
  forget("waiting");
  const names = first.about.runs.join(" and ");
  document.title = `${names} · vaelab explorer`;
  byId("run-name").textContent = names;
  byId("run-words").textContent = [...new Set(runs.map(({ about }) => `${count(about.num_images)} ${about.on}`))].join(" and ");
  for (const note of runs.flatMap(({ about }) => about.notes)) notice(`${note}.`);
  for (const run of runs) run.hosts = placesOf(run);

  const channels = new Channels(first);
  const rooms = runs.map((run) => new Room(run, channels));
  const pair = rooms.length > 1 ? new Pair(rooms) : null;
  await Promise.all([channels, ...rooms].map((part) => part.open()));
  document.body.dataset.ready = "points";
  await new Promise((seen) => requestAnimationFrame(() => setTimeout(seen)));
  await Promise.all(rooms.map((room) => room.openPanels()));
  keys(() => pair?.room ?? rooms[0], pair);
  server.addEventListener("back", () => rooms.forEach((room) => room.again()));
  document.body.dataset.ready = "all";
  for (const { map } of rooms) map.takeCard();
}

/** Keys mean the room that is in focus. */
function keys(room, pair) {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const isTyping = event.target.matches("input:not([type=checkbox], [type=range], [type=color]), select, textarea");
    if (isTyping && event.key !== "Escape") return;
    const does = {
      ...room().keys(), "?": openHelp, Escape: () => (isTyping ? event.target.blur() : room().escape()),
      t: () => state.set({ thumbnails: state.get("thumbnails") === "off" ? null : "off" }), ...(pair && { f: () => pair.turn() }),
    }[event.key];
    if (!does) return;
    event.preventDefault();
    does();
  });
  byId("skip").addEventListener("click", (event) => {
    event.preventDefault();
    room().map.host.focus();
  });
}

server.addEventListener("away", () => notice("The server does not answer: was it stopped? This page goes on when it is back.", "away"));
server.addEventListener("back", () => forget("away"));
server.addEventListener("other", () => notice("The server was started anew: open the address that it printed. What is seen here stays in this one, after #.", "away"));

start().catch((error) => {
  document.body.dataset.ready = "failed";
  if (error.status === 0) server.addEventListener("back", () => location.reload());
  else notice(error.status === 403 ? "Open the address that `vaelab explore` printed: it ends in a token." : error.message);
  if (error.status === undefined) throw error;
});
