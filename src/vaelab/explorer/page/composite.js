// From stored values to colours: every channel in its colour between its two ends, the brighter one winning at each pixel.
// The same for images as they were stored and for what the model draws, which comes in the same units.

import { inMemory } from "./dom.js";

/** Fills RGBA bytes, which round what is put into them, from (channel, height, width) values that begin at `start`. */
export function composite(values, start, numPixels, settings, out) {
  out.fill(0);
  for (const [c, channel] of settings.channels.entries()) {
    if (!channel.on) continue;
    const [red, green, blue] = channel.colour;
    const span = channel.hi - channel.lo || 1;
    const from = start + c * numPixels;
    for (let p = 0; p < numPixels; p++) {
      let share = (values[from + p] - channel.lo) / span;
      if (!(share > 0)) continue;
      if (share > 1) share = 1;
      if (settings.root) share = Math.sqrt(share);
      const k = 4 * p;
      if (share * red > out[k]) out[k] = share * red;
      if (share * green > out[k + 1]) out[k + 1] = share * green;
      if (share * blue > out[k + 2]) out[k + 2] = share * blue;
    }
  }
  for (let k = 3; k < out.length; k += 4) out[k] = 255;
}

/** Draws the image at a place of an array {data, shape: (image, channel, height, width)} on a canvas of its size. */
export function paint(canvas, array, settings, place = 0) {
  const [, channels, height, width] = array.shape;
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const context = inMemory(canvas);
  const picture = context.createImageData(width, height);
  composite(array.data, place * channels * height * width, height * width, settings, picture.data);
  context.putImageData(picture, 0, 0);
  return canvas;
}

/** How far two arrays differ at each pixel, without a sign. */
export function difference(a, b) {
  return { data: Float32Array.from(b.data, (value, i) => Math.abs(value - a.data[i])), shape: b.shape };
}

/** Settings in which a difference is drawn: from nothing to as much as each channel's ends are apart. */
export function ofDifferences(settings) {
  const channels = settings.channels.map((channel) => ({ ...channel, lo: 0, hi: channel.hi - channel.lo }));
  return { ...settings, channels };
}
