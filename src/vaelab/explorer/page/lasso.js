// Lasso and rectangle on the map: drawn by hand, then the images inside are selected, added or taken away.

import { el, say } from "./dom.js";
import { inside } from "./polygon.js";
import { wayOf } from "./selection.js";

const NS = "http://www.w3.org/2000/svg";
const TOOLS = [["lasso", "Lasso", "L"], ["rectangle", "Rectangle", "R"]];
const KEYS = "Shift adds, Alt takes away, both keep what is in both";
/** Pixels from one corner to the next, and to the image that a click means. */
const [STEP, REACH] = [3, 14];

export class Lasso {
  constructor(map, selection) {
    Object.assign(this, { map, selection, tool: null, corners: null });
    const { host } = map;
    this.outline = document.createElementNS(NS, "svg");
    this.outline.setAttribute("class", "outline");
    this.outline.setAttribute("aria-hidden", "true");
    this.path = this.outline.appendChild(document.createElementNS(NS, "path"));
    host.append(this.outline);
    this.buttons = TOOLS.map(([name, words, key]) => el("button", { class: "small tool-button", "aria-pressed": "false", title: `${words} (${key}). ${KEYS}. Without it: drag with Shift`, onclick: () => this.use(name) }, words));
    const first = { pointerdown: this.down, pointermove: this.move, pointerup: this.up, pointercancel: this.up };
    for (const [what, does] of Object.entries(first)) host.addEventListener(what, (event) => does.call(this, event), true);
    host.addEventListener("keydown", (event) => this.key(event));
  }

  /** Takes a tool in hand, or puts it away. */
  use(name) {
    this.tool = this.tool === name ? null : name;
    this.buttons.forEach((button, i) => button.setAttribute("aria-pressed", String(TOOLS[i][0] === this.tool)));
    this.map.host.classList.toggle("drawing", this.tool !== null);
    say(this.tool ? `${this.tool}: drag over the map` : "Dragging moves the map");
  }

  /** Whether there was something to stop: what is drawn, or the tool. */
  stop() {
    if (this.corners) this.drop();
    else if (this.tool) this.use(this.tool);
    else return false;
    return true;
  }

  at(event) {
    const box = this.map.host.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  down(event) {
    if (event.button !== 0 || event.target.closest("button, input, select, label, a") || !(this.tool || event.shiftKey)) return;
    event.stopImmediatePropagation();
    const here = this.at(event);
    Object.assign(this, { corners: [here], from: here, way: wayOf(event), pointer: event.pointerId });
    this.map.host.setPointerCapture(event.pointerId);
    this.map.host.focus({ focusVisible: false });
    this.map.tell("hover", { place: null });
  }

  move(event) {
    if (!this.corners) return;
    event.stopImmediatePropagation();
    if (event.pointerId !== this.pointer) return;
    const [x, y] = this.at(event);
    const [fromX, fromY] = this.from;
    if (this.tool === "rectangle") this.corners = [[fromX, fromY], [x, fromY], [x, y], [fromX, y]];
    else {
      const [lastX, lastY] = this.corners.at(-1);
      if (Math.hypot(x - lastX, y - lastY) < STEP) return;
      this.corners.push([x, y]);
    }
    this.path.setAttribute("d", `M${this.corners.map((corner) => corner.map((v) => v.toFixed(1)).join(" ")).join("L")}Z`);
  }

  up(event) {
    if (!this.corners) return;
    event.stopImmediatePropagation();
    if (event.pointerId !== this.pointer) return;
    const { corners, map } = this;
    this.drop();
    if (event.type !== "pointerup") return;
    if (corners.length > 2) this.selection.put(inside(map.run.points, corners.map((corner) => map.camera.toData(...corner))), this.way);
    else {
      const place = this.way === "replace" ? map.imageAt(...this.from) : this.nearest(...this.from, REACH);
      if (place !== null) this.way === "replace" ? map.tell("pick", { place }) : this.selection.toggle(place);
    }
  }

  /** The nearest image within so many pixels, selected or not, or null. */
  nearest(sx, sy, reach) {
    const { grid, camera } = this.map;
    const found = grid ? grid.nearest(...camera.toData(sx, sy), reach / camera.scale, null) : -1;
    return found < 0 ? null : found;
  }

  drop() {
    this.corners = null;
    this.path.removeAttribute("d");
  }

  key(event) {
    if (event.target !== this.map.host || event.ctrlKey || event.metaKey || event.altKey || event.key.toLowerCase() !== "x") return;
    const { camera } = this.map;
    const place = this.nearest(camera.width / 2, camera.height / 2, Math.hypot(camera.width, camera.height));
    if (place !== null) this.selection.toggle(place);
    event.preventDefault();
  }
}
