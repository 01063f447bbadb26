// A box around one person of a photo: by mouse, finger, keys or numbers. Pixels of the upright picture.
import { byId, on, say, tell } from "./dom.js";
import { picture } from "./picture.js";

const view = byId("view");
const node = byId("box");
const add = byId("add-box");
const FIELDS = ["x", "y", "w", "h"];
const LEAST = 4;
let box = null; // {x, y, w, h}, whole numbers

export const boxText = () => (box ? FIELDS.map((name) => box[name]).join(",") : "");

for (const corner of ["nw", "ne", "sw", "se"]) {
  const handle = document.createElement("span");
  handle.className = `handle ${corner}`;
  handle.dataset.corner = corner;
  node.append(handle);
}

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const least = () => Math.min(LEAST, picture.width, picture.height);

/** Make whole pixels inside the picture of two corners. */
function between(left, top, right, bottom) {
  const x = clamp(Math.round(Math.min(left, right)), 0, picture.width - least());
  const y = clamp(Math.round(Math.min(top, bottom)), 0, picture.height - least());
  const w = clamp(Math.round(Math.max(left, right)) - x, least(), picture.width - x);
  const h = clamp(Math.round(Math.max(top, bottom)) - y, least(), picture.height - y);
  return { x, y, w, h };
}
function moved(from, dx, dy) {
  const x = clamp(Math.round(from.x + dx), 0, picture.width - from.w);
  const y = clamp(Math.round(from.y + dy), 0, picture.height - from.h);
  return { ...from, x, y };
}

function set(next) {
  box = next;
  node.hidden = byId("edges").hidden = byId("box-help").hidden = box === null;
  add.setAttribute("aria-pressed", String(box !== null));
  view.classList.toggle("drawing", box !== null);
  if (!box) return;
  const place = { left: box.x / picture.width, top: box.y / picture.height };
  const size = { width: box.w / picture.width, height: box.h / picture.height };
  for (const [name, part] of Object.entries({ ...place, ...size })) node.style[name] = `${100 * part}%`;
  for (const name of FIELDS) byId(`box-${name}`).value = box[name];
}
const settled = () => tell("box");

function describe() {
  const { x, y, w, h } = box;
  return `Left ${x}, top ${y}, width ${w}, height ${h} of ${picture.width} by ${picture.height} pixels.`;
}
function remove() {
  set(null);
  say("The box is gone; the whole picture counts.");
  settled();
}

on("picture", () => {
  set(null);
  add.hidden = picture.width === 0;
});
add.addEventListener("click", () => {
  if (box) return remove();
  // A standing person in the middle, to be moved from there.
  const h = 0.7 * picture.height;
  const w = Math.min(h / 2, 0.7 * picture.width);
  const [x, y] = [(picture.width - w) / 2, (picture.height - h) / 2];
  set(between(x, y, x + w, y + h));
  node.focus();
  return undefined;
});

/* ---- mouse, pen and finger ---- */
let drag = null;
function at(event) {
  const frame = view.getBoundingClientRect();
  return {
    x: clamp((event.clientX - frame.left) / frame.width, 0, 1) * picture.width,
    y: clamp((event.clientY - frame.top) / frame.height, 0, 1) * picture.height,
  };
}
view.addEventListener("pointerdown", (event) => {
  const finger = event.pointerType === "touch";
  if (event.button !== 0 || !event.isPrimary || (finger && !box)) return; // a finger scrolls first
  event.preventDefault();
  view.setPointerCapture(event.pointerId);
  const corner = event.target.dataset?.corner;
  const kind = corner ?? (node.contains(event.target) ? "move" : "draw");
  drag = { kind, start: at(event), from: box, clientX: event.clientX, clientY: event.clientY, far: false };
});
view.addEventListener("pointermove", (event) => {
  if (!drag) return;
  // A click that trembles draws nothing.
  drag.far ||= Math.hypot(event.clientX - drag.clientX, event.clientY - drag.clientY) > 3;
  if (!drag.far) return;
  const { kind, start, from } = drag;
  const here = at(event);
  const [dx, dy] = [here.x - start.x, here.y - start.y];
  if (kind === "draw") set(between(start.x, start.y, here.x, here.y));
  else if (kind === "move") set(moved(from, dx, dy));
  else {
    const [left, top, right, bottom] = [from.x, from.y, from.x + from.w, from.y + from.h];
    const west = kind.includes("w");
    const north = kind.includes("n");
    set(between(left + (west ? dx : 0), top + (north ? dy : 0), right + (west ? 0 : dx), bottom + (north ? 0 : dy)));
  }
});
view.addEventListener("pointerup", () => {
  if (drag && box) node.focus({ preventScroll: true });
  if (drag?.far) {
    say(describe());
    settled();
  }
  drag = null;
});
view.addEventListener("pointercancel", () => {
  if (drag) set(drag.from);
  drag = null;
});
byId("shown").addEventListener("dragstart", (event) => event.preventDefault());

/* ---- keys ---- */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
let saying = 0;
node.addEventListener("keydown", (event) => {
  if (event.key === "Enter") tell("go");
  else if (event.key === "Delete" || event.key === "Backspace") {
    remove();
    add.focus();
  } else if (event.key in ARROWS && !event.altKey && !event.metaKey) {
    const step = event.ctrlKey ? 1 : Math.max(1, Math.round(Math.max(picture.width, picture.height) / 100));
    const [dx, dy] = ARROWS[event.key].map((sign) => sign * step);
    const { x, y, w, h } = box;
    const larger = () => between(x, y, x + Math.max(w + dx, least()), y + Math.max(h + dy, least()));
    set(event.shiftKey ? larger() : moved(box, dx, dy));
    window.clearTimeout(saying); // once, after the last of many
    saying = window.setTimeout(() => box && say(describe()), 250);
  } else return;
  event.preventDefault();
});

/* ---- numbers ---- */
for (const name of FIELDS) {
  byId(`box-${name}`).addEventListener("change", (event) => {
    const value = event.target.valueAsNumber;
    if (box && Number.isFinite(value)) {
      const { x, y, w, h } = { ...box, [name]: value };
      const [left, top] = [Math.max(x, 0), Math.max(y, 0)]; // what is typed stays, what leaves the picture is cut
      set(between(left, top, left + Math.max(w, least()), top + Math.max(h, least())));
      settled();
    } else set(box);
  });
}
