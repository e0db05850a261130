// Elements from code. Texts go in as text nodes only, so that no name or column is ever read as HTML.

/** el("p", {class: "note", onclick: f}, "words", other) makes an element; false and null among the children are left out. */
export function el(tag, settings = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(settings)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked" || name === "disabled" || name === "open") made[name] = value;
    else made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children.flat().filter((child) => child !== false && child !== null && child !== undefined));
  return made;
}

/** Puts others in place of an element's children. The focus stays on the control at its place, what was unfolded stays so. */
export function renew(host, ...children) {
  const all = (what) => [...host.querySelectorAll(what)];
  const controls = "button, input, select, summary, [tabindex]";
  const focused = all(controls).indexOf(document.activeElement);
  const open = all("details").map((each) => each.open);
  host.replaceChildren(...children);
  all("details").forEach((each, i) => { each.open = open[i] ?? each.open; });
  if (focused >= 0) (all(controls)[focused] ?? all(controls).at(-1))?.focus({ preventScroll: true });
}

/** A canvas's context whose pixels stay in memory: those that are computed here have no use for a graphics card. */
export const inMemory = (canvas) => canvas.getContext("2d", { willReadFrequently: true });

export const byId = (id) => document.getElementById(id);

/** Says something to those who hear the page. */
export function say(words) {
  byId("said").textContent = words;
}

/** A number in few digits, with a true minus. */
export function number(value, digits = 3) {
  if (value === null || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  const text = size !== 0 && (size < 1e-3 || size >= 1e6) ? value.toExponential(digits - 1) : String(Number(value.toPrecision(digits)));
  return text.replace("-", "−");
}

export const count = (value) => String(value).replace(/\B(?=(\d{3})+$)/g, ",");

/** Calls f a while after the last of several calls. */
export function later(f, ms) {
  let timer = 0;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => f(...values), ms);
  };
}

/** Calls f once before the next frame, however often it is asked. */
export function perFrame(f) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      f();
    });
  };
}
