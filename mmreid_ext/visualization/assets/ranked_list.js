"use strict";
const report = JSON.parse(document.getElementById("data").textContent);
const PAGE = 20;
const has2 = report.lists.length > 1;
const byId = (id) => document.getElementById(id);
const state = { page: 0, rows: report.queries };
let zoomed = null; // {query, list, position} while the dialog is open

// Every text goes through textContent or setAttribute: file names can't become markup.
function make(tag, className, ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}
const signed = (value, digits) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(digits)}`;
const tone = (change) => (Math.abs(change) < 0.005 ? "" : change > 0 ? "up" : "down");
const percent = (value) => (value === null ? "–" : (100 * value).toFixed(1));
const name = (path) => path.split(/[\\/]/).pop();
const person = (picture) => (picture.distractor ? "distractor" : picture.person);

function thumbnail(picture) {
  const image = make("img");
  image.src = `data:image/jpeg;base64,${report.thumbnails[picture.thumb]}`;
  image.alt = name(picture.path);
  image.decoding = "async";
  return image;
}

/* ---- filter and sort ---- */
// Which list "AP" and "failure" speak of: the one that is shown, the original when both are.
const judged = () => (byId("view").value === "1" ? 1 : 0);
const gain = (query) => (has2 ? query.ap[1] - query.ap[0] : 0);
const failed = (query, list) => query.first[list] !== 1;
const SHOW = {
  all: ["All", () => true],
  failures: ["Only failures (rank 1 wrong)", (query) => failed(query, judged())],
  missed: [`No match in the top ${report.topk}`, (query) => query.first[judged()] > report.topk],
};
const SORT = {
  worst: ["Worst AP first", (a, b) => a.ap[judged()] - b.ap[judged()]],
  best: ["Best AP first", (a, b) => b.ap[judged()] - a.ap[judged()]],
  late: ["First match latest", (a, b) => b.first[judged()] - a.first[judged()]],
  pid: ["Identity", (a, b) => a.picture.pid - b.picture.pid],
  camera: ["Camera", (a, b) => a.picture.camid - b.picture.camid],
  name: ["File name", (a, b) => (a.picture.path < b.picture.path ? -1 : 1)],
};
if (has2) {
  SHOW.fixed = ["Fixed by re-ranking", (query) => failed(query, 0) && !failed(query, 1)];
  SHOW.broken = ["Broken by re-ranking", (query) => !failed(query, 0) && failed(query, 1)];
  SORT.gained = ["Most gained by re-ranking", (a, b) => gain(b) - gain(a)];
  SORT.lost = ["Most lost by re-ranking", (a, b) => gain(a) - gain(b)];
}

// Pairs, not an object: JavaScript would move keys that look like numbers to the front.
function fill(id, choices) {
  for (const [value, label] of choices) {
    const option = make("option", "", label);
    option.value = value;
    byId(id).append(option);
  }
}

function update() {
  const text = byId("text").value.trim().toLowerCase();
  const pids = byId("pid").value.split(/[\s,;]+/).filter(Boolean);
  const cam = byId("camera").value;
  state.rows = report.queries.filter(({ picture }) =>
    (!text || picture.path.toLowerCase().includes(text))
    && (!pids.length || pids.some((pid) => [String(picture.pid), picture.person].includes(pid)))
    && (!cam || String(picture.camid) === cam));
  state.rows = state.rows.filter(SHOW[byId("show").value][1]).sort(SORT[byId("sort").value][1]);
  state.page = 0;
  draw();
}

/* ---- one page of queries ---- */
function draw() {
  const pages = Math.max(1, Math.ceil(state.rows.length / PAGE));
  state.page = Math.min(Math.max(0, state.page), pages - 1);
  const shown = state.rows.slice(state.page * PAGE, (state.page + 1) * PAGE);
  byId("queries").replaceChildren(...shown.map(queryCard));
  if (!shown.length) byId("queries").append(make("p", "empty", "No query matches these filters."));
  byId("count").textContent = state.rows.length === report.queries.length
    ? `${report.queries.length} queries` : `${state.rows.length} of ${report.queries.length} queries`;
  byId("page").textContent = `Page ${state.page + 1} of ${pages}`;
  for (const suffix of ["", "-foot"]) {
    byId(`previous${suffix}`).disabled = state.page === 0;
    byId(`next${suffix}`).disabled = state.page === pages - 1;
  }
  document.querySelector(".foot").hidden = shown.length < 3;
}

function queryCard(query) {
  const { picture } = query;
  const removed = query.removed ? `, ${query.removed} removed` : "";
  const probe = make("div", "probe", thumbnail(picture),
    make("div", "", make("strong", "", person(picture)), ` ${picture.camera}`),
    make("div", "muted name", name(picture.path)),
    make("div", "muted", `${query.matches} ${query.matches === 1 ? "match" : "matches"}${removed}`));
  probe.title = picture.path;
  const lists = make("div", "lists");
  report.lists.forEach((list, index) => {
    if (["both", String(index)].includes(byId("view").value)) lists.append(rankedList(query, index));
  });
  return make("article", "query", probe, lists);
}

function rankedList(query, index) {
  const head = make("h3", "", report.lists[index].name, make("span", "", `AP ${percent(query.ap[index])}`),
    make("span", "", `first match at rank ${query.first[index]}`));
  if (index === 1) {
    const change = 100 * gain(query);
    head.append(make("span", tone(change), `${signed(change, 1)} AP`));
  }
  const before = new Map(query.lists[0].map(([picture], position) => [picture, position]));
  const items = query.lists[index].map(([picture, distance, match], position) => {
    const move = index === 0 ? null : movement(before.get(picture), position);
    return make("li", "", result(query, index, position, picture, distance, match, move));
  });
  return make("section", "list", head, make("ol", "", ...items));
}

function movement(from, to) {
  if (from === undefined) return "new";
  if (from === to) return "=";
  return from > to ? `▲ ${from - to}` : `▼ ${to - from}`;
}

function result(query, list, position, id, distance, match, move) {
  const picture = report.gallery[id];
  const frame = make("span", "frame", thumbnail(picture), make("span", "rank", String(position + 1)),
    make("span", "mark", match ? "✓" : "✗"));
  const button = make("button", `result ${match ? "true" : "false"}`, frame,
    make("b", "", distance.toFixed(3)), picture.camera, make("span", "move", move || ""));
  button.type = "button";
  button.title = `${picture.path}\n${person(picture)}`;
  button.setAttribute("aria-label", `Rank ${position + 1}, ${match ? "match" : "other identity"}, `
    + `${[person(picture), picture.camera].filter(Boolean).join(", ")}, distance ${distance.toFixed(3)}`);
  button.onclick = () => zoom({ query, list, position });
  return button;
}

/* ---- enlarged pair ---- */
function zoom(target) {
  zoomed = target;
  const { query, list, position } = target;
  const [id, distance, match] = query.lists[list][position];
  const found = report.gallery[id];
  byId("zoom-pair").replaceChildren(
    figure("asked", query.picture, [["Query", person(query.picture)]]),
    figure(match ? "true" : "false", found, [
      [`Rank ${position + 1}`, `${match ? "✓ match" : "✗ other identity"}, ${person(found)}`],
      ["Distance", `${distance.toFixed(4)} (${report.lists[list].distance})`],
    ]));
  if (!byId("zoom").open) byId("zoom").showModal();
}

function figure(className, picture, details) {
  const list = make("dl");
  const rows = [...details, ["Camera", picture.camera || "–"],
    ["File", picture.path]];
  for (const [term, value] of rows) list.append(make("dt", "", term), make("dd", "", value));
  return make("figure", className, thumbnail(picture), list);
}

function turn(step) {
  state.page += step;
  draw();
  byId("controls").scrollIntoView();
}

document.addEventListener("keydown", (event) => {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (byId("zoom").open) {
    const position = zoomed.position + (step || 0);
    if (step && zoomed.query.lists[zoomed.list][position]) zoom({ ...zoomed, position });
  } else if (!["INPUT", "SELECT"].includes(event.target.tagName)) {
    if (step && !byId(step < 0 ? "previous" : "next").disabled) turn(step);
    if (event.key === "/") { event.preventDefault(); byId("text").focus(); }
  }
});
byId("zoom").addEventListener("click", (event) => event.target === byId("zoom") && byId("zoom").close());
