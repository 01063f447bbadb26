// Asks for matches: the newest question counts, older ones are called off.
import { ask } from "./api.js";
import { boxText } from "./box.js";
import { byId, complain, fail, make, number, on, quiet, say, toIso } from "./dom.js";
import { gallery } from "./gallery.js";
import { followLine } from "./line.js";
import { isScene, picture } from "./picture.js";
import { showMatches, showNothing } from "./results.js";

let running = null; // {stop, question}
let asked = false; // whether there are matches, which a new filter makes anew

/* ---- filters ---- */
function showCameras() {
  const ticked = new Set(cameras());
  const old = byId("not-camera").value;
  byId("cameras-set").hidden = gallery.cameras.length === 0;
  byId("cameras").replaceChildren(
    ...gallery.cameras.map((one) => {
      const tick = make("input");
      Object.assign(tick, { type: "checkbox", value: one.camera, checked: ticked.has(one.camera) });
      const name = make("bdi", "", one.camera);
      return make("label", "", tick, make("span", "", name, ` (${number(one.count)})`));
    }),
  );
  const none = make("option", "", "–");
  none.value = "";
  const options = gallery.cameras.map((one) => make("option", "", one.camera));
  byId("not-camera").replaceChildren(none, ...options);
  byId("not-camera").value = gallery.cameras.some((one) => one.camera === old) ? old : "";
}
const cameras = () => [...byId("cameras").querySelectorAll("input:checked")].map((tick) => tick.value);

function filters() {
  const fields = [
    ...cameras().map((camera) => ["camera", camera]),
    ["not_camera", byId("not-camera").value],
    ["since", toIso(byId("since").value)],
    ["until", toIso(byId("until").value)],
    ["identity", byId("person").value.trim()],
  ];
  return fields.filter(([, value]) => value !== "");
}
function countFilters() {
  const active = filters().length;
  byId("filter-count").hidden = active === 0;
  byId("filter-count").textContent = `${active} on`;
  return active;
}

/* ---- searching ---- */
function busy(is) {
  byId("results").setAttribute("aria-busy", String(is));
  byId("search").textContent = is ? "Searching …" : "Search";
  document.body.classList.toggle("busy", is);
}

export async function search() {
  if (!picture.file) return complain("Choose a picture first.");
  const fields = [["topk", byId("topk").value], ["rerank", String(byId("rerank").checked)], ["box", boxText()], ...filters()];
  const question = JSON.stringify(fields.concat(picture.name, picture.file.lastModified, picture.file.size));
  if (running?.question === question) return undefined; // pressed twice
  running?.stop.abort();
  const own = { stop: new AbortController(), question };
  running = own;
  const form = new FormData();
  form.append("image", picture.file, picture.file.name || "picture");
  for (const [name, value] of fields) if (value !== "") form.append(name, value);
  busy(true);
  quiet();
  try {
    const answer = await ask("search", { method: "POST", body: form, signal: own.stop.signal });
    asked = true;
    followLine(answer.threshold);
    showMatches(answer.matches ?? [], countFilters() > 0, byId("rerank").checked);
  } catch (error) {
    if (running === own) fail(error, search);
  } finally {
    if (running === own) {
      running = null;
      busy(false);
    }
  }
  return undefined;
}
/** Renew the matches, if there are any to renew. */
export const searchAgain = () => (asked && picture.file ? search() : showNothing());

on("gallery", () => {
  showCameras();
  if (!asked) showNothing();
});
/** Search and show the matches, also where they are below the screen. */
async function searchAndShow() {
  await search();
  const { top } = byId("matches").getBoundingClientRect();
  if (asked && top > 0.7 * window.innerHeight) byId("matches").scrollIntoView();
}
on("go", searchAndShow);
/** Search with what is to be seen; a whole photo only on demand, since it shows nobody in particular. */
function look() {
  if (boxText() || !isScene()) return search();
  running?.stop.abort();
  asked = false;
  showNothing();
  return undefined;
}
on("box", look);
on("picture", () => {
  look();
  if (isScene()) say("The photo is there. Mark a person, or search with the whole picture.");
});
byId("search").addEventListener("click", searchAndShow);
byId("options").addEventListener("submit", (event) => {
  event.preventDefault();
  search();
});
byId("options").addEventListener("change", (event) => {
  countFilters();
  if (asked && event.target !== byId("rate")) search(); // the line moves without the service
});
byId("clear").addEventListener("click", () => {
  for (const id of ["not-camera", "since", "until", "person"]) byId(id).value = "";
  for (const tick of byId("cameras").querySelectorAll("input")) tick.checked = false;
  countFilters();
  if (asked) search();
});
