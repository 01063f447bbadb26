// Deleting: asked first, done once, said afterwards.
import { ask } from "./api.js";
import { byId, count, fail, named, on, openDialog, quiet, say, timeText } from "./dom.js";
import { gallery, loadGallery } from "./gallery.js";
import { searchAgain } from "./search.js";

const FOREVER = "This can't be undone.";
let deleting = false;

/** Ask. `parts` are texts and nodes of the question. */
async function confirmed(title, parts, yes) {
  byId("confirm-title").replaceChildren(...title);
  byId("confirm-text").replaceChildren(...parts);
  byId("confirm-yes").textContent = yes;
  return (await openDialog(byId("confirm"))) === "yes";
}
for (const id of ["confirm-no", "confirm-yes"]) {
  byId(id).addEventListener("click", (event) => {
    event.preventDefault();
    byId("confirm").close(event.currentTarget.value);
  });
}

async function erase(path, done, place) {
  quiet();
  let said;
  try {
    said = done((await ask(path, { method: "DELETE" })).deleted);
  } catch (error) {
    if (error.status !== 404) throw error;
    said = error.sentence; // somebody was faster: it is gone, as was wished
  }
  await loadGallery();
  await searchAgain();
  say(said, true);
  // The button that had the focus is gone with its entry.
  if (document.activeElement === document.body) byId(place).focus();
}

async function once(act) {
  if (deleting) return;
  deleting = true;
  try {
    await act();
  } catch (error) {
    fail(error, () => once(act));
  } finally {
    deleting = false;
  }
}

// All pictures of a person, after a look at how many they are now.
on("delete-person", (identity) =>
  once(async () => {
    if (!(await loadGallery())) return;
    const person = gallery.people.find((one) => one.identity === identity);
    if (!person) {
      say(`${identity} is no longer in the gallery.`, true);
      return;
    }
    const pictures = count(person.count, "picture");
    const leave = person.count === 1 ? "leaves the gallery, with its embedding" : "leave the gallery, with their embeddings";
    const text = [`${pictures} of `, named(identity), ` ${leave} and thumbnail${person.count === 1 ? "" : "s"}. ${FOREVER}`];
    if (!(await confirmed(["Delete ", named(identity), "?"], text, `Delete ${pictures}`))) return;
    const path = `person/${encodeURIComponent(identity)}`;
    await erase(path, (deleted) => `${count(deleted, "picture")} of ${identity} deleted.`, "people");
  }),
);

on("delete-picture", (match) =>
  once(async () => {
    const where = match.camera ? [", camera ", named(match.camera)] : [];
    const when = match.time ? [`, ${timeText(match.time)}`] : [];
    const text = ["One picture of ", named(match.identity, "nobody named"), ...where, ...when];
    text.push(` leaves the gallery, with its embedding and thumbnail. ${FOREVER}`);
    if (!(await confirmed(["Delete this picture?"], text, "Delete 1 picture"))) return;
    const path = `image/${encodeURIComponent(match.id)}`;
    await erase(path, (deleted) => `${count(deleted, "picture")} deleted.`, "matches");
  }),
);
