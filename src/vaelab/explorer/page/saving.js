// Files that the page gives: a sheet of images, a table, an archive.

import { paint } from "./composite.js";

const [MOST, AT_ONCE, GAP, LONGEST] = [256, 16, 2, 160];

/** Gives a file to the browser, which asks or puts it where files go. */
export function save(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

export const png = (canvas) => new Promise((done) => canvas.toBlob(done, "image/png"));

/** So many places of a list at most, evenly spaced. */
export function some(places, most = MOST) {
  if (places.length <= most) return places;
  return Array.from({ length: most }, (_, i) => places[Math.round((i * (places.length - 1)) / (most - 1))]);
}

/** A canvas with images of these places, 256 at most, in the channels' colours. */
export async function sheet(run, channels, places) {
  const shown = some(places);
  const columns = Math.ceil(Math.sqrt(shown.length * 1.3));
  const [, height, width] = run.about.image_shape;
  const share = Math.min(1, LONGEST / Math.max(height, width));
  const [wide, tall] = [Math.round(width * share), Math.round(height * share)];
  const canvas = Object.assign(document.createElement("canvas"), { width: columns * (wide + GAP) - GAP, height: Math.ceil(shown.length / columns) * (tall + GAP) - GAP });
  const context = canvas.getContext("2d");
  const one = document.createElement("canvas");
  for (let start = 0; start < shown.length; start += AT_ONCE) {
    const array = await run.api.pixels(shown.slice(start, start + AT_ONCE));
    for (let i = 0; i < array.shape[0]; i++) {
      const k = start + i;
      context.drawImage(paint(one, array, channels.settings, i), (k % columns) * (wide + GAP), Math.floor(k / columns) * (tall + GAP), wide, tall);
    }
  }
  return canvas;
}
