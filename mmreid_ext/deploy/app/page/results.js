// The matches as cards, on both sides of the line from which on it is the same person.
import { dropThumbnails, askBlob, showThumbnail, thumbnailPath } from "./api.js";
import { button, byId, count, fail, make, named, on, oneIn, say, similarity, tell, timeNode } from "./dom.js";
import { gallery } from "./gallery.js";
import { line } from "./line.js";
import { picture, take } from "./picture.js";

let shown = null; // {matches, filtered, reranked}

const nameOf = (match) => match.identity || "no name";

function thumbnail(match) {
  const place = make("div", "thumb");
  const nothing = () => place.replaceChildren(make("span", "muted", "No picture kept"));
  if (match.thumbnail === null || match.thumbnail === undefined) nothing();
  else {
    const image = make("img");
    image.alt = `Match ${match.rank}, ${nameOf(match)}`;
    image.loading = "lazy";
    image.decoding = "async";
    image.addEventListener("error", nothing);
    place.append(image);
    showThumbnail(image, match.id);
  }
  return place;
}

async function searchWith(match) {
  try {
    const blob = await askBlob(thumbnailPath(match.id));
    await take(new File([blob], "thumbnail.jpg", { type: "image/jpeg" }), `Match ${match.rank}, ${nameOf(match)}`);
  } catch (error) {
    fail(error);
  }
}

function card(match, at) {
  const same = at ? match.similarity >= at.similarity : null;
  const value = make("p", "similarity", make("b", "", similarity(match.similarity)));
  const bar = make("span", "bar", make("span", "fill"), at && make("span", "mark"));
  bar.style.setProperty("--value", Math.max(0, match.similarity));
  if (at) bar.style.setProperty("--at", Math.max(0, at.similarity));
  value.append(bar);
  const facts = make("p", "facts", match.camera ? make("span", "", "Camera ", named(match.camera)) : null, timeNode(match.time));
  const acts = make("div", "acts");
  const label = `match ${match.rank}, ${nameOf(match)}`;
  if (match.thumbnail) acts.append(button("Search", `Search with ${label}`, () => searchWith(match), "quiet"));
  acts.append(button("Delete", `Delete ${label}`, () => tell("delete-picture", match), "quiet erase"));
  const verdict = same === null ? null : make("p", "verdict", same ? "Same person" : "Below the line");
  const who = make("p", "who", make("span", "rank", `${match.rank}`), " ", named(match.identity));
  const item = make("li", same ? "card yes" : "card", thumbnail(match), who, value, verdict, facts, acts);
  return item;
}

function cards(matches, at, heading) {
  const list = make("ol", "cards", ...matches.map((match) => card(match, at)));
  list.setAttribute("aria-label", heading);
  return list;
}

/** Write the line between two lists of cards. */
function divided(matches, at) {
  const above = matches.filter((match) => match.similarity >= at.similarity);
  const below = matches.filter((match) => match.similarity < at.similarity);
  const title = `Same person from ${similarity(at.similarity)} on`;
  const rule = make("h3", "line", make("span", "", title, make("small", "", `${oneIn(at.fpr)} false alarms`)));
  return [
    above.length ? cards(above, at, "Same person") : make("p", "muted none", "No match reaches the line."),
    rule,
    below.length ? cards(below, at, "Below the line") : make("p", "muted none", "No match is below the line."),
  ];
}

function summary(matches, at) {
  const text = count(matches.length, "match", "matches");
  if (!at) return `${text}.`;
  const above = matches.filter((match) => match.similarity >= at.similarity).length;
  return `${text}, ${above} of them ${above === 1 ? "is" : "are"} the same person at ${oneIn(at.fpr)} false alarms.`;
}

function draw() {
  byId("nav-count").hidden = false;
  byId("nav-count").textContent = shown.matches.length;
  const { matches, filtered, reranked } = shown;
  const at = line();
  dropThumbnails();
  byId("matches-note").hidden = false;
  if (!matches.length) return drawNone(filtered);
  let note = summary(matches, at);
  if (reranked) note += " Re-ranked: neighbours decide the order, not similarity alone.";
  byId("matches-note").textContent = note;
  // Re-ranked, the similarities aren't in order: no line can part the list, each card says its side.
  byId("results").replaceChildren(...(at && !reranked ? divided(matches, at) : [cards(matches, at, "Matches")]));
  return say(note);
}

function drawNone(filtered) {
  const note = filtered ? "No match under these filters." : "No match.";
  byId("matches-note").textContent = note;
  byId("results").replaceChildren();
  if (gallery.rows === 0) showNothing();
  else if (filtered) byId("results").append(button("Clear the filters", "", () => byId("clear").click()));
  say(gallery.rows === 0 ? "The gallery is empty." : note);
}

/** Show an answer. `filtered` says whether filters were on, `reranked` whether re-ranking was. */
export function showMatches(matches, filtered, reranked) {
  shown = { matches: matches.map((match, index) => ({ ...match, rank: index + 1 })), filtered, reranked };
  draw();
}

/** Say what to do while there are no matches. */
export function showNothing() {
  shown = null;
  byId("matches-note").hidden = byId("nav-count").hidden = true;
  const lines = { title: "Choose a picture", text: "The most similar pictures of the gallery appear here." };
  if (picture.file) lines.title = "Mark a person, or press Search";
  if (gallery.missing) Object.assign(lines, { title: "No gallery", text: "Start the service with a gallery to search and enrol." });
  else if (gallery.known && gallery.rows === 0) {
    lines.title = "The gallery is empty";
    lines.text = "Enrol the first person: choose a picture, write a name, press Enrol. A whole folder goes in with tools/gallery.py.";
  }
  byId("results").replaceChildren(make("div", "empty", make("p", "big", lines.title), make("p", "muted", lines.text)));
}

on("line", () => shown && draw());
