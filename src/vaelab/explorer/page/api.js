// What the server is asked; docs/design.md and vaelab.explorer.app say what each question means.

import { copyOf, isCopy } from "./copy.js";

const TYPES = { uint8: Uint8Array, uint16: Uint16Array, int32: Int32Array, float32: Float32Array };
const token = new URLSearchParams(location.search).get("token") ?? "";
const headers = { "X-Vaelab-Token": token };
const tab = Math.random().toString(36).slice(2);

const [AGAIN_MS, SLOW_MS] = [1500, 800];

/** A question that was refused, with the server's sentence. */
export class Refusal extends Error {
  constructor(status, words) {
    super(words);
    this.status = status;
  }
}

/** Tells of "away" when the server does not answer, then of "back" when it does, or of "other" when another does. */
export const server = new EventTarget();
let isAway = false;
let waited = 0;

function lost() {
  if (isAway) return;
  isAway = true;
  server.dispatchEvent(new Event("away"));
  setTimeout(lookAgain, AGAIN_MS);
}

async function lookAgain() {
  const answer = await fetch("run/0/find?name=", { headers, cache: "no-store" }).catch(() => null);
  if (!answer) return void setTimeout(lookAgain, AGAIN_MS);
  isAway = false;
  server.dispatchEvent(new Event(answer.status === 403 ? "other" : "back"));
}

/** What is asked, with a mark on the page where it takes long. */
async function seen(asked) {
  let isSlow = false;
  const mark = (by) => document.body.toggleAttribute("data-waiting", (waited += by) > 0);
  const timer = setTimeout(() => { isSlow = true; mark(1); }, SLOW_MS);
  try {
    return await asked;
  } finally {
    clearTimeout(timer);
    if (isSlow) mark(-1);
  }
}

async function ask(path, { body, signal } = {}) {
  const settings = { headers, signal, cache: "no-store" };
  if (body) Object.assign(settings, { method: "POST", body });
  let answer;
  try {
    answer = await seen(fetch(path, settings));
  } catch (error) {
    if (error.name === "AbortError") throw error;
    lost();
    throw new Refusal(0, "The server does not answer.");
  }
  if (answer.status >= 400) throw new Refusal(answer.status, await answer.text());
  return answer;
}

/** An answer in bytes as {data, shape}: a typed array, and how long it is each way. */
async function array(answer) {
  const shape = answer.headers.get("X-Shape").split(",").map(Number);
  return { data: new TYPES[answer.headers.get("X-Type")](await answer.arrayBuffer()), shape };
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** An array that may have to be made first: onWait is called as long as it is. */
async function patiently(path, onWait = () => {}, { body, as = array } = {}) {
  for (;;) {
    const answer = await ask(path, { body });
    if (answer.status !== 202) return as(answer);
    onWait();
    await pause(700);
  }
}

/** What can be asked of one run, by its place among those shown: of the server, or in a copy of files. */
export function connect(k = 0) {
  if (isCopy) return copyOf(k);
  const at = (name, places) => `run/${k}/${name}?at=${[].concat(places).join(",")}`;
  let turn = 0;
  /** A query: what is there of some values, and the conditions under which is drawn. */
  const given = (values, under = api.under) => {
    const how = new URLSearchParams(Object.entries(values).filter(([, value]) => value !== null));
    for (const [column, value] of under) how.append("under", `${column}=${value}`);
    return how;
  };
  const api = {
    /** Pairs of column and value, which take the place of an image's own conditions in all that is drawn. */
    under: [],
    about: (onWait) => patiently(`run/${k}/about`, onWait, { as: (answer) => answer.json() }),
    rows: async () => (await patiently(`run/${k}/rows`)).data,
    points: async (map, onWait) => (await patiently(`run/${k}/points?map=${encodeURIComponent(map)}`, onWait)).data,
    column: async (name, onWait) => (await patiently(`run/${k}/column?name=${encodeURIComponent(name)}`, onWait)).data,
    codes: async (places) => array(await ask(at("codes", places))),
    pixels: async (places, signal) => array(await ask(at("pixels", places), { signal })),
    reconstruction: async (places) => array(await ask(`run/${k}/reconstruction?${given({ at: [].concat(places).join(",") })}`)),
    thumbnails: async (places) => array(await ask(at("thumbnails", places))),
    quantiles: async () => array(await ask(`run/${k}/quantiles`)),
    record: async (place, signal) => (await ask(at("record", place), { signal })).json(),
    find: async (text) => (await ask(`run/${k}/find?name=${encodeURIComponent(text)}`)).json(),
    explanations: async () => (await ask(`run/${k}/explanations`)).json(),
    explained: async (name, place) => (await ask(`run/${k}/explained?${new URLSearchParams({ name, at: place })}`)).json(),
    series: async (name, of, place) => array(await ask(`run/${k}/series?${new URLSearchParams({ name, of, at: place })}`)),
    saliency: async (name, of, place) => array(await ask(`run/${k}/saliency?${new URLSearchParams({ name, of, at: place })}`)),
    near: async (z, count, signal) => (await ask(`run/${k}/near?count=${count}`, { body: z, signal })).json(),
    selections: async () => (await ask(`run/${k}/selections`)).json(),
    selection: async (name) => (await array(await ask(`run/${k}/selection?name=${encodeURIComponent(name)}`))).data,
    chosen: async (query) => (await array(await ask(`run/${k}/chosen?query=${encodeURIComponent(query)}`))).data,
    keep: async (name, bits) => (await ask(`run/${k}/keep?name=${encodeURIComponent(name)}`, { body: bits })).json(),
    centre: async (bits) => array(await ask(`run/${k}/centre`, { body: bits })),
    average: async (bits) => array(await ask(`run/${k}/average`, { body: bits })),
    compare: (bits) => patiently(`run/${k}/compare`, undefined, { body: bits, as: (answer) => answer.json() }),
    way: async (ends, { kind, steps, like }, onWait) => patiently(`run/${k}/way?${given({ kind, steps, like })}`, onWait, { body: ends }),
    ways: async () => (await ask(`run/${k}/ways`)).json(),
    keepWay: async (name, kind, ends, words) => (await ask(`run/${k}/keep_way?${new URLSearchParams({ name, kind, from: words[0], to: words[1] })}`, { body: ends })).json(),
    film: async (codes, { like, channels }) => (await ask(`run/${k}/film?${given({ channels, like })}`, { body: codes })).blob(),
    ids: async (bits) => (await ask(`run/${k}/ids`, { body: bits })).blob(),
    archive: async (bits) => (await ask(`run/${k}/archive`, { body: bits })).blob(),
    /** Images of codes, one after another in z; of those with `latest` only the last that was asked is answered. */
    decode: async (z, { like = null, side = null, under, latest = false, signal } = {}) => {
      const how = given({ like, side }, under);
      if (latest) {
        how.set("tab", tab);
        how.set("turn", ++turn);
      }
      return array(await ask(`run/${k}/decode?${how}`, { body: z, signal }));
    },
  };
  return api;
}

/** Runs one question at a time; of those that come meanwhile only the last is asked. */
export function latestOnly(ask) {
  let running = false;
  let waiting = null;
  return async function next(...values) {
    if (running) {
      waiting = values;
      return;
    }
    running = true;
    try {
      await ask(...values);
    } catch (error) {
      if (error.status !== 409 && error.name !== "AbortError") console.info(error.message);
    } finally {
      running = false;
      if (waiting) {
        const last = waiting;
        waiting = null;
        next(...last);
      }
    }
  };
}
