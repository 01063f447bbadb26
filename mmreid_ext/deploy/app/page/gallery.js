// What the service knows: its gallery, people, cameras, model and thresholds.
import { ask } from "./api.js";
import { button, byId, count, fail, fillOptions, make, named, number, tell } from "./dom.js";

export const gallery = {
  known: false, // whether the service has told of it
  missing: false, // whether the service has none
  canWrite: true,
  rows: 0,
  people: [],
  cameras: [],
  thresholds: [],
  model: {},
};
const SHOWN = 100; // people in the list, and suggestions under a field

const list = (value) => (Array.isArray(value) ? value : []);
const has = (value) => value !== null && value !== undefined && value !== "";

/** Ask the service again. Returns whether it answered. */
export async function loadGallery() {
  try {
    const answer = await ask("gallery");
    Object.assign(gallery, {
      known: true,
      missing: false,
      canWrite: answer.can_write !== false,
      rows: Number(answer.rows) || 0,
      people: list(answer.people).filter((one) => has(one.identity)),
      cameras: list(answer.cameras).filter((one) => has(one.camera)),
      thresholds: list(answer.thresholds),
      model: answer.model ?? {},
    });
  } catch (error) {
    gallery.missing = Boolean(error.status >= 400 && error.status < 500 && error.status !== 401);
    byId("about").textContent = gallery.missing ? "The service has no gallery." : "No answer from the service.";
    fail(error, loadGallery);
    if (gallery.missing) tell("gallery");
    return false;
  }
  show();
  tell("gallery");
  return true;
}

function show() {
  const { rows, people, model } = gallery;
  const content = `${count(rows, "picture")} of ${count(people.length, "person", "people")}`;
  const only = gallery.canWrite ? "" : ", to be searched only";
  byId("about").textContent = rows === 0 ? "The gallery is empty." : content + only;
  // Nobody is offered what the service would refuse.
  document.body.classList.toggle("read-only", !gallery.canWrite);
  byId("model").textContent = model.name
    ? `Model ${model.name}${model.size ? `, ${number(model.size)} numbers per picture` : ""}.`
    : "";
  const byName = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });
  people.sort((a, b) => byName.compare(a.identity, b.identity));
  suggest("people-names", people.map((one) => one.identity), "");
  suggest("camera-names", gallery.cameras.map((one) => one.camera), "");
  showPeople();
}

/* ---- people ---- */
function containing(names, text) {
  const wanted = text.trim().toLowerCase();
  return wanted ? names.filter((name) => String(name).toLowerCase().includes(wanted)) : names;
}
function suggest(id, names, text) {
  fillOptions(byId(id), containing(names, text).slice(0, SHOWN));
}
for (const id of ["enrol-name", "person"]) {
  byId(id).addEventListener("input", (event) => {
    if (gallery.people.length > SHOWN) {
      suggest("people-names", gallery.people.map((one) => one.identity), event.target.value);
    }
  });
}

function showPeople() {
  const { people } = gallery;
  const focused = byId("people-list").contains(document.activeElement) && document.activeElement.dataset.name;
  const names = new Set(containing(people.map((one) => one.identity), byId("find").value));
  const found = people.filter((one) => names.has(one.identity));
  byId("people-list").replaceChildren(
    ...found.slice(0, SHOWN).map((one) => {
      const name = make("span", "name", named(one.identity));
      const erase = button("Delete", `Delete ${one.identity}`, () => tell("delete-person", one.identity), "quiet erase");
      erase.dataset.name = one.identity;
      return make("li", "", name, make("span", "muted", count(one.count, "picture")), erase);
    }),
  );
  for (const erase of byId("people-list").querySelectorAll("button")) {
    if (erase.dataset.name === focused) erase.focus(); // the list is new, the place in it is the same
  }
  byId("find-label").hidden = people.length < 2;
  let note = "";
  if (people.length === 0) note = "Nobody is enrolled yet.";
  else if (found.length === 0) note = "Nobody of that name.";
  else if (found.length > SHOWN) note = `${number(SHOWN)} of ${number(found.length)}. Type a name to see others.`;
  else if (found.length < people.length) note = `${number(found.length)} of ${number(people.length)}`;
  byId("people-note").textContent = note;
}
byId("find").addEventListener("input", showPeople);
