// Where images lie on the map, as a soft island on a shaded ground.

import { inMemory } from "./dom.js";
import { rgb } from "./palette.js";

const CELLS = 112;
const MARGIN = 0.25;
const REACH = 2.6;

/** The square around the points, and which of its cells have a point within 2.6 cells. */
export function ground(grid, bounds) {
  const side = bounds.span * (1 + 2 * MARGIN);
  const [left, low] = [bounds.x - side / 2, bounds.y - side / 2];
  const cell = side / CELLS;
  const held = new Uint8Array(CELLS * CELLS);
  const { points } = grid;
  for (let i = 0; i < points.length; i += 2) {
    held[Math.floor((points[i + 1] - low) / cell) * CELLS + Math.floor((points[i] - left) / cell)] = 1;
  }
  const near = new Float32Array(CELLS * CELLS).fill(Infinity);
  const far = Math.ceil(REACH);
  const distances = Float32Array.from({ length: (2 * far + 1) ** 2 }, (_, k) => Math.hypot((k % (2 * far + 1)) - far, Math.floor(k / (2 * far + 1)) - far));
  for (let cell = 0; cell < held.length; cell++) {
    if (!held[cell]) continue;
    const row = Math.floor(cell / CELLS), column = cell % CELLS;
    for (let r = row - far, k = 0; r <= row + far; r++) {
      for (let c = column - far; c <= column + far; c++, k++) {
        if (r < 0 || c < 0 || r >= CELLS || c >= CELLS) continue;
        if (distances[k] < near[r * CELLS + c]) near[r * CELLS + c] = distances[k];
      }
    }
  }
  let made = null, madeOf = "";
  return {
    left, low, side, high: low + side, reach: REACH * cell,
    /** A canvas of the island in a colour. */
    picture(colour) {
      if (madeOf === colour) return made;
      [made, madeOf] = [Object.assign(document.createElement("canvas"), { width: CELLS, height: CELLS }), colour];
      const context = inMemory(made);
      const picture = context.createImageData(CELLS, CELLS);
      new Uint32Array(picture.data.buffer).fill(new Uint32Array(Uint8Array.of(...rgb(colour), 0).buffer)[0]);
      for (let row = 0; row < CELLS; row++) {
        for (let column = 0; column < CELLS; column++) {
          const share = Math.min(1, Math.max(0, REACH + 0.4 - near[(CELLS - 1 - row) * CELLS + column]));
          picture.data[4 * (row * CELLS + column) + 3] = 255 * share;
        }
      }
      context.putImageData(picture, 0, 0);
      return made;
    },
  };
}
