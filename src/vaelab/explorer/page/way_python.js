// The way as lines of Python that make it again.

const row = (words) => /^image #(\d+)$/.exec(words)?.[1];
const list = (z) => `[${Array.from(z, (v) => Number(v.toPrecision(8))).join(", ")}]`;

/** Lines that load the run, find both ends, and decode the way between them. */
export function inPython({ run, ends, kind, codes, like }) {
  const steps = codes.length / run.latentDim;
  const rows = ends.map((end) => row(end.words));
  const conditional = run.about.conditions.length > 0;
  const model = conditional ? `run.given([${run.rows[like ?? 0]}] * 2)` : "run";
  const places = rows.every(Boolean) ? `z = torch.from_numpy(vaelab.embed(run, [${rows.join(", ")}]).loc)` : `z = torch.tensor([${ends.map((end) => list(end.z)).join(",\n                  ")}])`;
  const between = kind === "geodesic"
    ? [`from vaelab.inference import decode_mean, geodesics`, `codes = torch.from_numpy(geodesics(${conditional ? `run.given([${run.rows[like ?? 0]}])` : "run"}, z[:1], z[1:], num_points=${2 * (steps - 1) + 1}).points[0, ::2])`]
    : [`from vaelab.inference import decode_mean`, `codes = torch.lerp(z[:1], z[1:], torch.linspace(0, 1, ${steps})[:, None])`];
  return ["import torch", "import vaelab", between[0], "", `run = vaelab.load(${JSON.stringify(run.about.path)})`, places, between[1], `images = decode_mean(${conditional ? model.replace("2", String(steps)) : model}, codes)  # ${steps} images in [0, 1]`].join("\n");
}
