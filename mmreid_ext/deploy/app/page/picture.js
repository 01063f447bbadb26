// The picture that is asked about: chosen, taken, dropped or pasted.
import { byId, complain, count, quiet, tell } from "./dom.js";

export const picture = { file: null, name: "", width: 0, height: 0 };
const shown = byId("shown");
let url = "";

/** Whether the picture is rather a photo of a place than one of a person. */
export const isScene = () => picture.width > 0.75 * picture.height;

async function draw(file) {
  const next = URL.createObjectURL(file);
  const probe = new Image();
  probe.src = next;
  try {
    await probe.decode();
  } catch {
    URL.revokeObjectURL(next);
    return null; // HEIC, for one, which few browsers show
  }
  return { next, width: probe.naturalWidth, height: probe.naturalHeight };
}

let latest = 0;
/** Take a file as the picture. `label` is what people see of it, `more` a remark behind it. */
export async function take(file, label = file.name || "Pasted picture", more = "") {
  if (file.size === 0) return complain(`${label} is empty.`);
  if (file.type && !file.type.startsWith("image/")) return complain(`${label} isn't a picture.`);
  const own = (latest += 1);
  const drawn = await draw(file);
  if (own !== latest) {
    if (drawn) URL.revokeObjectURL(drawn.next);
    return undefined;
  }
  quiet();
  if (url) URL.revokeObjectURL(url);
  url = drawn?.next ?? "";
  const { width = 0, height = 0 } = drawn ?? {};
  Object.assign(picture, { file, name: label, width, height });
  byId("view").style.setProperty("--ratio", width / height || 1);
  if (drawn) shown.src = url;
  else shown.removeAttribute("src");
  shown.alt = `The chosen picture, ${label}`;
  byId("view").hidden = drawn === null;
  byId("invite").hidden = true;
  byId("undrawn").hidden = drawn !== null;
  byId("undrawn").textContent = "This browser can't show the picture. The service may still read it.";
  byId("picture-name").textContent = (drawn ? `${label}, ${width} × ${height}` : label) + more;
  byId("picture-name").title = label;
  byId("search").disabled = false;
  tell("picture");
  return undefined;
}

/* ---- ways in ---- */
for (const id of ["choose", "take"]) {
  byId(id).addEventListener("change", (event) => {
    const [file] = event.target.files;
    if (file) take(file);
    event.target.value = ""; // the same file again is a choice, too
  });
}

function takeFirst(files, none) {
  const pictures = [...files].filter((file) => !file.type || file.type.startsWith("image/"));
  if (pictures.length) {
    const others = files.length - 1;
    take(pictures[0], undefined, others ? ` (one at a time: ${count(others, "other file")} left out)` : "");
  } else if (files.length) complain(`${files[0].name} isn't a picture.`);
  else if (none) complain(none);
}

document.addEventListener("paste", (event) => {
  takeFirst(event.clipboardData?.files ?? [], ""); // none: text into a field
});

let inside = 0; // entered elements: leaving a child isn't leaving the page
const stage = byId("stage");
const mark = () => stage.classList.toggle("over", inside > 0);
document.addEventListener("dragenter", (event) => {
  event.preventDefault();
  inside += 1;
  mark();
});
document.addEventListener("dragleave", () => {
  inside = Math.max(0, inside - 1);
  mark();
});
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  event.preventDefault(); // or the browser would leave the page for the file
  inside = 0;
  mark();
  takeFirst(event.dataTransfer?.files ?? [], "That was no picture file. Save the picture, then drop the file.");
});
