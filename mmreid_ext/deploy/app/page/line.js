// The similarity from which on it is the same person, at the chosen rate of false alarms.
import { byId, make, on, oneIn, similarity, tell } from "./dom.js";
import { gallery } from "./gallery.js";

const usable = () => gallery.thresholds.filter((one) => Number.isFinite(one.similarity));
/** The chosen threshold, or null. */
export const line = () => usable().find((one) => String(one.fpr) === byId("rate").value) ?? null;
let chosen = false;

function showRates() {
  const rate = byId("rate");
  const before = rate.value;
  rate.replaceChildren(
    ...gallery.thresholds.map((one) => {
      const option = make("option", "", oneIn(one.fpr));
      option.value = String(one.fpr);
      option.disabled = !Number.isFinite(one.similarity);
      if (option.disabled) option.append(" (too few test pairs)");
      return option;
    }),
  );
  const rates = usable().map((one) => one.fpr);
  rate.disabled = rates.length === 0;
  if (!rates.length) rate.append(make("option", "", "unknown"));
  else if (rates.map(String).includes(before)) rate.value = before;
  else rate.value = String(rates.includes(1e-3) ? 1e-3 : Math.min(...rates));
  explainLine();
}
function explainLine() {
  const at = line();
  const found = Number.isFinite(at?.tpr) ? ` It finds ${Math.round(100 * at.tpr)} % of the right pairs` : "";
  const where = found && at.dataset ? ` (${at.dataset}).` : found && ".";
  byId("rate-help").textContent = at
    ? `From ${similarity(at.similarity)} on it is the same person. That is wrong for ${oneIn(at.fpr)} pairs of different people.${found}${where}`
    : "The model has no thresholds, so nothing says from where on it is the same person. A test of the model stores them.";
}
/** Take the service's own line as long as nobody chose one. */
export function followLine(threshold) {
  const rate = byId("rate");
  if (!chosen && usable().some((one) => one.fpr === threshold?.fpr)) rate.value = String(threshold.fpr);
  explainLine();
}
on("gallery", showRates);
byId("rate").addEventListener("change", () => {
  chosen = true;
  explainLine();
  tell("line");
});
