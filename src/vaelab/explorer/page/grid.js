// Points by the cell they lie in, so that those near a place are found without looking at all.

export class PointGrid {
  constructor(points, bounds) {
    const size = points.length / 2;
    this.points = points;
    this.cells = Math.max(1, Math.min(1024, Math.round(Math.sqrt(size / 3))));
    this.side = (bounds.span * 1.0001) / this.cells;
    this.left = bounds.x - bounds.span / 2;
    this.low = bounds.y - bounds.span / 2;
    this.starts = new Uint32Array(this.cells * this.cells + 1);
    const cell = new Uint32Array(size);
    for (let i = 0; i < size; i++) {
      cell[i] = this.column(points[2 * i]) + this.cells * this.row(points[2 * i + 1]);
      this.starts[cell[i] + 1]++;
    }
    for (let c = 0; c < this.starts.length - 1; c++) this.starts[c + 1] += this.starts[c];
    const next = this.starts.slice();
    this.order = new Uint32Array(size);
    for (let i = 0; i < size; i++) this.order[next[cell[i]]++] = i;
  }

  column = (x) => Math.min(this.cells - 1, Math.max(0, Math.floor((x - this.left) / this.side)));
  row = (y) => Math.min(this.cells - 1, Math.max(0, Math.floor((y - this.low) / this.side)));

  /** Calls f with each point that may lie in a box. */
  inBox(x0, y0, x1, y1, f) {
    for (let row = this.row(y0); row <= this.row(y1); row++) {
      const first = this.starts[row * this.cells + this.column(x0)];
      const last = this.starts[row * this.cells + this.column(x1) + 1];
      for (let k = first; k < last; k++) f(this.order[k]);
    }
  }

  /** The point nearest to (x, y) within a radius, or -1; of those that are `wanted` first. */
  nearest(x, y, radius, wanted = null) {
    let [found, least, other, leastOther] = [-1, radius * radius, -1, radius * radius];
    this.inBox(x - radius, y - radius, x + radius, y + radius, (i) => {
      const d = (this.points[2 * i] - x) ** 2 + (this.points[2 * i + 1] - y) ** 2;
      if (!wanted || wanted[i]) {
        if (d <= least) [found, least] = [i, d];
      } else if (d <= leastOther) [other, leastOther] = [i, d];
    });
    return found >= 0 ? found : other;
  }

  /** How many points lie in a box, at most so many. */
  countInBox(x0, y0, x1, y1, most) {
    let sum = 0;
    for (let row = this.row(y0); row <= this.row(y1) && sum <= most; row++) {
      sum += this.starts[row * this.cells + this.column(x1) + 1] - this.starts[row * this.cells + this.column(x0)];
    }
    return sum;
  }
}
