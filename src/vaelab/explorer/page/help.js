// What the keys do, over the page, on "?".

import { isCopy } from "./copy.js";
import { el } from "./dom.js";

const KEYS = [
  ["The map", [["drag · arrow keys", "move"], ["wheel · + −", "zoom"], ["0", "everything"], ["click · Enter", "pin the image there, or the one nearest to the middle"], ["click on free ground · D", "decode there"], ["T", "thumbnails on or off"]]],
  ["Selection", [["L · R", "lasso, rectangle; again: move the map"], ["Shift + drag", "a lasso that adds, with no tool in hand"], ["Shift · Alt", "while drawing, clicking or pressing Enter: add, take away; both: keep what is in both"], ["X", "add the image nearest to the middle, or take it away"], ["Q", "to the query", "asks the server"], ["I", "all others"]]],
  ["Images", [["/", "find by name or row"], ["[ ]", "the image before, the next"], ["Esc", "put the tool away; unpin; clear the selection"]]],
  ["The page", [["M · C", "to the map's kind, to its colour"], ["G", "to the map"], ["F", "to the other run, where there are two"], ["S · W", "to the first slider, to the way", "asks the server"], ["V", "grid of two latents", "asks the server"], ["Tab", "on to the next control"], ["?", "this"]]],
];

let dialog = null;

export function openHelp() {
  if (!dialog) {
    dialog = el("dialog", { class: "help", "aria-labelledby": "help-title" },
      el("header", {}, el("h2", { id: "help-title" }, "Keys"), el("button", { class: "quiet", onclick: () => dialog.close() }, "close")),
      el("div", { class: "keys" }, KEYS.map(([title, rows]) => el("section", {}, el("h3", {}, title), el("dl", {}, rows.filter(([, , server]) => !(server && isCopy)).flatMap(([keys, words]) => [el("dt", {}, keys.split(" · ").flatMap((key, i) => [i > 0 && " or ", el("kbd", {}, key)])), el("dd", {}, words)]))))),
      el("p", { class: "fine" }, "The ground is shaded where no image lies near on this map. How dense the data are at a decoded place is measured in latent space itself: by the distance to the tenth nearest image, against that of the images among each other. The address holds all that is seen: a link or a reload brings it back."));
    dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
    document.body.append(dialog);
  }
  if (!dialog.open) dialog.showModal();
}
