// A grid of what is decoded over two latents, the others as they are at the decoded place.

import { paint } from "./composite.js";
import { el, number } from "./dom.js";
import { png, save } from "./saving.js";

const [SIDE, AT_ONCE, PIXELS, GAP] = [9, 9, 64, 2];

export class LatentGrid {
  constructor({ run, channels, decoded }) {
    Object.assign(this, { run, channels, decoded });
  }

  open() {
    const { latents } = this.run;
    const option = ({ latent }) => el("option", { value: latent }, `z${latent}`);
    this.axes = [0, 1].map((i) => el("select", { "aria-label": i ? "Latent upward" : "Latent across", onchange: () => this.fill() }, latents.map(option)));
    this.axes[1].value = (latents[1] ?? latents[0]).latent;
    this.canvas = el("canvas", { class: "picture latent-grid", role: "img", "aria-label": "What is decoded over two latents", onclick: (event) => this.go(event) });
    this.words = el("p", { class: "fine" });
    this.dialog = el("dialog", { class: "help", "aria-labelledby": "grid-title" },
      el("header", {}, el("h2", { id: "grid-title" }, "Grid of two latents"), el("button", { class: "quiet", onclick: () => this.dialog.close() }, "close")),
      el("div", { class: "line grid-line" }, this.axes[0], el("span", { class: "fine" }, "across,"), this.axes[1], el("span", { class: "fine" }, "upward"), el("button", { class: "small", onclick: async () => save(await png(this.canvas), `${this.run.about.folder}-grid.png`) }, "Save PNG")),
      this.canvas, this.words);
    this.repaint = () => this.paint();
    this.channels.addEventListener("change", this.repaint);
    this.dialog.addEventListener("click", (event) => { if (event.target === this.dialog) this.dialog.close(); });
    this.dialog.addEventListener("close", () => {
      this.channels.removeEventListener("change", this.repaint);
      this.dialog.remove();
    });
    document.body.append(this.dialog);
    this.dialog.showModal();
    this.fill();
  }

  /** The code of a cell, rows counted from the top. */
  code(row, column) {
    const z = this.from.slice();
    const [across, upward] = this.latents;
    const at = ({ low, high }, share) => low + (high - low) * share;
    z[upward.latent] = at(upward, 1 - row / (SIDE - 1));
    z[across.latent] = at(across, column / (SIDE - 1));
    return z;
  }

  async fill() {
    const turn = (this.turn = (this.turn ?? 0) + 1);
    this.from = this.decoded.z.slice();
    this.latents = this.axes.map((select) => this.run.byLatent[Number(select.value)]);
    this.rows = [];
    const [across, upward] = this.latents;
    this.words.textContent = `z${across.latent} from ${number(across.low)} to ${number(across.high)}, z${upward.latent} from ${number(upward.low)} to ${number(upward.high)}: where 99 % of the aggregate posterior lies. All other latents are those of the decoded place. A click goes to a cell.`;
    for (let row = 0; row < SIDE; row++) {
      const codes = new Float32Array(AT_ONCE * this.run.latentDim);
      for (let column = 0; column < SIDE; column++) codes.set(this.code(row, column), column * this.run.latentDim);
      try {
        const array = await this.run.api.decode(codes, { like: this.decoded.like, side: PIXELS });
        if (turn !== this.turn) return;
        this.rows.push(array);
      } catch (error) {
        this.words.textContent = error.message;
        return;
      }
      this.paint();
    }
  }

  paint() {
    if (!this.rows.length) return;
    const [, , height, width] = this.rows[0].shape;
    const one = document.createElement("canvas");
    const [wide, tall] = [SIDE * (width + GAP) - GAP, SIDE * (height + GAP) - GAP];
    if (this.canvas.width !== wide || this.canvas.height !== tall) Object.assign(this.canvas, { width: wide, height: tall });
    this.rows.forEach((array, row) => {
      for (let column = 0; column < SIDE; column++) this.canvas.getContext("2d").drawImage(paint(one, array, this.channels.settings, column), column * (width + GAP), row * (height + GAP));
    });
  }

  go(event) {
    const cell = (offset, size) => Math.min(SIDE - 1, Math.floor((SIDE * offset) / size));
    this.decoded.go(this.code(cell(event.offsetY, this.canvas.clientHeight), cell(event.offsetX, this.canvas.clientWidth)));
    this.dialog.close();
  }
}
