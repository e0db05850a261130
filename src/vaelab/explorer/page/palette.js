// Colours that can be told apart, on light and on dark ground (3:1 against it), with a shape besides for each kind.

const LIGHT = ["#2f6fc4", "#b96a00", "#bd1f01", "#5f7270", "#832db6", "#8f5a48", "#cf5300", "#7d722a", "#11858a", "#c13d80"];
const DARK = ["#6fb1ff", "#ffb83d", "#ff7a5c", "#a9bab8", "#c78bf0", "#d3a08d", "#ff9a4d", "#cfc375", "#74dbe2", "#f08cc0"];
export const SHAPES = ["disc", "square", "triangle", "diamond", "cross", "ring"];
// Viridis (Smith and van der Walt, CC0), less the end that the ground would swallow.
const VIRIDIS = ["#440154", "#482878", "#3e4989", "#31688e", "#26828e", "#1f9e89", "#35b779", "#6ece58", "#b5de2b", "#fde725"];

export const isDark = () => matchMedia("(prefers-color-scheme: dark)").matches;
export const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
export const hex = (parts) => `#${parts.map((v) => Math.round(v).toString(16).padStart(2, "0")).join("")}`;

/** {colour, shape} of a kind, by its place: ten colours, then the same in other shapes. */
export function kindLook(i) {
  const colours = isDark() ? DARK : LIGHT;
  if (i < 0) return { colour: rgb(isDark() ? "#7b8592" : "#8a94a1"), shape: 0 };
  return { colour: rgb(colours[i % 10]), shape: Math.floor(i / 10) % SHAPES.length };
}

/** The colour of a number between 0 and 1. */
export function scaleColour(share) {
  const [from, to] = isDark() ? [0.22, 1] : [0, 0.82];
  const place = (from + (to - from) * Math.min(1, Math.max(0, share))) * (VIRIDIS.length - 1);
  const i = Math.min(VIRIDIS.length - 2, Math.floor(place));
  const [a, b] = [rgb(VIRIDIS[i]), rgb(VIRIDIS[i + 1])];
  return a.map((v, c) => v + (b[c] - v) * (place - i));
}

export const plainColour = () => rgb(isDark() ? "#8fb8f5" : "#2f6fc4");

/** The look of every image: red, green, blue, and shape with the lowest bit for those selected. */
export function looksOf(run) {
  const looks = new Uint8Array(run.size * 4);
  const { column } = run;
  const selected = run.selected ?? run.shared;
  const grey = rgb(isDark() ? "#4a525d" : "#bcc3cc");
  const kinds = column?.kind === "categories" ? [-1, ...column.names.keys()].map(kindLook) : null;
  const scale = column?.kind === "numbers" ? Array.from({ length: 256 }, (_, i) => scaleColour(i / 255)) : null;
  const plain = { colour: plainColour(), shape: 0 };
  const missing = kindLook(-1);
  const span = column && scale ? column.to - column.from || 1 : 1;
  for (let i = 0; i < run.size; i++) {
    const isSelected = !selected || selected[i] === 1;
    const value = column?.values[i];
    const shape = kinds ? kinds[value + 1].shape : 0;
    let colour = grey;
    if (isSelected) {
      if (kinds) colour = kinds[value + 1].colour;
      else if (scale) colour = Number.isNaN(value) ? missing.colour : scale[Math.round(Math.min(1, Math.max(0, (value - column.from) / span)) * 255)];
      else colour = plain.colour;
    }
    looks[4 * i] = colour[0];
    looks[4 * i + 1] = colour[1];
    looks[4 * i + 2] = colour[2];
    looks[4 * i + 3] = shape * 2 + Number(isSelected);
  }
  return looks;
}

/** A kind's mark as SVG, for the legend. */
export function mark(look, size = 12) {
  const ns = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(ns, "svg");
  svg.setAttribute("viewBox", "-6 -6 12 12");
  svg.setAttribute("width", size);
  svg.setAttribute("height", size);
  svg.setAttribute("aria-hidden", "true");
  const paths = {
    disc: "M5 0A5 5 0 1 1-5 0A5 5 0 1 1 5 0Z", square: "M-4.4-4.4H4.4V4.4H-4.4Z", triangle: "M0-5.2L5.2 4.2H-5.2Z",
    diamond: "M0-5.6L5.6 0L0 5.6L-5.6 0Z", cross: "M-1.8-5H1.8V-1.8H5V1.8H1.8V5H-1.8V1.8H-5V-1.8H-1.8Z",
    ring: "M4 0A4 4 0 1 1-4 0A4 4 0 1 1 4 0Z",
  };
  const path = document.createElementNS(ns, "path");
  const kind = SHAPES[look.shape];
  path.setAttribute("d", paths[kind]);
  path.setAttribute(kind === "ring" ? "stroke" : "fill", hex(look.colour));
  if (kind === "ring") {
    path.setAttribute("fill", "none");
    path.setAttribute("stroke-width", "2.4");
  }
  svg.append(path);
  return svg;
}
