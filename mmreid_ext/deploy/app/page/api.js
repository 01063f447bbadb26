// Questions to the service, with its key. Paths are relative: the page also works behind a prefix.
import { byId, openDialog } from "./dom.js";

const PLACE = "mmreid_ext key";
let key = "";
try {
  key = sessionStorage.getItem(PLACE) ?? "";
} catch {
  // A browser that keeps nothing asks again after a reload.
}

export class Failure extends Error {
  /** One sentence for people; `retry` says whether the same question may succeed later. */
  constructor(sentence, retry = false, status = 0) {
    super(sentence);
    Object.assign(this, { sentence, retry, status });
  }
}

function keepKey(value) {
  key = value;
  byId("forget-key").hidden = key === "";
  try {
    if (key) sessionStorage.setItem(PLACE, key);
    else sessionStorage.removeItem(PLACE);
  } catch {
    // As above.
  }
}
keepKey(key);
byId("forget-key").addEventListener("click", () => {
  keepKey("");
  window.location.reload();
});

/* ---- the key ---- */
const dialog = byId("key-dialog");
byId("key-no").addEventListener("click", () => dialog.close(""));
byId("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const value = byId("key").value.trim();
  // A header holds printable ASCII; anything else would fail without a word.
  if (/^[!-~]+$/.test(value)) dialog.close(value);
  else {
    byId("key-wrong").textContent = value
      ? "A key has only letters, digits and signs of an English keyboard."
      : "Type the key.";
    byId("key").focus();
  }
});

let asking = null; // several questions wait for one dialog
async function askKey() {
  byId("key").value = "";
  byId("key-wrong").textContent = key ? "The service doesn't take this key." : "";
  const value = await openDialog(dialog);
  byId("key").value = "";
  if (!value) throw new Failure("The service answers only with a key.", true, 401);
  keepKey(value);
}

/* ---- questions ---- */
async function send(path, options) {
  for (;;) {
    const used = key;
    const headers = used ? { Authorization: `Bearer ${used}` } : {};
    let response;
    try {
      response = await fetch(path, { ...options, headers, credentials: "same-origin" });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Failure("The service doesn't answer. Is it running, and are you connected?", true);
    }
    if (response.status !== 401) return response;
    if (used !== key) continue; // another question brought the right key meanwhile
    asking ??= askKey().finally(() => (asking = null));
    await asking;
  }
}

function sentenceOf(body, status) {
  const detail = body?.detail;
  if (typeof detail === "string" && detail) return detail;
  if (Array.isArray(detail) && detail.length) {
    return detail.map((one) => `${(one.loc ?? []).slice(1).join(" ")}: ${one.msg}`).join("; ");
  }
  if (status === 413) return "The picture is too big for the service.";
  return `The service answers with status ${status} and no reason.`;
}

/** Return the JSON of an answer. Raises Failure, or AbortError. */
export async function ask(path, options = {}) {
  const response = await send(path, options);
  let body;
  try {
    body = await response.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    body = null;
  }
  if (!response.ok) {
    const busy = response.status >= 500 || response.status === 429 || response.status === 408;
    throw new Failure(sentenceOf(body, response.status), busy, response.status);
  }
  if (body === null) throw new Failure("What the service answers isn't JSON: is it this service?");
  return body;
}

export async function askBlob(path, options = {}) {
  const response = await send(path, options);
  if (!response.ok) throw new Failure("The picture is no longer there.", false, response.status);
  return response.blob();
}

/* ---- thumbnails ---- */
export const thumbnailPath = (id) => `thumbnail/${encodeURIComponent(id)}`;
const shownUrls = new Set();
/** Give a picture its source: an `<img>` can't send the key, so that with one we fetch it. */
export async function showThumbnail(image, id) {
  if (!key) {
    image.src = thumbnailPath(id);
    return;
  }
  try {
    const url = URL.createObjectURL(await askBlob(thumbnailPath(id)));
    shownUrls.add(url);
    image.src = url;
  } catch {
    image.dispatchEvent(new Event("error"));
  }
}
export function dropThumbnails() {
  for (const url of shownUrls) URL.revokeObjectURL(url);
  shownUrls.clear();
}
