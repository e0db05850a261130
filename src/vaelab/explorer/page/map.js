// The map: points, the ground that is shaded where no images lie, thumbnails, and what the mouse and the keys do.

import * as state from "./state.js";
import { Camera } from "./camera.js";
import { el, inMemory, number, perFrame } from "./dom.js";
import { PointGrid } from "./grid.js";
import { ground as groundOf } from "./ground.js";
import { looksOf, rgb } from "./palette.js";
import { CanvasPoints } from "./points_canvas.js";
import { WebGLPoints, hasCard } from "./points_webgl.js";

const REACH = 14;
const TILE = 46;
/** A map of fewer pixels has its upward axis' name below the buttons. */
const NARROW = 470;
/** Of the images that are seen, so many must have room for their thumbnails. */
const SHARE = 0.4;

/** Tells of "hover" and "pick" with detail {place}, and of "ground" with detail {x, y}. */
export class MapView extends EventTarget {
  constructor(run, thumbnails) {
    super();
    Object.assign(this, { run, thumbnails, camera: new Camera(), marks: { pinned: null, hovered: null, decoded: null }, ratio: 1, shown: [] });
    this.host = run.hosts.map;
    this.asked = new URLSearchParams(location.search).get("points");
    this.use(this.asked === "webgl" ? WebGLPoints : CanvasPoints);
    this.cross = this.host.appendChild(cross());
    this.redraw = perFrame(() => this.draw());
    this.redrawOver = perFrame(() => this.drawOver());
    this.camera.addEventListener("change", () => this.moved());
    thumbnails.addEventListener("change", () => { if (this.shown.length) this.redraw(); });
    run.addEventListener("points", () => this.newPoints());
    for (const what of ["column", "selection"]) run.addEventListener(what, () => this.newLooks());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.newLooks());
    new ResizeObserver(() => this.resize()).observe(this.host);
    state.on(run.own("view"), (text) => { if (text !== this.viewText()) this.restore(text); });
    state.on("thumbnails", this.redraw);
    this.resize();
    this.listen();
  }

  /** Draws by WebGL2 or in memory, on new canvases: one that has been drawn on cannot change. */
  use(Points) {
    const fresh = ["under", "points", "over"].map((name) => el("canvas", { class: name, "aria-hidden": "true" }));
    try {
      this.painter = new Points(fresh[1]);
    } catch (error) {
      if (Points === CanvasPoints) throw error;
      console.info(`Points are drawn without WebGL2: ${error.message}`);
      if (!this.painter) this.use(CanvasPoints);
      return;
    }
    const before = [this.under, this.canvas, this.over];
    if (this.canvas) for (const [i, canvas] of fresh.entries()) before[i].replaceWith(canvas);
    else this.host.append(...fresh);
    [this.under, this.canvas, this.over] = fresh;
  }

  /** Draws by the graphics card from now on, if there is one. Asking takes long where there is none, so points come first. */
  takeCard() {
    if (this.asked || !hasCard()) return;
    this.use(WebGLPoints);
    this.resize();
    if (this.grid) this.painter.setPoints(this.run.points, this.order);
    this.newLooks();
  }

  /** In memory where no graphics card draws. */
  contextOf(canvas) {
    return this.painter instanceof CanvasPoints ? inMemory(canvas) : canvas.getContext("2d");
  }

  get showsThumbnails() {
    return state.get("thumbnails") !== "off" && this.run.about.images;
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.host;
    if (width < 60 || height < 60) return;
    this.ratio = Math.min(2, devicePixelRatio || 1);
    for (const canvas of [this.under, this.canvas, this.over]) Object.assign(canvas, { width: width * this.ratio, height: height * this.ratio });
    this.camera.resize(width, height);
  }

  newPoints() {
    const { points } = this.run;
    if (this.order?.length !== points.length / 2) this.order = shuffled(points.length / 2);
    this.camera.measure(points);
    this.grid = new PointGrid(points, this.camera.bounds);
    this.ground = groundOf(this.grid, this.camera.bounds);
    this.painter.setPoints(points, this.order);
    this.newLooks();
    this.restore(state.get(this.run.own("view")));
  }

  /** What is seen, as the address has it: of which map, too, as it means nothing on another. */
  viewText() {
    return `${this.camera.toText()}~${this.run.mapName}`;
  }

  restore(text) {
    const [view, map] = (text ?? "").split("~");
    if (map !== this.run.mapName || !this.camera.fromText(view)) this.camera.fit();
  }

  newLooks() {
    if (!this.order) return;
    this.looks = looksOf(this.run);
    this.painter.setLooks(this.looks, this.order);
    this.redraw();
  }

  moved() {
    this.moving = true;
    clearTimeout(this.rest);
    this.rest = setTimeout(() => {
      this.moving = false;
      if (this.grid) state.set({ [this.run.own("view")]: this.viewText() });
      this.redraw();
    }, 160);
    this.redraw();
  }

  mark(marks) {
    Object.assign(this.marks, marks);
    if ("decoded" in marks) this.placeCross();
    else this.redrawOver();
  }

  /** Where the decoded place is: an element of its own, so that nothing else is drawn anew as it moves. */
  placeCross() {
    const { decoded } = this.marks;
    this.cross.classList.toggle("absent", !decoded);
    if (!decoded) return;
    this.cross.classList.toggle("far", decoded.isFar);
    const [x, y] = this.camera.toScreen(...decoded.at);
    this.cross.style.transform = `translate(${x}px, ${y}px)`;
  }

  box() {
    return [...this.camera.toData(0, this.camera.height), ...this.camera.toData(this.camera.width, 0)];
  }

  draw() {
    if (!this.grid) return;
    const { camera, ratio } = this;
    const style = getComputedStyle(document.documentElement);
    this.colours = Object.fromEntries(["paper", "void", "ink", "muted", "grid", "first"].map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
    const visible = this.grid.countInBox(...this.box(), this.run.size);
    this.drawGround();
    this.shown = this.tiles(visible);
    this.painter.draw(camera, { ground: rgb(this.colours.paper), ratio, moving: this.moving, visible });
    this.drawOver();
  }

  /** What lies over the points: all that changes where an image is hovered or pinned, or a place decoded. */
  drawOver() {
    if (!this.colours) return;
    const { camera, ratio } = this;
    const context = this.contextOf(this.over);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, camera.width, camera.height);
    this.drawTiles(context, this.shown);
    this.drawAxes(context);
    this.drawMarks(context);
    this.placeCross();
  }

  drawGround() {
    const context = this.contextOf(this.under);
    const { camera, ratio, ground } = this;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.fillStyle = this.colours.void;
    context.fillRect(0, 0, camera.width, camera.height);
    const [x, y] = camera.toScreen(ground.left, ground.high);
    const side = ground.side * camera.scale;
    context.imageSmoothingEnabled = true;
    context.drawImage(ground.picture(this.colours.paper), x, y, side, side);
  }

  /** The images to show as thumbnails: of those in each cell of the screen the one nearest its middle. */
  tiles(visible) {
    const { camera, grid, run } = this;
    const cells = (camera.width * camera.height) / (TILE * TILE);
    if (!this.showsThumbnails || visible > cells * 3) return [];
    const best = new Map();
    let seen = 0;
    const { points } = run;
    grid.inBox(...this.box(), (i) => {
      if (run.selected && !run.selected[i]) return;
      const [sx, sy] = camera.toScreen(points[2 * i], points[2 * i + 1]);
      if (sx < 0 || sy < 0 || sx > camera.width || sy > camera.height) return;
      seen++;
      const [c, r] = [Math.floor(sx / TILE), Math.floor(sy / TILE)];
      const d = (sx - (c + 0.5) * TILE) ** 2 + (sy - (r + 0.5) * TILE) ** 2;
      const key = `${c} ${r}`;
      if (!best.has(key) || d < best.get(key).d) best.set(key, { d, place: i, sx, sy });
    });
    const found = clear([...best.values()].sort((a, b) => a.place - b.place), TILE * 0.8);
    return found.length >= seen * SHARE ? found : [];
  }

  drawTiles(context, tiles) {
    const { run } = this;
    const size = TILE - 8;
    for (const { place, sx, sy } of tiles) {
      const canvas = this.thumbnails.of(place);
      if (!canvas) continue;
      const [wide, tall] = canvas.width > canvas.height ? [size, (size * canvas.height) / canvas.width] : [(size * canvas.width) / canvas.height, size];
      context.fillStyle = run.column ? this.lookOf(place) : this.colours.paper;
      context.beginPath();
      context.roundRect(sx - wide / 2 - 2, sy - tall / 2 - 2, wide + 4, tall + 4, 4);
      context.fill();
      context.save();
      context.beginPath();
      context.roundRect(sx - wide / 2, sy - tall / 2, wide, tall, 2.5);
      context.clip();
      context.imageSmoothingEnabled = canvas.width > wide;
      context.drawImage(canvas, sx - wide / 2, sy - tall / 2, wide, tall);
      context.restore();
    }
  }

  lookOf(place) {
    return `rgb(${this.looks.subarray(4 * place, 4 * place + 3).join(" ")})`;
  }

  drawAxes(context) {
    const { camera, run } = this;
    context.font = "11px system-ui, sans-serif";
    context.fillStyle = this.colours.muted;
    context.strokeStyle = this.colours.grid;
    const plane = run.plane();
    const step = niceStep(90 / camera.scale);
    const top = camera.width < NARROW ? 54 : 20;
    if (plane) {
      const [x0, y0, x1, y1] = this.box();
      context.textAlign = "center";
      for (let x = Math.ceil(x0 / step) * step; x <= x1; x += step) {
        const [sx] = camera.toScreen(x, 0);
        if (sx < 44 || sx > camera.width - 120) continue;
        context.fillText(number(Math.abs(x) < step / 2 ? 0 : x), sx, camera.height - 10);
      }
      context.textAlign = "left";
      for (let y = Math.ceil(y0 / step) * step; y <= y1; y += step) {
        const [, sy] = camera.toScreen(0, y);
        if (sy < top + 14 || sy > camera.height - 34) continue;
        context.fillText(number(Math.abs(y) < step / 2 ? 0 : y), 10, sy + 4);
      }
    }
    const [across, upward] = axisNames(run);
    context.font = "600 11px system-ui, sans-serif";
    context.textAlign = "right";
    context.fillText(across, camera.width - 12, camera.height - 10);
    context.textAlign = "left";
    context.fillText(upward, 10, top);
  }

  drawMarks(context) {
    const { camera, run, marks, colours } = this;
    const ring = (place, radius, width, colour) => {
      const [sx, sy] = camera.toScreen(run.points[2 * place], run.points[2 * place + 1]);
      for (const [stroke, extra] of [[colours.paper, 3], [colour, 0]]) {
        context.beginPath();
        context.arc(sx, sy, radius, 0, 7);
        context.lineWidth = width + extra;
        context.strokeStyle = stroke;
        context.stroke();
      }
    };
    if (marks.hovered !== null) ring(marks.hovered, 8, 1.5, colours.ink);
    if (marks.pinned !== null) ring(marks.pinned, 11, 2.5, colours.first);
    if (this.host.matches(":focus-visible")) {
      const [x, y] = [camera.width / 2, camera.height / 2];
      context.strokeStyle = colours.muted;
      context.lineWidth = 1;
      context.strokeRect(x - REACH, y - REACH, 2 * REACH, 2 * REACH);
    }
  }

  /** The image nearest to a place of the screen, within 14 pixels or so many, or null. */
  imageAt(sx, sy, reach = REACH) {
    if (!this.grid) return null;
    const tile = this.shown.findLast((each) => Math.max(Math.abs(each.sx - sx), Math.abs(each.sy - sy)) < TILE / 2 - 2);
    if (tile) return tile.place;
    const found = this.grid.nearest(...this.camera.toData(sx, sy), reach / this.camera.scale, this.run.selected);
    return found < 0 ? null : found;
  }

  tell(what, detail) {
    this.dispatchEvent(new CustomEvent(what, { detail }));
  }

  listen() {
    const { host, camera } = this;
    let held = null, dragged = false, hover = 0;
    const pointers = new Map();
    const place = (event) => {
      const box = host.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    host.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || event.target.closest("button, input, select, a")) return;
      pointers.set(event.pointerId, place(event));
      held = place(event);
      dragged = false;
      host.setPointerCapture(event.pointerId);
    });
    host.addEventListener("pointermove", (event) => {
      const here = place(event);
      if (pointers.size === 2 && pointers.has(event.pointerId)) {
        const [a, b] = [...pointers.values()];
        const before = Math.hypot(a[0] - b[0], a[1] - b[1]);
        pointers.set(event.pointerId, here);
        const [c, d] = [...pointers.values()];
        camera.zoom(Math.hypot(c[0] - d[0], c[1] - d[1]) / Math.max(1, before), (c[0] + d[0]) / 2, (c[1] + d[1]) / 2);
        dragged = true;
        return;
      }
      if (held) {
        if (!dragged && Math.hypot(here[0] - held[0], here[1] - held[1]) < 4) return;
        dragged = true;
        this.tell("hover", { place: null });
        camera.pan(here[0] - held[0], here[1] - held[1]);
        held = here;
        pointers.set(event.pointerId, here);
        return;
      }
      clearTimeout(hover);
      const found = event.target.closest("button, input, select, .bar") ? null : this.imageAt(...here);
      host.classList.toggle("on-image", found !== null);
      if (found !== this.marks.hovered) this.mark({ hovered: found });
      if (found === null) this.tell("hover", { place: null });
      else hover = setTimeout(() => this.tell("hover", { place: found, at: here }), 125);
    });
    const up = (event) => {
      pointers.delete(event.pointerId);
      if (!held) return;
      const here = held;
      held = null;
      if (dragged || event.type !== "pointerup") return;
      const found = this.imageAt(...here);
      if (found !== null) this.tell("pick", { place: found });
      else this.decodeAt(...here);
    };
    host.addEventListener("pointerup", up);
    host.addEventListener("pointercancel", up);
    host.addEventListener("pointerleave", () => {
      clearTimeout(hover);
      this.mark({ hovered: null });
      this.tell("hover", { place: null });
    });
    host.addEventListener("wheel", (event) => {
      if (event.target.closest(".card")) return;
      event.preventDefault();
      camera.zoom(Math.exp(-Math.max(-80, Math.min(80, event.deltaY)) * (event.ctrlKey ? 0.02 : 0.004)), ...place(event));
    }, { passive: false });
    for (const what of ["focus", "blur"]) host.addEventListener(what, this.redraw);
    host.addEventListener("keydown", (event) => this.key(event));
  }

  decodeAt(sx, sy) {
    const [x, y] = this.camera.toData(sx, sy);
    this.tell("ground", { x, y });
  }

  key(event) {
    if (event.target !== this.host || event.ctrlKey || event.metaKey || event.altKey) return;
    const { camera } = this;
    const far = event.shiftKey ? 200 : 60;
    const steps = { ArrowLeft: [far, 0], ArrowRight: [-far, 0], ArrowUp: [0, far], ArrowDown: [0, -far] };
    const [x, y] = [camera.width / 2, camera.height / 2];
    const nearest = this.imageAt(x, y, Math.hypot(camera.width, camera.height));
    const does = {
      "+": () => camera.zoom(1.4), "=": () => camera.zoom(1.4), "-": () => camera.zoom(1 / 1.4), _: () => camera.zoom(1 / 1.4), 0: () => camera.fit(),
      Enter: () => nearest !== null && this.tell("pick", { place: nearest }), d: () => this.decodeAt(x, y), D: () => this.decodeAt(x, y),
    }[event.key];
    if (steps[event.key]) camera.pan(...steps[event.key]);
    else if (does) does();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Brings an image into view, if it is not. */
  reveal(place) {
    const [x, y] = [this.run.points[2 * place], this.run.points[2 * place + 1]];
    const [sx, sy] = this.camera.toScreen(x, y);
    if (sx < 30 || sy < 30 || sx > this.camera.width - 30 || sy > this.camera.height - 30) this.camera.goTo(x, y);
  }
}

/** [across, upward]: what the axes are. */
export function axisNames(run) {
  const latents = run.mapName.split(",");
  if (latents.length === 2) return latents;
  if (run.mapName !== "PCA") return [run.mapName, ""];
  return run.about.pca.shares.map((share, i) => `PC ${i + 1} (${number(100 * (share ?? 0), 2)} %)`);
}

/** Tiles that do not lie over each other: the first of those that would stays. */
function clear(tiles, apart) {
  const kept = new Map();
  const found = [];
  for (const tile of tiles) {
    const [c, r] = [Math.floor(tile.sx / apart), Math.floor(tile.sy / apart)];
    let free = true;
    for (let dc = -1; dc <= 1 && free; dc++) {
      for (let dr = -1; dr <= 1 && free; dr++) {
        const other = kept.get(`${c + dc} ${r + dr}`);
        if (other && Math.abs(other.sx - tile.sx) < apart && Math.abs(other.sy - tile.sy) < apart) free = false;
      }
    }
    if (!free) continue;
    kept.set(`${c} ${r}`, tile);
    found.push(tile);
  }
  return found;
}

/** What marks the decoded place: four strokes around it, with a rim of the ground's colour. */
function cross() {
  const [made, ...strokes] = ["svg", "path", "path"].map((name) => document.createElementNS("http://www.w3.org/2000/svg", name));
  for (const stroke of strokes) stroke.setAttribute("d", "M5 0H14M-5 0H-14M0 5V14M0-5V-14");
  made.setAttribute("viewBox", "-17 -17 34 34");
  made.setAttribute("aria-hidden", "true");
  made.classList.add("cross", "absent");
  made.append(...strokes);
  return made;
}

function niceStep(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * [1, 2, 5, 10].find((factor) => factor * power >= least);
}

/** Places in a random order that is always the same, so that neighbours in the file do not lie on top of each other. */
function shuffled(size) {
  const order = Uint32Array.from({ length: size }, (_, i) => i);
  let seed = 12345;
  for (let i = size - 1; i > 0; i--) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    const j = Math.floor((seed / 4294967296) * (i + 1));
    const other = order[i];
    order[i] = order[j];
    order[j] = other;
  }
  return order;
}
