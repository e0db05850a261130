// Lines below the head of the page: what a reader should know, what is waited for, what was refused.

import { byId, el } from "./dom.js";

/** A line below the head; one of a kind at a time. */
export function notice(words, kind = "") {
  const notes = byId("notes");
  if ([...notes.children].some((note) => note.firstChild.textContent === words)) return;
  if (kind) forget(kind);
  notes.append(el("p", { class: kind }, el("span", {}, words), el("button", { class: "quiet", "aria-label": "Close this note", onclick: (event) => event.target.parentElement.remove() }, "×")));
}

/** Takes the line of a kind away. */
export function forget(kind) {
  byId("notes").querySelector(`.${kind}`)?.remove();
}

/** Does what may take long; what is refused is said, and undone. */
export async function attempt(does, undo) {
  try {
    await does();
  } catch (error) {
    if (error.status === 0) return; // the page says so, and asks again when the server is back
    notice(error.message);
    undo();
  } finally {
    forget("waiting");
  }
}
