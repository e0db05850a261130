// A slider for each latent: those with the most rate first, the others folded away; above each, images along its range.

import { latestOnly } from "./api.js";
import { paint } from "./composite.js";
import { el, inMemory, number } from "./dom.js";

const STRIP = 7;
const SIDE = 32;

export class Sliders {
  constructor(run, channels, move) {
    Object.assign(this, { run, channels, move, rows: new Map() });
    const { latents, about } = run;
    const used = latents.filter((latent) => latent.used);
    const first = (used.length ? used : latents).slice(0, about.few);
    const more = used.slice(first.length);
    const unused = latents.filter((latent) => !first.includes(latent) && !more.includes(latent));
    const fold = (list, words) => list.length > 0 && el("details", { ontoggle: (event) => { if (event.target.open) this.drawStrips(...(this.last ?? [])); } }, el("summary", {}, `${list.length} ${words}`), this.list(list));
    this.host = el("div", { class: "sliders" }, el("h3", {}, "Latents"), this.list(first), fold(more, "more"), fold(unused, "hardly used"));
    this.drawStrips = latestOnly((z, like) => this.fill(z, like));
    channels.addEventListener("change", () => this.paintStrips());
  }

  list(latents) {
    return el("ul", {}, latents.map((latent) => this.row(latent)));
  }

  row({ latent, rate, low, high, meant }) {
    const words = `z${latent}`;
    const moved = (value) => { if (Number.isFinite(value)) this.move(latent, value); };
    const slid = el("input", { type: "range", min: low, max: high, step: (high - low) / 400 || 1e-6, "aria-label": `${words}, from ${number(low)} to ${number(high)}`, oninput: (event) => moved(Number(event.target.value)) });
    const typed = el("input", { type: "number", step: "any", "aria-label": `${words}, typed`, class: "end", onchange: (event) => moved(event.target.value === "" ? NaN : Number(event.target.value)) });
    const strip = el("canvas", { class: "strip", "aria-hidden": "true" });
    strip.addEventListener("click", (event) => moved(low + ((high - low) * event.offsetX) / strip.clientWidth));
    this.rows.set(latent, { slid, typed, strip, low, high });
    return el("li", {}, el("span", { class: "name", title: rate === null ? "" : `A mean rate of ${number(rate)} nats` }, words, el("small", {}, rate === null ? "" : `${rate.toFixed(2)} nats`)), el("span", { class: "track" }, strip, slid), typed, meant && meaning(meant));
  }

  /** Puts all to a code, but the one that is being moved. */
  set(z, except = null) {
    for (const [latent, { slid, typed, low, high }] of this.rows) {
      const value = z[latent];
      if (latent !== except || document.activeElement !== slid) {
        slid.min = Math.min(low, value);
        slid.max = Math.max(high, value);
        slid.value = value;
      }
      if (document.activeElement !== typed) typed.value = Number(value.toFixed(3));
    }
  }

  /** Decodes the images along each slider that is seen, the other latents as they are. */
  async fill(z, like) {
    if (!z) return;
    this.last = [z, like];
    for (const [latent, row] of this.rows) {
      if (!row.strip.checkVisibility()) continue;
      const codes = new Float32Array(STRIP * z.length);
      for (let k = 0; k < STRIP; k++) {
        codes.set(z, k * z.length);
        codes[k * z.length + latent] = row.low + ((row.high - row.low) * (k + 0.5)) / STRIP;
      }
      row.array = await this.run.api.decode(codes, { like, side: SIDE });
      this.paint(row);
      if (this.last[0] !== z) return;
    }
  }

  paintStrips() {
    for (const row of this.rows.values()) if (row.array) this.paint(row);
  }

  paint({ strip, array }) {
    const [many, , height, width] = array.shape;
    const one = document.createElement("canvas");
    strip.width = many * width;
    strip.height = height;
    const context = inMemory(strip);
    for (let k = 0; k < many; k++) context.drawImage(paint(one, array, this.channels.settings, k), k * width, 0);
  }
}

/** What a latent means, in a line; the whole of it as a title. */
function meaning({ says, goes_with: goesWith, in_seeds: inSeeds }) {
  const words = `Moves ${says}, in standard deviations of real images. Goes with ${goesWith}.${inSeeds && ` Is shown ${inSeeds}.`}`;
  return el("small", { class: "meant", title: words }, says.startsWith("nothing") ? `means ${says}` : says);
}
