// The channels' panel: each on or off, its colour, and between which stored values it goes from black to its colour.

import * as state from "./state.js";
import { byId, el, later, number, renew } from "./dom.js";
import { hex, rgb } from "./palette.js";

const [LOW, HIGH] = [1, 99.8];

/** Tells of "change"; `settings` is what images are composed by. */
export class Channels extends EventTarget {
  constructor(run) {
    super();
    this.run = run;
    const { channels, square_root: root } = run.about;
    this.settings = { root, channels: channels.map(({ name, lo, hi, colour }) => ({ name, on: true, colour, lo, hi })) };
    this.note = later(() => state.set({ channels: this.toText() }), 200);
  }

  async open() {
    if (this.run.about.images) {
      this.quantiles = await this.run.api.quantiles();
      this.byPercentile(LOW, HIGH);
    }
    this.asOpened = this.toText();
    this.fromText(state.get("channels"));
    state.on("channels", (text) => {
      if (text === this.toText()) return;
      this.fromText(text ?? this.asOpened);
      this.render();
      this.dispatchEvent(new Event("change"));
    });
    this.render();
    this.dispatchEvent(new Event("change"));
  }

  /** Sets the ends by shares of the pixels; a photograph keeps its whole range, so that its colours stay. */
  byPercentile(low, high, only = null) {
    if (!this.quantiles) return;
    const { data, shape } = this.quantiles;
    const at = (c, percent) => data[c * shape[1] + Math.round((percent / 100) * (shape[1] - 1))];
    const whole = this.run.about.photograph && only === null;
    for (const [c, channel] of this.settings.channels.entries()) {
      if (only !== null && only !== c) continue;
      const [lo, hi] = whole ? [0, Math.max(...this.run.about.channels.map((each) => each.hi))] : [at(c, low), at(c, high)];
      Object.assign(channel, hi > lo ? { lo, hi } : { lo: at(c, 0), hi: Math.max(at(c, 100), at(c, 0) + 1e-6) });
    }
  }

  toText() {
    const each = this.settings.channels.map(({ on, colour, lo, hi }) => [Number(on), hex(colour).slice(1), Number(lo.toPrecision(5)), Number(hi.toPrecision(5))].join("~"));
    return [Number(this.settings.root), ...each].join("_");
  }

  fromText(text) {
    const [root, ...each] = (text ?? "").split("_");
    if (each.length !== this.settings.channels.length) return;
    this.settings.root = root === "1";
    for (const [c, words] of each.entries()) {
      const [on, colour, lo, hi] = words.split("~");
      if (/^[0-9a-f]{6}$/.test(colour) && Number.isFinite(Number(lo)) && Number.isFinite(Number(hi))) {
        Object.assign(this.settings.channels[c], { on: on === "1", colour: rgb(`#${colour}`), lo: Number(lo), hi: Number(hi) });
      }
    }
  }

  changed({ render = false } = {}) {
    this.note();
    if (render) this.render();
    this.dispatchEvent(new Event("change"));
  }

  render() {
    const { channels, root } = this.settings;
    const all = channels.every((channel) => channel.on);
    renew(byId("channels"),
      el("header", {},
        el("h2", { id: "channels-title" }, channels.length > 1 ? "Channels" : "Contrast"),
        channels.length > 1 && el("button", { class: "quiet", onclick: () => { for (const each of channels) each.on = !all; this.changed({ render: true }); } }, all ? "none" : "all")),
      el("ul", { class: "channels" }, channels.map((channel, c) => this.row(channel, c))),
      el("div", { class: "line" },
        this.quantiles && el("button", { class: "small", title: `From ${LOW} % to ${HIGH} % of the stored values of each channel`, onclick: () => { this.byPercentile(LOW, HIGH); this.changed({ render: true }); } }, "Auto"),
        el("button", { class: "small", title: "The range that the model was given", onclick: () => { this.run.about.channels.forEach(({ lo, hi }, c) => Object.assign(channels[c], { lo, hi })); this.changed({ render: true }); } }, "Full range"),
        el("label", { class: "check", title: "The square root of the contrast: dark parts get more of it" }, el("input", { type: "checkbox", checked: root, onchange: (event) => { this.settings.root = event.target.checked; this.changed(); } }), "√ dark parts")),
    );
  }

  row(channel, c) {
    const { lo, hi } = this.run.about.channels[c];
    const least = this.quantiles ? this.quantiles.data[c * this.quantiles.shape[1]] : lo;
    const most = this.quantiles ? this.quantiles.data[(c + 1) * this.quantiles.shape[1] - 1] : hi;
    const [from, to] = [Math.min(least, lo, channel.lo), Math.max(most, hi, channel.hi)];
    const end = (key, words) => {
      const typed = el("input", { type: "number", step: "any", class: "end", value: Number(channel[key].toPrecision(5)), "aria-label": `${channel.name}: ${words}`, onchange: (event) => { if (event.target.value !== "") { channel[key] = Number(event.target.value); this.changed({ render: true }); } } });
      const slid = el("input", { type: "range", min: from, max: to, step: (to - from) / 500 || 1, value: channel[key], "aria-label": `${channel.name}: ${words}`, oninput: (event) => { channel[key] = Number(event.target.value); typed.value = number(channel[key], 4).replace("−", "-"); this.changed(); } });
      return [slid, typed];
    };
    const [lowSlid, lowTyped] = end("lo", "black at");
    const [highSlid, highTyped] = end("hi", "full at");
    return el("li", { class: channel.on ? "" : "off" },
      el("div", { class: "head" },
        el("input", { type: "color", value: hex(channel.colour), "aria-label": `Colour of ${channel.name}`, oninput: (event) => { channel.colour = rgb(event.target.value); this.changed(); } }),
        el("label", { class: "check name" }, el("input", { type: "checkbox", checked: channel.on, onchange: (event) => { channel.on = event.target.checked; this.changed({ render: true }); } }), channel.name)),
      el("details", { class: "ends" },
        el("summary", {}, `${number(channel.lo)} – ${number(channel.hi)}`),
        el("div", { class: "slide" }, el("span", {}, "black"), lowSlid, lowTyped),
        el("div", { class: "slide" }, el("span", {}, "full"), highSlid, highTyped)));
  }
}
