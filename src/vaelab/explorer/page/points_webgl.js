// Points by WebGL2. Few are drawn with their shapes; of many, where they overlap, the picture shows how many lie there:
// each adds its colour and its weight, and a pixel has their mean colour, the more opaque the more there are.

import { MANY, pointSize, tone } from "./points_look.js";

const POINT_VERTEX = `#version 300 es
in vec2 place; in vec4 look;
uniform vec2 middle, zoom; uniform float size; uniform float wanted;
out vec3 colour; flat out int shape;
void main() {
  int bits = int(look.a * 255.0 + 0.5);
  bool chosen = (bits & 1) == 1;
  gl_Position = (wanted < 0.0 || chosen == (wanted > 0.5)) ? vec4((place - middle) * zoom, 0.0, 1.0) : vec4(2.0, 2.0, 2.0, 1.0);
  gl_PointSize = size;
  colour = look.rgb; shape = bits >> 1;
}`;
const SHAPED = `#version 300 es
precision highp float;
in vec3 colour; flat in int shape;
uniform float size, opacity; uniform vec3 ground;
out vec4 pixel;
float away(vec2 p) {
  vec2 q = abs(p);
  if (shape == 1) return max(q.x, q.y) - 0.80;
  if (shape == 2) return max(q.x * 0.87 - p.y * 0.5, p.y) - 0.56;
  if (shape == 3) return (q.x + q.y) * 0.7071 - 0.72;
  if (shape == 4) return min(max(q.x - 0.36, q.y - 0.95), max(q.x - 0.95, q.y - 0.36));
  if (shape == 5) return abs(length(p) - 0.62) - 0.28;
  return length(p) - 0.86;
}
void main() {
  vec2 p = (gl_PointCoord * 2.0 - 1.0) * 1.25;
  float pixels = away(vec2(p.x, p.y)) * size / 2.5;
  float inside = clamp(0.5 - pixels, 0.0, 1.0), rim = clamp(1.6 - pixels, 0.0, 1.0);
  if (rim <= 0.0) discard;
  pixel = vec4(mix(ground, colour, inside), mix(rim * 0.75, 1.0, inside) * opacity);
  pixel.rgb *= pixel.a;
}`;
const ADDED = `#version 300 es
precision highp float;
in vec3 colour; flat in int shape;
out vec4 pixel;
void main() {
  vec2 p = gl_PointCoord * 2.0 - 1.0;
  float weight = clamp(1.35 - dot(p, p), 0.0, 1.0);
  pixel = vec4(colour, 1.0) * weight;
}`;
const SQUARE_VERTEX = `#version 300 es
out vec2 at;
void main() { vec2 p = vec2(gl_VertexID & 1, gl_VertexID >> 1) * 4.0 - 1.0; at = p * 0.5 + 0.5; gl_Position = vec4(p, 0.0, 1.0); }`;
const TONED = `#version 300 es
precision highp float;
in vec2 at; uniform sampler2D sums; uniform float weight, most;
out vec4 pixel;
void main() {
  vec4 sum = texture(sums, at);
  if (sum.a <= 0.0) discard;
  float opacity = most * (0.34 + 0.66 * (1.0 - exp(-sum.a * weight))) * clamp(sum.a * 1.6, 0.0, 1.0);
  pixel = vec4(sum.rgb / sum.a * opacity, opacity);
}`;

const MOVING = 200_000;

let known = null;

/** Whether a graphics card makes WebGL2 here, not software, which takes longer than memory does; asked once, as that takes long. */
export const hasCard = () => (known ??= ask());

function ask() {
  const gl = document.createElement("canvas").getContext("webgl2");
  if (!gl) return false;
  const card = gl.getExtension("WEBGL_debug_renderer_info");
  return !/swiftshader|llvmpipe|software|basic render/i.test(gl.getParameter(card ? card.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
}

/** Draws points on a canvas; throws where there is no WebGL2. */
export class WebGLPoints {
  constructor(canvas) {
    const gl = canvas.getContext("webgl2", { alpha: true, antialias: false, premultipliedAlpha: true });
    if (!gl) throw new Error("there is none");
    Object.assign(this, { canvas, gl, size: 0 });
    this.canAdd = gl.getExtension("EXT_color_buffer_float") !== null;
    this.shaped = program(gl, POINT_VERTEX, SHAPED);
    this.added = program(gl, POINT_VERTEX, ADDED);
    this.toned = program(gl, SQUARE_VERTEX, TONED);
    this.places = gl.createBuffer();
    this.looks = gl.createBuffer();
    this.array = gl.createVertexArray();
    this.nothing = gl.createVertexArray();
    gl.bindVertexArray(this.array);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.places);
    gl.enableVertexAttribArray(0);
    gl.vertexAttribPointer(0, 2, gl.FLOAT, false, 0, 0);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.looks);
    gl.enableVertexAttribArray(1);
    gl.vertexAttribPointer(1, 4, gl.UNSIGNED_BYTE, true, 0, 0);
    gl.enable(gl.BLEND);
  }

  setPoints(points, order) {
    const { gl } = this;
    const mixed = new Float32Array(points.length);
    for (let k = 0; k < order.length; k++) {
      mixed[2 * k] = points[2 * order[k]];
      mixed[2 * k + 1] = points[2 * order[k] + 1];
    }
    gl.bindBuffer(gl.ARRAY_BUFFER, this.places);
    gl.bufferData(gl.ARRAY_BUFFER, mixed, gl.STATIC_DRAW);
    this.size = order.length;
  }

  setLooks(looks, order) {
    const { gl } = this;
    const from = new Uint32Array(looks.buffer);
    const mixed = new Uint32Array(from.length);
    for (let k = 0; k < order.length; k++) mixed[k] = from[order[k]];
    gl.bindBuffer(gl.ARRAY_BUFFER, this.looks);
    gl.bufferData(gl.ARRAY_BUFFER, new Uint8Array(mixed.buffer), gl.DYNAMIC_DRAW);
    this.someUnselected = looks.some((bits, i) => i % 4 === 3 && (bits & 1) === 0);
  }

  draw(camera, { ground, ratio, moving, visible }) {
    const { gl } = this;
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    if (!this.size) return;
    const number = moving && this.size > MOVING * 1.5 ? MOVING : this.size;
    const passes = this.someUnselected ? [0, 1] : [-1];
    for (const wanted of passes) {
      if (visible > MANY && this.canAdd) this.addUp(camera, wanted, number, ratio, visible);
      else this.drawShapes(camera, wanted, number, ground, ratio, visible);
    }
  }

  drawShapes(camera, wanted, number, ground, ratio, visible) {
    const { gl } = this;
    const size = pointSize(visible, camera) * ratio;
    gl.useProgram(this.shaped.program);
    this.look(this.shaped, camera, wanted, size * 1.25);
    gl.uniform3fv(this.shaped.at("ground"), ground.map((v) => v / 255));
    gl.uniform1f(this.shaped.at("opacity"), wanted === 0 ? 0.75 : 0.92);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.bindVertexArray(this.array);
    gl.drawArrays(gl.POINTS, 0, number);
  }

  addUp(camera, wanted, number, ratio, visible) {
    const { gl, canvas } = this;
    this.makeSums(canvas.width, canvas.height);
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.frame);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.useProgram(this.added.program);
    this.look(this.added, camera, wanted, (visible > 300_000 ? 2 : 3) * ratio);
    gl.blendFunc(gl.ONE, gl.ONE);
    gl.bindVertexArray(this.array);
    gl.drawArrays(gl.POINTS, 0, number);
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.useProgram(this.toned.program);
    gl.bindTexture(gl.TEXTURE_2D, this.sums);
    const { weight, most } = tone(camera, visible, this.size / number, wanted);
    gl.uniform1f(this.toned.at("weight"), weight);
    gl.uniform1f(this.toned.at("most"), most);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.bindVertexArray(this.nothing);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  look(which, camera, wanted, size) {
    const { gl } = this;
    gl.uniform2f(which.at("middle"), camera.x, camera.y);
    gl.uniform2f(which.at("zoom"), (2 * camera.scale) / camera.width, (2 * camera.scale) / camera.height);
    gl.uniform1f(which.at("size"), size);
    gl.uniform1f(which.at("wanted"), wanted);
  }

  makeSums(width, height) {
    if (this.sums && this.sumsSize === `${width} ${height}`) return;
    const { gl } = this;
    gl.deleteTexture(this.sums ?? null);
    this.sums = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, this.sums);
    gl.texStorage2D(gl.TEXTURE_2D, 1, gl.RGBA16F, width, height);
    for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, name, gl.NEAREST);
    this.frame ??= gl.createFramebuffer();
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.frame);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, this.sums, 0);
    this.sumsSize = `${width} ${height}`;
  }
}

function program(gl, vertex, fragment) {
  const made = gl.createProgram();
  for (const [kind, text] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    gl.attachShader(made, shader);
  }
  gl.bindAttribLocation(made, 0, "place");
  gl.bindAttribLocation(made, 1, "look");
  gl.linkProgram(made);
  if (!gl.getProgramParameter(made, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(made));
  const found = new Map();
  const at = (name) => {
    if (!found.has(name)) found.set(name, gl.getUniformLocation(made, name));
    return found.get(name);
  };
  return { program: made, at };
}
