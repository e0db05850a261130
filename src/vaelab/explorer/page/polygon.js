// Which of many points lie inside a polygon: its edges are sorted into bands, so that a point is compared with few.

const MOST_BANDS = 1024;

/** A mask (1: inside, by the even-odd rule) of points x, y, x, y, ... in a polygon [[x, y], ...], which is closed. */
export function inside(points, polygon) {
  const size = points.length / 2;
  const mask = new Uint8Array(size);
  const corners = polygon.length;
  if (corners < 3) return mask;
  let [left, right, low, high] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const [x, y] of polygon) {
    left = Math.min(left, x);
    right = Math.max(right, x);
    low = Math.min(low, y);
    high = Math.max(high, y);
  }
  if (!(high > low)) return mask;
  const bands = Math.min(MOST_BANDS, 4 * corners);
  const perUnit = bands / (high - low);
  const band = (y) => Math.min(bands - 1, Math.max(0, Math.floor((y - low) * perUnit)));
  const edges = Array.from({ length: bands }, () => []);
  for (let i = 0; i < corners; i++) {
    const [ax, ay] = polygon[i], [bx, by] = polygon[(i + 1) % corners];
    if (ay === by) continue;
    for (let k = band(Math.min(ay, by)), last = band(Math.max(ay, by)); k <= last; k++) edges[k].push(ax, ay, bx, by);
  }
  const flat = edges.map((each) => Float64Array.from(each));
  for (let i = 0; i < size; i++) {
    const x = points[2 * i], y = points[2 * i + 1];
    if (x < left || x > right || y < low || y > high) continue;
    const near = flat[band(y)];
    let odd = 0;
    for (let k = 0; k < near.length; k += 4) {
      const ay = near[k + 1], by = near[k + 3];
      if (ay > y !== by > y && x < ((near[k + 2] - near[k]) * (y - ay)) / (by - ay) + near[k]) odd ^= 1;
    }
    mask[i] = odd;
  }
  return mask;
}
