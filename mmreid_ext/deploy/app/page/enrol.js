// Keeps the present picture, or what its box shows, under a name.
import { ask } from "./api.js";
import { boxText } from "./box.js";
import { byId, count, fail, localNow, on, quiet, toIso } from "./dom.js";
import { loadGallery } from "./gallery.js";
import { picture } from "./picture.js";
import { searchAgain } from "./search.js";

const name = byId("enrol-name");
const time = byId("enrol-time");
const said = byId("enrol-said");
let ownTime = false; // whether somebody set the time; else it is now
let running = false;

const now = () => {
  if (!ownTime) time.value = localNow();
};
time.addEventListener("input", () => (ownTime = true));
now();
on("picture", () => {
  said.textContent = "";
  now();
});

function reason(who) {
  if (!picture.file) return "Choose a picture first.";
  if (!who) return "Write the person's name.";
  if (who === "." || who === "..") return "A name of dots alone can't be deleted later. Take another one.";
  return "";
}

function outcome({ added, known, conflicts }, who) {
  if (added) return `${count(added, "picture")} of ${who} added.`;
  if (conflicts?.length) return "The gallery has this picture already, as somebody else. That stays so.";
  return known ? "The gallery has this picture already. Nothing was added." : "Nothing was added.";
}

async function enrol() {
  if (running) return;
  const who = name.value.trim();
  const wrong = reason(who);
  said.className = wrong ? "said wrong" : "said";
  said.textContent = wrong;
  name.setAttribute("aria-invalid", String(Boolean(wrong && picture.file)));
  if (wrong) {
    (picture.file ? name : byId("choose")).focus();
    return;
  }
  now();
  const form = new FormData();
  form.append("images", picture.file, picture.file.name || "picture");
  const fields = { identity: who, camera: byId("enrol-camera").value.trim(), time: toIso(time.value), box: boxText() };
  for (const [field, value] of Object.entries(fields)) if (value) form.append(field, value);
  running = true;
  byId("enrol-go").textContent = "Enrolling …";
  byId("enrol-go").setAttribute("aria-disabled", "true");
  quiet();
  try {
    said.textContent = outcome(await ask("enroll", { method: "POST", body: form }), who);
    await loadGallery();
    await searchAgain();
  } catch (error) {
    fail(error, enrol);
  } finally {
    running = false;
    byId("enrol-go").textContent = "Enrol";
    byId("enrol-go").removeAttribute("aria-disabled");
  }
}
byId("enrol").addEventListener("submit", (event) => {
  event.preventDefault();
  enrol();
});
