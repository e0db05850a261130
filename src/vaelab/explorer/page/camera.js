// Which piece of the map is seen: a point in the middle, and how many pixels a unit is.

export class Camera extends EventTarget {
  x = 0;
  y = 0;
  scale = 1;
  width = 1;
  height = 1;
  bounds = { x: 0, y: 0, span: 1 };

  changed() {
    this.dispatchEvent(new Event("change"));
  }

  resize(width, height) {
    const before = Math.min(this.width, this.height);
    Object.assign(this, { width, height });
    if (before > 1) this.scale *= Math.min(width, height) / before;
    this.changed();
  }

  toScreen(x, y) {
    return [(x - this.x) * this.scale + this.width / 2, (this.y - y) * this.scale + this.height / 2];
  }

  toData(sx, sy) {
    return [(sx - this.width / 2) / this.scale + this.x, this.y - (sy - this.height / 2) / this.scale];
  }

  pan(dx, dy) {
    this.x -= dx / this.scale;
    this.y += dy / this.scale;
    this.changed();
  }

  /** Makes it larger by a factor, with what lies at (sx, sy) staying there. */
  zoom(factor, sx = this.width / 2, sy = this.height / 2) {
    const [x, y] = this.toData(sx, sy);
    const least = (Math.min(this.width, this.height) / this.bounds.span) * 0.2;
    this.scale = Math.min(least * 1e6, Math.max(least, this.scale * factor));
    this.x = x - (sx - this.width / 2) / this.scale;
    this.y = y + (sy - this.height / 2) / this.scale;
    this.changed();
  }

  goTo(x, y, scale = this.scale) {
    Object.assign(this, { x, y, scale });
    this.changed();
  }

  /** Notes the square that the points fill. */
  measure(points) {
    let [left, right, low, high] = [Infinity, -Infinity, Infinity, -Infinity];
    for (let i = 0; i < points.length; i += 2) {
      if (points[i] < left) left = points[i];
      if (points[i] > right) right = points[i];
      if (points[i + 1] < low) low = points[i + 1];
      if (points[i + 1] > high) high = points[i + 1];
    }
    const [wide, tall] = [right - left || 1e-3, high - low || 1e-3];
    this.bounds = { x: (left + right) / 2, y: (low + high) / 2, wide, tall, span: Math.max(wide, tall) };
  }

  /** Everything, with a margin. */
  fit() {
    const { x, y, wide, tall } = this.bounds;
    this.goTo(x, y, Math.min((this.width - 90) / wide, (this.height - 90) / tall));
  }

  /** As text for the address: the middle, and how many units the shorter side is. */
  toText() {
    return [this.x, this.y, Math.min(this.width, this.height) / this.scale].map((v) => Number(v.toPrecision(5))).join(",");
  }

  fromText(text) {
    const [x, y, span] = (text ?? "").split(",").map(Number);
    if (![x, y, span].every(Number.isFinite) || !(span > 0)) return false;
    this.goTo(x, y, Math.min(this.width, this.height) / span);
    return true;
  }
}
