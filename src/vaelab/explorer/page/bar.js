// Above the map: which map, which colour, thumbnails, and finding an image by its name.

import * as state from "./state.js";
import { el, later, say } from "./dom.js";
import { openHelp } from "./help.js";

export class Bar {
  constructor(run, pick) {
    Object.assign(this, { run, pick });
    this.colourTool = this.colours();
    run.hosts.tools.replaceChildren(this.maps(), this.colourTool, this.finder(), el("button", { class: "round", title: "Keys and what they do (?)", "aria-label": "Help", onclick: openHelp }, "?"));
    state.on(run.own("map"), () => this.reflect());
    state.on("colour", () => this.reflect());
    this.reflect();
  }

  maps() {
    const { latents, maps } = this.run.about;
    const option = (value, words) => el("option", { value }, words);
    const kinds = Object.entries(maps.curved).map(([name, isKept]) => option(name, isKept ? name : `${name} (made now)`));
    const axes = (id, words) => {
      const each = latents.map(({ latent, rate }) => option(`z${latent}`, rate === null ? `z${latent}` : `z${latent} · ${rate.toFixed(2)} nats`));
      return el("select", { id, class: "axis", "aria-label": words, onchange: () => this.setAxes() }, each);
    };
    this.kind = el("select", { id: this.run.own("map-kind"), onchange: () => this.setKind() }, option("PCA", "PCA"), option("latents", "Two latents"), kinds);
    [this.across, this.upward] = [axes(this.run.own("axis-x"), "Latent across"), axes(this.run.own("axis-y"), "Latent upward")];
    this.axes = el("span", { class: "axes" }, this.across, el("span", { "aria-hidden": "true" }, "×"), this.upward);
    return el("div", { class: "tool" }, el("label", { for: this.run.own("map-kind") }, "Map"), this.kind, this.axes);
  }

  setKind() {
    if (this.kind.value !== "latents") return state.set({ [this.run.own("map")]: this.kind.value });
    const [first, second] = this.run.latents;
    state.set({ [this.run.own("map")]: `z${first.latent},z${(second ?? first).latent}` });
  }

  setAxes() {
    state.set({ [this.run.own("map")]: `${this.across.value},${this.upward.value}` });
  }

  /** There are other columns now. */
  renew() {
    const fresh = this.colours();
    this.colourTool.replaceWith(fresh);
    this.colourTool = fresh;
    this.reflect();
  }

  colours() {
    const { columns, on_demand: later, latents } = this.run.about;
    const option = (value, words = value) => el("option", { value }, words);
    const group = (label, options) => options.length > 0 && el("optgroup", { label }, options);
    const usable = columns.filter(({ kind }) => kind !== "text").map(({ name }) => option(name));
    this.colour = el("select", { id: this.run.own("colour"), onchange: (event) => state.set({ colour: event.target.value, only: null }) },
      option("", "one colour"),
      group("Columns", usable),
      group("Measured now", later.map((name) => option(name))),
      group("Latents", latents.slice(0, 64).map(({ latent }) => option(`z${latent}`))));
    return el("div", { class: "tool" }, el("label", { for: this.run.own("colour") }, "Colour"), this.colour);
  }

  finder() {
    this.list = el("ul", { id: this.run.own("found"), class: "found", hidden: true });
    const look = later(async (text) => {
      const found = text.trim() ? await this.run.api.find(text).catch(() => []) : [];
      if (text !== this.input.value) return;
      const nothing = text.trim() && !found.length ? [el("li", {}, el("p", { class: "fine" }, "No image has this name."))] : [];
      this.list.replaceChildren(...nothing, ...found.map(({ at, row, name }) => el("li", {}, el("button", { onclick: () => this.choose(at), title: name }, el("span", { class: "name" }, name), el("small", {}, `#${row}`)))));
      this.list.hidden = !text.trim();
      say(`${found.length} images found`);
    }, 160);
    this.input = el("input", {
      type: "search", id: this.run.own("find"), placeholder: "Find an image", autocomplete: "off", spellcheck: "false",
      oninput: (event) => look(event.target.value),
      onkeydown: (event) => {
        if (event.key === "Enter") this.list.querySelector("button")?.click();
        else if (event.key === "ArrowDown") this.list.querySelector("button")?.focus();
        else if (event.key === "Escape") this.close();
        else return;
        event.preventDefault();
        event.stopPropagation();
      },
    });
    const wrap = el("div", { class: "tool find" }, el("label", { for: this.run.own("find"), class: "unseen" }, "Find an image by its name or row"), this.input, this.list);
    wrap.addEventListener("focusout", (event) => { if (!wrap.contains(event.relatedTarget)) this.list.hidden = true; });
    wrap.addEventListener("keydown", (event) => {
      const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
      if (event.key === "Escape") this.close();
      else if (step && event.target.tagName === "BUTTON") (event.target.parentElement[step]?.querySelector("button") ?? this.input).focus();
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
    return wrap;
  }

  choose(place) {
    this.close();
    this.pick(place);
  }

  close() {
    this.input.value = "";
    this.list.hidden = true;
    this.run.hosts.map.focus({ focusVisible: false });
  }

  reflect() {
    const name = state.get(this.run.own("map")) ?? "PCA";
    const latents = name.split(",");
    this.kind.value = latents.length === 2 ? "latents" : name;
    this.axes.hidden = latents.length !== 2;
    if (latents.length === 2) [this.across.value, this.upward.value] = latents;
    this.colour.value = state.get("colour") ?? this.run.about.label;
  }
}
