// How much pixels matter, laid over their image: the image in grey, and orange the more the more it matters.

import { paint } from "./composite.js";
import { inMemory } from "./dom.js";

const ORANGE = [255, 140, 0];

/** Draws the first image of an array, with a map {data, shape: (height, width)} over it, on a canvas. */
export function overlay(canvas, pixels, map, settings) {
  paint(canvas, pixels, settings);
  const context = inMemory(canvas);
  const picture = context.getImageData(0, 0, canvas.width, canvas.height);
  const { data } = picture;
  let most = 0;
  for (const value of map.data) if (value > most) most = value;
  for (let p = 0; p < map.data.length; p++) {
    const k = 4 * p;
    const share = most > 0 ? map.data[p] / most : 0;
    const grey = (data[k] + data[k + 1] + data[k + 2]) / 3;
    for (let c = 0; c < 3; c++) data[k + c] = (1 - share) * grey + share * ORANGE[c];
  }
  context.putImageData(picture, 0, 0);
}
