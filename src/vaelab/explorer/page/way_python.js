// The way as lines of Python that make it again.

const row = (words) => /^image #(\d+)$/.exec(words)?.[1];
const list = (z) => `[${Array.from(z, (v) => Number(v.toPrecision(8))).join(", ")}]`;

/** Lines that load the run, find both ends, and decode the way between them. */
export function inPython({ run, ends, kind, codes, like }) {
  const { about, rows: places, api, latentDim } = run;
  const steps = codes.length / latentDim;
  const rows = ends.map((end) => row(end.words));
  const stage = about.stage === about.stages.at(-1) ? "" : `.at_stage(${JSON.stringify(about.stage)})`;
  const under = api.under.map(([column, value]) => `${JSON.stringify(column)}: ${about.conditions.find((each) => each.column === column).categories.length ? JSON.stringify(value) : Number(value)}`);
  const model = (count) => {
    if (!about.conditions.length) return "run";
    const images = `[${places[like ?? 0]}] * ${count}`;
    return under.length ? `run.given_table(run.dataset.collection.table.iloc[${images}].assign(**{${under.join(", ")}}))` : `run.given(${images})`;
  };
  const z = rows.every(Boolean) ? `z = torch.from_numpy(vaelab.embed(run, [${rows.join(", ")}]).loc)` : `z = torch.tensor([${ends.map((end) => list(end.z)).join(",\n                  ")}])`;
  const between = kind === "geodesic"
    ? [`from vaelab.inference import decode_mean, geodesics`, `codes = torch.from_numpy(geodesics(${model(1)}, z[:1], z[1:], num_points=${2 * (steps - 1) + 1}).points[0, ::2])`]
    : [`from vaelab.inference import decode_mean`, `codes = torch.lerp(z[:1], z[1:], torch.linspace(0, 1, ${steps})[:, None])`];
  return ["import torch", "import vaelab", between[0], "", `run = vaelab.load(${JSON.stringify(about.path)})${stage}`, z, between[1], `images = decode_mean(${model(steps)}, codes)  # ${steps} images in [0, 1]`].join("\n");
}
