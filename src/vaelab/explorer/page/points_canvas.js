// Points without a graphics card: added up in memory and put on a canvas. Where WebGL2 is made by software, this is the
// faster way by far. The picture is the same: shapes where there are few, and where points overlap how many there are.

import { inMemory } from "./dom.js";
import { MANY, away, pointSize, tone } from "./points_look.js";

const MOVING = 400_000;

export class CanvasPoints {
  constructor(canvas) {
    Object.assign(this, { canvas, context: inMemory(canvas), points: new Float32Array(), order: [], looks: new Uint8Array() });
  }

  setPoints(points, order) {
    Object.assign(this, { points, order });
  }

  setLooks(looks) {
    this.looks = looks;
    this.someUnselected = looks.some((bits, i) => i % 4 === 3 && (bits & 1) === 0);
  }

  draw(camera, how) {
    const { width, height } = this.canvas;
    if (!width || !this.looks.length) return;
    if (this.picture?.width !== width || this.picture.height !== height) this.picture = this.context.createImageData(width, height);
    else this.picture.data.fill(0);
    const scale = camera.scale * how.ratio;
    const at = { scale, left: width / 2 - camera.x * scale, top: height / 2 + camera.y * scale };
    for (const wanted of this.someUnselected ? [0, 1] : [-1]) {
      if (how.visible > MANY) this.addUp(camera, at, wanted, how);
      else this.drawShapes(camera, at, wanted, how);
    }
    this.context.putImageData(this.picture, 0, 0);
  }

  addUp(camera, { scale, left, top }, wanted, { ratio, moving, visible }) {
    const { points, looks } = this;
    const { width, height, data } = this.picture;
    if (this.sums?.length !== 4 * width * height) this.sums = new Float32Array(4 * width * height);
    else this.sums.fill(0);
    const { sums } = this;
    const side = Math.round((visible > 300_000 ? 2 : 3) * ratio);
    const kernel = Float32Array.from({ length: side * side }, (_, k) => {
      const [x, y] = [((k % side) + 0.5) * (2 / side) - 1, (Math.floor(k / side) + 0.5) * (2 / side) - 1];
      return Math.max(0, Math.min(1, 1.35 - x * x - y * y));
    });
    const step = moving ? Math.max(1, Math.round(points.length / 2 / MOVING)) : 1;
    for (let i = 0; 2 * i < points.length; i += step) {
      if (wanted >= 0 && (looks[4 * i + 3] & 1) !== wanted) continue;
      const x = Math.floor(left + points[2 * i] * scale - side / 2 + 0.5), y = Math.floor(top - points[2 * i + 1] * scale - side / 2 + 0.5);
      if (x < 0 || y < 0 || x + side > width || y + side > height) continue;
      const red = looks[4 * i], green = looks[4 * i + 1], blue = looks[4 * i + 2];
      for (let row = 0, k = 0; row < side; row++) {
        for (let at = 4 * ((y + row) * width + x), column = 0; column < side; column++, k++, at += 4) {
          const weight = kernel[k];
          sums[at] += red * weight;
          sums[at + 1] += green * weight;
          sums[at + 2] += blue * weight;
          sums[at + 3] += weight;
        }
      }
    }
    const { weight, most } = tone(camera, visible, step, wanted);
    for (let at = 0; at < sums.length; at += 4) {
      const sum = sums[at + 3];
      if (sum === 0) continue;
      const opacity = most * (0.34 + 0.66 * (1 - Math.exp(-sum * weight))) * Math.min(1, sum * 1.6);
      over(data, at, sums[at] / sum, sums[at + 1] / sum, sums[at + 2] / sum, opacity);
    }
  }

  drawShapes(camera, { scale, left, top }, wanted, { ground, ratio, visible }) {
    const { points, looks, order } = this;
    const { width, height, data } = this.picture;
    const size = pointSize(visible, camera) * ratio;
    const side = Math.ceil(size * 1.25) + 1;
    const masks = Array.from({ length: 6 }, (_, shape) => mask(shape, size, side));
    const opacity = wanted === 0 ? 0.75 : 0.92;
    for (const i of order) {
      const bits = looks[4 * i + 3];
      if (wanted >= 0 && (bits & 1) !== wanted) continue;
      const x = Math.round(left + points[2 * i] * scale - side / 2), y = Math.round(top - points[2 * i + 1] * scale - side / 2);
      if (x < -side || y < -side || x > width || y > height) continue;
      const { columns, rows, inside, opaque } = masks[bits >> 1];
      const isWhole = x >= 0 && y >= 0 && x + side <= width && y + side <= height;
      const red = looks[4 * i] - ground[0], green = looks[4 * i + 1] - ground[1], blue = looks[4 * i + 2] - ground[2];
      for (let k = 0; k < columns.length; k++) {
        const column = x + columns[k], row = y + rows[k], full = inside[k];
        if (!isWhole && (column < 0 || row < 0 || column >= width || row >= height)) continue;
        over(data, 4 * (row * width + column), ground[0] + red * full, ground[1] + green * full, ground[2] + blue * full, opaque[k] * opacity);
      }
    }
  }
}

/** The pixels of a shape and of the rim of ground around it: how far each is inside the shape, and how opaque. */
function mask(shape, size, side) {
  const [columns, rows, inside, opaque] = [[], [], [], []];
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const [x, y] = [column, row].map((v) => ((v + 0.5 - side / 2) * 2) / size);
      const pixels = (away(shape, x, y) * size) / 2;
      const full = Math.min(1, Math.max(0, 0.5 - pixels)), edge = Math.min(1, Math.max(0, 1.6 - pixels)) * 0.75;
      if (edge === 0) continue;
      columns.push(column);
      rows.push(row);
      inside.push(full);
      opaque.push(edge + (1 - edge) * full);
    }
  }
  return { columns, rows, inside, opaque };
}

/** Puts a colour over a pixel. */
function over(data, at, red, green, blue, opacity) {
  if (data[at + 3] === 0) {
    data[at] = red;
    data[at + 1] = green;
    data[at + 2] = blue;
    data[at + 3] = 255 * opacity;
    return;
  }
  const under = (data[at + 3] / 255) * (1 - opacity);
  const whole = opacity + under;
  data[at] = (red * opacity + data[at] * under) / whole;
  data[at + 1] = (green * opacity + data[at + 1] * under) / whole;
  data[at + 2] = (blue * opacity + data[at + 2] * under) / whole;
  data[at + 3] = 255 * whole;
}
