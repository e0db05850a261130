// Of a model of several stages: which one is shown, and the pinned image as each of them draws it again.

import * as state from "./state.js";
import { connect, latestOnly } from "./api.js";
import { el, number } from "./dom.js";
import { Picture } from "./pictures.js";

/** The stage of a run, by its place, that the address names, or null: the last. */
export const stageOf = (k) => state.get(k ? `stage-${k + 1}` : "stage");

export class Stages {
  constructor({ run, channels, pinned }) {
    Object.assign(this, { run, channels, pinned, host: run.hosts.stages });
    const { stage: shown, stages } = run.about;
    this.host.classList.toggle("absent", stages.length < 2);
    if (stages.length < 2) return;
    this.choice = el("select", { "aria-label": "Stage of the model that is shown", onchange: (event) => choose(run, event.target.value) }, stages.map((stage) => el("option", { value: stage }, `${stage} stage`)));
    this.choice.value = shown;
    this.figures = el("div", { class: "figures" });
    this.host.replaceChildren(el("header", {}, el("h2", { id: run.own("stages-title") }, "Stages"), this.choice), el("p", { class: "fine" }, `Map, codes and sliders are those of the ${shown} stage, of ${run.latentDim} latents.`), this.figures);
    this.show = latestOnly(() => this.compute());
    pinned.addEventListener("change", () => this.show());
    run.addEventListener("conditions", () => this.show());
  }

  async compute() {
    const { place } = this.pinned;
    const { about, api } = this.run;
    this.figures.replaceChildren();
    if (place === null || !about.images) return;
    const pixels = await api.pixels(place);
    for (const stage of about.stages) {
      const words = `Reconstruction by the ${stage} stage`;
      const picture = new Picture(this.channels, words, 112);
      const caption = el("figcaption", {}, `${stage} …`);
      this.figures.append(el("figure", { title: words }, picture.canvas, caption));
      const other = connect(`${this.run.k}-${stage}`);
      other.under = api.under;
      await other.about(() => { caption.textContent = `${stage}: being opened`; });
      const drawn = await other.reconstruction(place);
      if (place !== this.pinned.place) return;
      picture.show(drawn);
      const error = Math.sqrt(drawn.data.reduce((sum, value, i) => sum + (value - pixels.data[i]) ** 2, 0) / drawn.data.length);
      caption.textContent = `${stage}, error ${number(error)}`;
      caption.title = "Root mean square over pixels and channels, in stored units";
    }
  }
}

/** Shows another stage: what is of one stage alone goes out of the address, and the page begins anew. */
function choose(run, stage) {
  const values = new URLSearchParams(location.hash.slice(1));
  values.set(run.own("stage"), stage);
  for (const key of ["z", "view", "way"]) values.delete(run.own(key));
  if (/^z\d/.test(values.get(run.own("map")) ?? "")) values.delete(run.own("map"));
  if (/^z\d/.test(values.get("colour") ?? "")) values.delete("colour");
  location.hash = values;
  location.reload();
}
