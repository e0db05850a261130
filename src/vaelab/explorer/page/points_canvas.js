// Points without WebGL2: drawn into the pixels of a canvas, as discs, one over the other.

import { pointSize } from "./points_webgl.js";

const MOVING = 60_000;

export class CanvasPoints {
  constructor(canvas) {
    Object.assign(this, { canvas, context: canvas.getContext("2d"), points: new Float32Array(), order: [], looks: new Uint8Array() });
  }

  setPoints(points, order) {
    Object.assign(this, { points, order });
  }

  setLooks(looks) {
    this.looks = looks;
  }

  draw(camera, { ratio, moving, visible }) {
    const { width, height } = this.canvas;
    this.context.clearRect(0, 0, width, height);
    if (!this.order.length || !this.looks.length) return;
    const picture = this.context.createImageData(width, height);
    const radius = (pointSize(visible, camera) * ratio) / 2;
    const number = moving ? Math.min(MOVING, this.order.length) : this.order.length;
    const opacity = visible > 25_000 ? 0.35 : 0.85;
    for (const isSelected of [0, 1]) {
      for (let k = 0; k < number; k++) {
        const i = this.order[k];
        if ((this.looks[4 * i + 3] & 1) !== isSelected) continue;
        const [x, y] = camera.toScreen(this.points[2 * i], this.points[2 * i + 1]);
        disc(picture, x * ratio, y * ratio, radius, this.looks, 4 * i, opacity);
      }
    }
    this.context.putImageData(picture, 0, 0);
  }
}

function disc({ data, width, height }, x, y, radius, looks, at, opacity) {
  const x0 = Math.max(0, Math.ceil(x - radius)), x1 = Math.min(width - 1, Math.floor(x + radius));
  const y0 = Math.max(0, Math.ceil(y - radius)), y1 = Math.min(height - 1, Math.floor(y + radius));
  for (let row = y0; row <= y1; row++) {
    for (let column = x0; column <= x1; column++) {
      if ((column - x) ** 2 + (row - y) ** 2 > radius * radius) continue;
      const k = 4 * (row * width + column);
      const under = (data[k + 3] / 255) * (1 - opacity);
      const whole = opacity + under;
      for (let c = 0; c < 3; c++) data[k + c] = (looks[at + c] * opacity + data[k + c] * under) / whole;
      data[k + 3] = 255 * whole;
    }
  }
}
