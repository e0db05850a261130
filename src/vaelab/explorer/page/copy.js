// The answers of a copy without a server: read from files beside the page; see vaelab.explorer.export for what they hold.

const TYPES = { uint8: Uint8Array, uint16: Uint16Array, int32: Int32Array, float32: Float32Array };
const NEIGHBOURS = 10;
const MOST_FOUND = 20;

/** Whether this page is such a copy. */
export const isCopy = document.documentElement.hasAttribute("data-copy");

const come = new Map();
if (isCopy) globalThis.vaelabFile = (name, value) => come.set(name, value);

/** What a file holds; each is a script, as a page that is opened as a file may read no others. */
function read(name) {
  return new Promise((done, fail) => {
    const script = document.createElement("script");
    script.src = `data/${name}.js`;
    script.onload = () => {
      const { json, shape, type, bytes } = come.get(name);
      come.delete(name);
      script.remove();
      done(bytes === undefined ? json : { data: new TYPES[type](bytesOf(bytes).buffer), shape });
    };
    script.onerror = () => fail(new Error(`The file data/${name}.js is missing from this copy.`));
    document.head.append(script);
  });
}

function bytesOf(text) {
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i);
  return bytes;
}

/** What can be asked of one run of a copy: the names are those of `connect` in api.js. */
export function copyOf(k) {
  const known = new Map();
  const file = (name) => {
    if (!known.has(name)) known.set(name, read(`${k}-${name}`));
    return known.get(name);
  };
  const data = async (name) => (await file(name)).data;
  const code = async (place) => {
    const { data, shape: [, latents] } = await file("codes");
    return data.subarray(place * latents, (place + 1) * latents);
  };
  /** Images of several places, from files that hold some each. */
  const pictures = async (name, places) => {
    const { copy: { chunk } } = await file("about");
    const files = await Promise.all(places.map((place) => file(`${name}-${Math.floor(place / chunk)}`)));
    const [, ...shape] = files[0].shape;
    const size = shape.reduce((a, b) => a * b);
    const found = new files[0].data.constructor(places.length * size);
    places.forEach((place, i) => found.set(files[i].data.subarray((place % chunk) * size, ((place % chunk) + 1) * size), i * size));
    return { data: found, shape: [places.length, ...shape] };
  };
  const column = async (name) => {
    const [, latent] = /^z(\d+)$/.exec(name) ?? [];
    if (latent !== undefined) return latentOf(await file("codes"), Number(latent));
    const { columns } = await file("about");
    const i = columns.findIndex((each) => each.name === name);
    if (i < 0) throw new Error(`There is no column ${name} in this copy.`);
    return columns[i].kind === "text" ? file(`column-${i}`) : data(`column-${i}`);
  };
  const words = async (head, place) => {
    const values = await column(head.name);
    if (head.kind === "text") return values[place];
    if (head.kind === "categories") return head.names[values[place]] ?? "";
    return Number.isNaN(values[place]) ? "" : String(Number(values[place].toPrecision(6)));
  };
  const named = async (places) => {
    const [rows, names] = await Promise.all([data("rows"), file("names")]);
    return places.map((at) => ({ at, row: rows[at], name: names[at] }));
  };
  return {
    under: [],
    about: () => file("about"),
    rows: () => data("rows"),
    places: () => file("places"),
    column,
    codes: async (place) => ({ data: (await code(place)).slice(), shape: [1, (await file("codes")).shape[1]] }),
    quantiles: () => file("quantiles"),
    pixels: (places) => pictures("pixels", [].concat(places)),
    thumbnails: (places) => pictures("pixels", places),
    reconstruction: (places) => pictures("drawn", [].concat(places)),
    selections: () => file("selections"),
    selection: async (name) => data(`selection-${(await file("selections")).findIndex((each) => each.name === name)}`),
    async points(map) {
      if (map === "PCA") return data("PCA");
      const [, first, second] = /^z(\d+),z(\d+)$/.exec(map) ?? [];
      if (first === undefined) return data(`map-${Object.keys((await file("about")).maps.curved).indexOf(map)}`);
      const [across, upward] = [first, second].map((latent) => column(`z${latent}`));
      const [xs, ys] = [await across, await upward];
      return Float32Array.from({ length: 2 * xs.length }, (_, i) => (i % 2 ? ys : xs)[i >> 1]);
    },
    async record(place) {
      const { columns, copy } = await file("about");
      const [{ name, row }] = await named([place]);
      const all = await Promise.all(columns.map(async (head) => [head.name, await words(head, place)]));
      return { name, row, columns: all.slice(0, copy.of_table), measured: all.slice(copy.of_table) };
    },
    async find(text) {
      const [rows, names] = await Promise.all([data("rows"), file("names")]);
      const wanted = text.trim().toLowerCase();
      const rank = (name) => (name === wanted ? 0 : name.endsWith(wanted) ? 1 : name.includes(wanted) ? 2 : 3);
      const ranked = names.map((name, at) => [rank(name.toLowerCase()), at]).filter(([each]) => each < 3).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
      const places = ranked.slice(0, MOST_FOUND).map(([, at]) => at);
      const row = Number(wanted.replace(/^#/, ""));
      return named(places.length || !/^#?\d+$/.test(wanted) ? places : [rows.indexOf(row)].filter((at) => at >= 0));
    },
    async near(z, count) {
      const [codes, typical] = await Promise.all([file("codes"), data("typical")]);
      const found = nearest(codes, z, Math.max(count, NEIGHBOURS + 1));
      const others = found[0].distance < 1e-6 && found.length > 1 ? found.slice(1) : found;
      const { distance } = others.slice(0, NEIGHBOURS).at(-1);
      const share = typical.filter((each) => each >= distance).length / typical.length;
      const shown = found.slice(0, count);
      const images = await named(shown.map(({ at }) => at));
      return { nearest: images.map((image, i) => ({ ...image, distance: shown[i].distance })), distance, share, ratio: distance / Math.max(typical.at(-1), 1e-12), num_images: typical.length };
    },
    /** The image of a place that was decoded, or of an image that is drawn again there; the nearest there is. */
    async decode(z, { like = null } = {}) {
      const { images } = await file("about");
      if (like !== null && images && (await code(like)).every((value, i) => value === z[i])) return pictures("drawn", [like]);
      const [{ at }] = nearest(await file("places"), z, 1);
      const { data, shape: [, ...shape] } = await file("decoded");
      const size = shape.reduce((a, b) => a * b);
      return { data: data.slice(at * size, (at + 1) * size), shape: [1, ...shape] };
    },
    /** A CSV: row, image and columns of each image of a mask. */
    async ids(mask) {
      const { columns, copy } = await file("about");
      const heads = columns.slice(0, copy.of_table).filter(({ name }) => !["row", "image"].includes(name));
      const lines = [["row", "image", ...heads.map(({ name }) => name)]];
      const places = [...mask.keys()].filter((place) => mask[place]);
      for (const { at, row, name } of await named(places)) lines.push([row, name, ...(await Promise.all(heads.map((head) => words(head, at))))]);
      const cell = (value) => (/[",\n\r]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : value);
      return new Blob([lines.map((line) => `${line.map(cell).join(",")}\n`).join("")], { type: "text/csv" });
    },
  };
}

const latentOf = ({ data, shape: [size, latents] }, latent) => Float32Array.from({ length: size }, (_, i) => data[i * latents + latent]);

/** The codes nearest to one, nearest first, as {at, distance}: so many at most. */
export function nearest({ data, shape: [size, latents] }, z, count) {
  const best = [];
  for (let at = 0; at < size; at++) {
    let sum = 0;
    for (let i = 0; i < latents; i++) sum += (data[at * latents + i] - z[i]) ** 2;
    if (best.length === count && sum >= best.at(-1).sum) continue;
    let k = best.length;
    while (k > 0 && best[k - 1].sum > sum) k--;
    best.splice(k, 0, { at, sum });
    if (best.length > count) best.pop();
  }
  return best.map(({ at, sum }) => ({ at, distance: Math.sqrt(sum) }));
}
