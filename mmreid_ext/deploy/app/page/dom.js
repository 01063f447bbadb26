// What every part of the page uses: nodes, messages, and how numbers and times are written.
// Every text goes through textContent or a property: names can't become markup.

export const byId = (id) => document.getElementById(id);
export const bus = new EventTarget();
export const tell = (name, detail) => bus.dispatchEvent(new CustomEvent(name, { detail }));
export const on = (name, act) => bus.addEventListener(name, (event) => act(event.detail));

export function make(tag, className, ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

export function button(text, label, act, className = "") {
  const node = make("button", className, text);
  node.type = "button";
  if (label) node.setAttribute("aria-label", label);
  node.addEventListener("click", act);
  return node;
}

// A name of a stranger stands for itself: other writing directions don't reach what is around it.
export function named(text, nobody = "No name") {
  if (text === null || text === undefined || text === "") return make("span", "nobody", nobody);
  const node = make("bdi", "", String(text));
  node.title = String(text);
  return node;
}

export function fillOptions(list, values) {
  list.replaceChildren(
    ...values.map((value) => {
      const option = make("option");
      option.value = value;
      return option;
    }),
  );
}

/* ---- numbers and times ---- */
export const number = (value) => new Intl.NumberFormat("en").format(value);
export const similarity = (value) => value.toFixed(3).replace("-", "−");
export const count = (value, one, many = `${one}s`) => `${number(value)} ${value === 1 ? one : many}`;
export const oneIn = (rate) => `1 in ${number(Math.round(1 / rate))}`;

const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
export function timeText(iso) {
  const time = new Date(iso);
  return Number.isNaN(time.getTime()) ? String(iso) : moment.format(time);
}
export function timeNode(iso) {
  if (iso === null || iso === undefined) return null;
  const node = make("time", "", timeText(iso));
  node.dateTime = node.title = String(iso);
  return node;
}
// The form fields of times speak of local time, the service of UTC.
export const toIso = (local) => (local ? new Date(local).toISOString() : "");
export function localNow() {
  const now = new Date();
  return new Date(now - 60000 * now.getTimezoneOffset()).toISOString().slice(0, 19);
}

/* ---- messages ---- */
let again = null;
let hiding = 0;
/** Say what happened to those who hear the page; with `aloud` also to those who see it. */
export function say(text, aloud = false) {
  const status = byId("status");
  // The same words twice are read twice only if they were away in between.
  status.textContent = "";
  status.classList.toggle("toast", aloud);
  window.setTimeout(() => (status.textContent = text), 60);
  window.clearTimeout(hiding);
  if (aloud) hiding = window.setTimeout(() => status.classList.remove("toast"), 8000);
}
export function quiet() {
  byId("alert").hidden = true;
  byId("alert-text").textContent = "";
  again = null;
}
export function complain(text, retry = null) {
  again = retry;
  byId("alert").hidden = false;
  byId("alert-text").textContent = text;
  byId("alert-again").hidden = retry === null;
}
/** Show why something failed. What was called off is no failure. */
export function fail(error, retry = null) {
  if (error.name === "AbortError") return;
  if (error.sentence === undefined) console.error(error);
  const own = "The page made a mistake. Load it again; the browser's console says more.";
  complain(error.sentence ?? own, error.sentence && error.retry ? retry : null);
}
byId("alert-close").addEventListener("click", quiet);
byId("alert-again").addEventListener("click", () => {
  const act = again;
  quiet();
  if (act) act();
});

/* ---- dialogs ---- */
/** Open a dialog and resolve with its answer; "" when it was left. The browser keeps the focus. */
export function openDialog(dialog) {
  return new Promise((resolve) => {
    dialog.returnValue = "";
    dialog.addEventListener("close", () => resolve(dialog.returnValue), { once: true });
    dialog.showModal();
  });
}
