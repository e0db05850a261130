// How points look, whoever draws them: their size, their shapes, and how the number of those that overlap is shown.

/** From so many points on that are seen, they are added up. */
export const MANY = 25_000;

/** Pixels across: fewer where more points are seen. */
export function pointSize(visible, camera) {
  const each = Math.sqrt((camera.width * camera.height) / Math.max(1, visible));
  return Math.max(3.5, Math.min(11, each * 0.3));
}

/** How far a place, in half-sizes from the middle, is outside a shape; below 0 it is inside. As in points_webgl.js. */
export function away(shape, x, y) {
  const [a, b] = [Math.abs(x), Math.abs(y)];
  if (shape === 1) return Math.max(a, b) - 0.8;
  if (shape === 2) return Math.max(a * 0.87 - y * 0.5, y) - 0.56;
  if (shape === 3) return (a + b) * 0.7071 - 0.72;
  if (shape === 4) return Math.min(Math.max(a - 0.36, b - 0.95), Math.max(a - 0.95, b - 0.36));
  if (shape === 5) return Math.abs(Math.hypot(x, y) - 0.62) - 0.28;
  return Math.hypot(x, y) - 0.86;
}

/** How opaque added points are: {weight, most} of opacity = most (0.34 + 0.66 (1 - exp(-weight sum))). */
export function tone(camera, visible, step, wanted) {
  const crowd = (visible * 7) / (camera.width * camera.height * 0.4);
  return { weight: (0.55 / Math.max(0.6, crowd)) * step, most: wanted === 0 ? 0.7 : 1 };
}
