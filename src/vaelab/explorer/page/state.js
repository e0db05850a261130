// What is shown, in the address: a link or a reload restores it. Each module owns its keys; docs/design.md lists them.

const read = () => new URLSearchParams(location.hash.slice(1));
let values = read();
const listeners = new Map();
let timer = 0;

function write() {
  clearTimeout(timer);
  timer = setTimeout(() => history.replaceState(null, "", `#${values}`), 120);
}

/** The text under a key, or null. */
export const get = (key) => values.get(key);

/** Sets texts by key (null: takes it away) and tells whoever listens. */
export function set(changes) {
  const changed = Object.entries(changes).filter(([key, value]) => values.get(key) !== (value === null ? null : String(value)));
  for (const [key, value] of changed) value === null ? values.delete(key) : values.set(key, value);
  if (changed.length) write();
  for (const [key] of changed) for (const f of listeners.get(key) ?? []) f(values.get(key));
}

/** Calls f when the text under a key changes. */
export function on(key, f) {
  listeners.set(key, [...(listeners.get(key) ?? []), f]);
}

addEventListener("hashchange", () => {
  const before = values;
  values = read();
  for (const key of new Set([...before.keys(), ...values.keys()])) {
    if (before.get(key) !== values.get(key)) for (const f of listeners.get(key) ?? []) f(values.get(key));
  }
});

/** Numbers as text that an address holds, bit for bit. */
export function packed(numbers) {
  const bytes = new Uint8Array(Float32Array.from(numbers).buffer);
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** The numbers again, or null where they are not so many. */
export function unpacked(text, length) {
  try {
    const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
    const found = new Float32Array(bytes.buffer);
    return found.length === length && found.every(Number.isFinite) ? found : null;
  } catch {
    return null;
  }
}
