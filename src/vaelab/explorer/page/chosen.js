// The selection's panel: how many, a query, those that are kept, files, and the way to compare two.

import { count, el, say } from "./dom.js";
import { isCopy } from "./copy.js";
import { compare } from "./compared.js";
import { bitsOf, placesOf, tally, wayOf } from "./selection.js";
import { png, save, sheet } from "./saving.js";

const THIS = "0", OTHERS = "1";

/** Tells of "columns" when a selection has become a column. */
export class Chosen extends EventTarget {
  constructor(run, selection, channels) {
    super();
    Object.assign(this, { run, selection, channels, kept: [], wanted: [null, null] });
    const words = "Select by a query on columns";
    this.query = el("input", { type: "search", class: "filter", id: run.own("query"), placeholder: this.example(), "aria-label": words, title: `${words}: = != < <= > >=, in (a, b), contains, is missing; and, or, not, brackets. Enter selects; with Shift it adds, with Alt it takes away`, spellcheck: "false", autocomplete: "off", onkeydown: (event) => this.typed(event), oninput: () => this.refuse("") });
    this.wrong = el("p", { class: "fine wrong", role: "alert" });
    this.tally = el("p", { class: "tally-line" });
    this.invert = el("button", { class: "quiet", title: "All others (I)", onclick: () => selection.invert() }, "invert");
    this.clear = el("button", { class: "quiet", title: "No selection (Esc)", onclick: () => selection.clear() }, "clear");
    this.name = el("input", { type: "text", class: "filter", maxlength: "48", placeholder: "Name to keep", "aria-label": "Name under which the selection is kept with the run", title: "Kept with the run as a column of its table, yes or no, which evaluate and explain take by this name", autocomplete: "off", spellcheck: "false" });
    this.keeping = el("form", { class: "line keeping", onsubmit: (event) => this.keep(event) }, this.name, el("button", { class: "small" }, "Keep"));
    const file = (words, title, does) => el("button", { class: "quiet", title, onclick: (event) => this.busy(event.target, does) }, words);
    this.files = el("div", { class: "line files" }, el("span", { class: "fine" }, "Save"),
      file("table", "CSV: row, image and columns of each", () => this.saveIds()),
      run.about.images && !isCopy && file("images", "ZIP of TIFF files with the stored values, all channels", () => this.saveImages()),
      run.about.images && file("sheet", "PNG of up to 256 of them, in the channels' colours as set here", () => this.saveSheet()));
    this.list = el("ul", { class: "kinds kept" });
    this.ends = [0, 1].map((i) => el("select", { "aria-label": i ? "compared with" : "Compare", onchange: (event) => { this.wanted[i] = event.target.value; } }));
    this.comparing = el("div", { class: "comparing" }, el("span", { class: "fine" }, "Of"), this.ends[0], el("span", { class: "fine" }, "and"), this.ends[1],
      el("button", { class: "small", onclick: (event) => this.busy(event.target, () => this.compare()) }, "Compare"));
    run.hosts.selection.replaceChildren(el("header", {}, el("h2", { id: run.own("selection-title") }, "Selection"), el("span", { class: "line" }, this.invert, this.clear)), this.tally, isCopy ? "" : this.query, this.wrong, this.keeping, this.files, this.list, this.comparing);
    run.addEventListener("selection", () => this.render());
    this.render();
  }

  async open() {
    this.kept = await this.run.api.selections();
    this.render();
  }

  /** A query that could be meant here. */
  example() {
    const { columns, label, latents } = this.run.about;
    const kind = columns.find(({ name, names }) => name === label && names.length);
    const latent = `z${latents[0].latent} > 1`;
    return kind && /^[\w -]+$/.test(kind.names[0]) && /^[\w -]+$/.test(label) ? `${label} = ${kind.names[0]} and ${latent}` : latent;
  }

  render() {
    const { selected, size } = this.run;
    const some = Boolean(selected);
    this.tally.textContent = some ? `${count(tally(selected))} / ${count(size)} images` : isCopy ? "Lasso, rectangle or the legend select." : "Lasso, rectangle, the legend or a query select.";
    this.tally.className = some ? "tally-line" : "tally-line fine";
    for (const each of [this.invert, this.clear, this.keeping, this.files]) each.hidden = !some;
    this.keeping.hidden ||= !this.run.about.own;
    this.list.replaceChildren(...this.kept.map(({ name, count: number }) => el("li", {}, el("button", { class: "kind", title: `Select ${name}; with Shift add it, with Alt take it away`, onclick: (event) => this.take(name, wayOf(event)) }, el("span", { class: "name" }, name), el("span", { class: "tally" }, count(number))))));
    this.renderEnds(some);
  }

  /** What can be compared: what was chosen here stays, else the first two stand there. */
  renderEnds(some) {
    const options = [some && [THIS, "this selection"], some && [OTHERS, "all others"], ...this.kept.map(({ name }) => [`=${name}`, name])].filter(Boolean);
    this.ends.forEach((select, i) => {
      select.replaceChildren(...options.map(([value, words]) => el("option", { value }, words)));
      select.value = (options.find(([value]) => value === this.wanted[i]) ?? options[i] ?? options[0])?.[0] ?? "";
    });
    this.comparing.hidden = options.length < 2 || isCopy;
  }

  async typed(event) {
    if (event.key !== "Enter") return;
    event.preventDefault();
    const query = this.query.value.trim();
    if (!query) return;
    const way = wayOf(event);
    try {
      const found = await this.run.api.chosen(query);
      this.refuse(found.some((each) => each) ? "" : "No image is such.");
      this.selection.put(found, way);
    } catch (error) {
      this.refuse(error.message);
    }
  }

  refuse(words) {
    this.wrong.textContent = words;
  }

  async take(name, way) {
    try {
      this.selection.put(await this.run.api.selection(name), way);
    } catch (error) {
      this.refuse(error.message);
    }
  }

  async keep(event) {
    event.preventDefault();
    const name = this.name.value.trim();
    try {
      this.run.about.columns = await this.run.api.keep(name, bitsOf(this.run.selected));
      this.name.value = "";
      this.refuse("");
      this.dispatchEvent(new Event("columns"));
      await this.open();
      say(`Kept as ${name}`);
    } catch (error) {
      this.refuse(error.message);
    }
  }

  async busy(button, does) {
    button.disabled = true;
    try {
      this.refuse("");
      await does();
    } catch (error) {
      this.refuse(error.message);
    } finally {
      button.disabled = false;
    }
  }

  fileName(ending) {
    return `${this.run.about.folder}-selection.${ending}`;
  }

  async saveIds() {
    save(await this.run.api.ids(isCopy ? this.run.selected : bitsOf(this.run.selected)), this.fileName("csv"));
  }

  async saveImages() {
    save(await this.run.api.archive(bitsOf(this.run.selected)), this.fileName("zip"));
  }

  async saveSheet() {
    save(await png(await sheet(this.run, this.channels, placesOf(this.run.selected))), this.fileName("png"));
  }

  /** The mask and the words of what a select names. */
  async named(select) {
    const { selected } = this.run;
    const words = select.selectedOptions[0].textContent;
    if (select.value === THIS) return { mask: selected, words };
    if (select.value === OTHERS) return { mask: selected.map((each) => 1 - each), words };
    return { mask: await this.run.api.selection(select.value.slice(1)), words };
  }

  async compare() {
    const [first, second] = await Promise.all(this.ends.map((select) => this.named(select)));
    await compare(this.run, this.channels, first, second);
  }
}
