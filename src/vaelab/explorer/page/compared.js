// Two selections side by side: their mean images, and in what they differ, with intervals.

import { bitsOf } from "./selection.js";
import { count, el, number } from "./dom.js";
import { Picture } from "./pictures.js";

const FEW = 14;
const GROUPS = { latent: "latent", column: "column", measured: "measured", feature: "feature" };
const NS = "http://www.w3.org/2000/svg";

/** Measures and shows it; first and second are {mask, words}. */
export async function compare(run, channels, first, second) {
  const bits = bitsOf(first.mask, second.mask);
  const [found, means] = await Promise.all([run.api.compare(bits), run.about.images ? run.api.average(bits) : null]);
  const dialog = el("dialog", { class: "help compared", "aria-labelledby": "compared-title" });
  const names = [first, second].map(({ words }, i) => `${words} (${count(found.counts[i])})`);
  const shown = found.lines.filter((line) => line.shown);
  const reach = Math.max(0.5, ...found.lines.slice(0, Math.max(FEW, shown.length)).flatMap(({ low, high }) => [Math.abs(low ?? 0), Math.abs(high ?? 0)]));
  const rest = found.lines.filter((line) => !line.shown);
  dialog.append(
    el("header", {}, el("h2", { id: "compared-title" }, `${names[0]} and ${names[1]}`), el("button", { class: "quiet", onclick: () => dialog.close() }, "close")),
    el("div", { class: "sides" }, means && pictures(channels, means, names),
      el("p", { class: "fine" }, notes(found))),
    shown.length ? table(shown, names, reach) : el("p", {}, "No difference is shown."),
    rest.length > 0 && el("details", {}, el("summary", {}, `${count(rest.length)} that are not shown to differ`), table(rest, names, reach)));
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

function pictures(channels, means, names) {
  const figure = (caption, fill) => {
    const picture = new Picture(channels, caption, 128);
    fill(picture);
    return el("figure", {}, picture.canvas, el("figcaption", {}, caption));
  };
  const [, ...shape] = means.shape;
  const size = means.data.length / 2;
  const one = (k) => ({ data: means.data.subarray(k * size, (k + 1) * size), shape: [1, ...shape] });
  return el("div", { class: "figures" },
    figure(`mean of ${names[0]}`, (picture) => picture.show(means, 0)),
    figure(`mean of ${names[1]}`, (picture) => picture.show(means, 1)),
    figure("where they differ", (picture) => picture.showDifference(one(0), one(1))));
}

function notes({ both, pictures: [one, other], counts }) {
  const sampled = one < counts[0] || other < counts[1] ? ` Mean images and what is measured in images are of ${count(one)} and ${count(other)} of them, evenly spaced.` : "";
  return `${both ? `${count(both)} images are in both and left out. ` : ""}Differences are means of the first less those of the second, in standard deviations of both together, with intervals that all hold at once with 95 %; shown are those beyond 0.2. Images count as drawn one by one: where those of a well or plate are alike, intervals are too narrow. What was selected by a number differs in it for that reason.${sampled}`;
}

function table(lines, names, reach) {
  return el("table", { class: "differences" },
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "of"), el("th", { scope: "col" }, "kind"), el("th", { scope: "col", class: "number", title: names[0] }, "first"), el("th", { scope: "col", class: "number", title: names[1] }, "second"), el("th", { scope: "col", class: "number" }, "difference"), el("th", { scope: "col" }, "interval"))),
    el("tbody", {}, lines.map((line) => el("tr", {},
      el("th", { scope: "row" }, line.name), el("td", { class: "fine" }, GROUPS[line.group]),
      el("td", { class: "number" }, number(line.first)), el("td", { class: "number" }, number(line.second)),
      el("td", { class: "number" }, number(line.difference)), el("td", { class: "drawn-interval" }, line.low === null ? "–" : interval(line, reach))))));
}

/** A line from end to end of the interval, with a dot, over zero in the middle. */
function interval({ difference, low, high, shown }, reach) {
  const svg = document.createElementNS(NS, "svg");
  const at = (value) => (100 * value) / reach;
  const part = (tag, settings) => {
    const made = svg.appendChild(document.createElementNS(NS, tag));
    for (const [key, value] of Object.entries(settings)) made.setAttribute(key, value);
  };
  svg.setAttribute("viewBox", "-104 -8 208 16");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `${number(difference)}, from ${number(low)} to ${number(high)}`);
  svg.setAttribute("class", shown ? "shown" : "");
  part("path", { d: "M0-8V8", class: "zero" });
  part("path", { d: `M${at(low)} 0H${at(high)}`, class: "whole" });
  part("circle", { cx: at(difference), cy: 0, r: 4 });
  return svg;
}
