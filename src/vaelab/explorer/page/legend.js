// The legend: what colours mean, how many images each kind has, and a filter by click.

import * as state from "./state.js";
import { count, el, number, renew } from "./dom.js";
import { wayOf } from "./selection.js";
import { hex, kindLook, mark, scaleColour } from "./palette.js";

const MOST_SHOWN = 60;

export class Legend {
  constructor(run, selection) {
    Object.assign(this, { run, selection });
    this.chosen = new Set();
    this.ends = null;
    this.search = "";
    run.addEventListener("column", () => this.opened());
    run.addEventListener("selection", () => this.render());
    state.on("only", () => this.fromState());
  }

  opened() {
    this.search = "";
    this.fromState();
    this.render();
  }

  /** The filter as the address has it: names of kinds, or two ends. */
  fromState() {
    const { column } = this.run;
    const text = state.get("only");
    const values = text ? JSON.parse(safely(text)) : [];
    this.chosen = new Set(column?.kind === "categories" ? values.map((name) => (name === null ? -1 : column.names.indexOf(name))) : []);
    this.ends = column?.kind === "numbers" && values.length === 2 ? values.map(Number) : null;
    this.apply();
  }

  apply() {
    const { column } = this.run;
    const { chosen, ends } = this;
    if (!column || (!chosen.size && !ends)) return this.selection.setFilter(null);
    const keep = ends ? (value) => value >= ends[0] && value <= ends[1] : (value) => chosen.has(value);
    this.selection.setFilter(this.maskOf(keep));
  }

  maskOf(keep) {
    return Uint8Array.from(this.run.column.values, (value) => Number(keep(value)));
  }

  /** A kind alone, added to or taken from those that are chosen here, or from what was picked elsewhere. */
  toggle(kind, way) {
    const { chosen, selection } = this;
    if (way === "subtract" || way === "intersect" || (way === "add" && selection.picked)) return selection.put(this.maskOf((value) => value === kind), way);
    selection.forget();
    if (way === "replace") {
      const was = chosen.size === 1 && chosen.has(kind);
      chosen.clear();
      if (!was) chosen.add(kind);
    } else if (!chosen.delete(kind)) chosen.add(kind);
    const names = [...chosen].map((i) => (i < 0 ? null : this.run.column.names[i]));
    state.set({ only: names.length ? JSON.stringify(names) : null });
  }

  render() {
    const { column } = this.run;
    const body = !column ? [el("p", { class: "fine" }, "Choose a column to colour by.")] : column.kind === "categories" ? this.kinds(column) : this.scale(column);
    renew(this.run.hosts.legend,
      el("header", {}, el("h2", { id: this.run.own("legend-title") }, column?.name ?? "Colour")),
      ...body);
  }

  kinds(column) {
    const size = column.names.length;
    const totals = new Uint32Array(size + 1), chosen = new Uint32Array(size + 1);
    for (let i = 0; i < this.run.size; i++) {
      totals[column.values[i] + 1]++;
      if (!this.run.selected || this.run.selected[i]) chosen[column.values[i] + 1]++;
    }
    const wanted = this.search.toLowerCase();
    const listed = [...column.names.keys(), -1].filter((i) => totals[i + 1] && (!wanted || (column.names[i] ?? "no value").toLowerCase().includes(wanted)));
    const rows = listed.slice(0, MOST_SHOWN).map((i) => {
      const [of, all] = [chosen[i + 1], totals[i + 1]];
      const name = column.names[i] ?? "no value";
      const pressed = this.chosen.has(i);
      const words = this.run.selected ? `${count(of)} / ${count(all)}` : count(all);
      return el("li", {}, el("button", { class: `kind${this.run.selected && !of ? " off" : ""}`, "aria-pressed": String(pressed), "aria-label": `${name}, ${words} images`, title: `${name}: only these; with Shift, these as well; with Alt, without these`, onclick: (event) => this.toggle(i, wayOf(event)) },
        mark(kindLook(i)), el("span", { class: "name" }, name), el("span", { class: "tally" }, words)));
    });
    const finder = el("input", { type: "search", class: "filter", placeholder: `Search ${count(size)} kinds`, "aria-label": `Search the kinds of ${column.name}`, value: this.search, oninput: (event) => { this.search = event.target.value; this.render(); this.run.hosts.legend.querySelector(".filter").setSelectionRange(this.search.length, this.search.length); } });
    return [size > 12 && finder, el("ul", { class: "kinds" }, rows), listed.length > MOST_SHOWN && el("p", { class: "fine" }, `${count(listed.length - MOST_SHOWN)} more: search them.`)].filter(Boolean);
  }

  scale(column) {
    const stops = Array.from({ length: 12 }, (_, i) => hex(scaleColour(i / 11)));
    const bar = el("div", { class: "scale", role: "img", "aria-label": `From ${number(column.from)} to ${number(column.to)}` });
    bar.style.background = `linear-gradient(to right, ${stops.join(", ")})`;
    const [low, high] = this.ends ?? [column.low, column.high];
    const end = (i, value, words) => el("input", { type: "number", step: "any", value: shown(value), title: value, "aria-label": words, onchange: () => this.setEnds(), class: "end", "data-end": i });
    return [bar,
      el("div", { class: "ticks" }, el("span", {}, number(column.from)), el("span", {}, number((column.from + column.to) / 2)), el("span", {}, number(column.to))),
      el("div", { class: "line between" }, end(0, low, `${column.name}: from`), el("span", {}, "to"), end(1, high, `${column.name}: to`)),
      column.missing > 0 && el("p", { class: "fine" }, `${count(column.missing)} without a value`)].filter(Boolean);
  }

  /** An end that was not typed is the exact one, of which the field shows three digits. */
  setEnds() {
    this.selection.forget();
    const fields = [...this.run.hosts.legend.querySelectorAll("[data-end]")];
    const ends = fields.map(({ value, title }) => Number(value === shown(Number(title)) ? title : value));
    state.set({ only: JSON.stringify(ends) });
  }
}

/** As much of an end as its field has room for. */
function shown(end) {
  const size = Math.abs(end);
  return size !== 0 && (size < 1e-3 || size >= 1e5) ? end.toExponential(2) : String(Number(end.toPrecision(3)));
}

function safely(text) {
  try {
    return Array.isArray(JSON.parse(text)) ? text : "[]";
  } catch {
    return "[]";
  }
}
