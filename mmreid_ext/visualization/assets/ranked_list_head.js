/* ---- the head of the page: scores, histogram, notes ---- */
function scoreTable() {
  const metrics = Object.keys(report.lists[0].scores);
  const table = make("table", "scores panel-body",
    make("tr", "", make("th", ""), ...metrics.map((metric) => make("th", "", metric))));
  for (const list of report.lists) {
    table.append(make("tr", "", make("td", "", list.name),
      ...metrics.map((metric) => make("td", "", (100 * list.scores[metric]).toFixed(2)))));
  }
  if (has2) {
    table.append(make("tr", "delta", make("td", "", "Change"), ...metrics.map((metric) => {
      const change = 100 * (report.lists[1].scores[metric] - report.lists[0].scores[metric]);
      return make("td", tone(change), signed(change, 2));
    })));
  }
  return make("div", "panel", table);
}

function histogram() {
  const top = Math.max(1, ...report.lists.flatMap((list) => list.ap_histogram));
  const bars = make("div", "bars");
  const bins = report.lists[0].ap_histogram.length;
  for (let bin = 0; bin < bins; bin += 1) {
    const group = make("div", "bin", ...report.lists.map((list, index) => {
      const bar = make("div", `bar list${index}`);
      bar.style.height = `${(100 * list.ap_histogram[bin]) / top}%`;
      bar.classList.toggle("some", list.ap_histogram[bin] > 0);
      return bar;
    }));
    const counts = report.lists.map((list) => `${list.name}: ${list.ap_histogram[bin]}`).join("\n");
    group.title = `AP ${(100 * bin) / bins} to ${(100 * (bin + 1)) / bins}\n${counts}`;
    bars.append(group);
  }
  const legend = make("div", "muted", "Queries by AP");
  report.lists.forEach((list, index) => legend.append(make("span", `swatch list${index}`), list.name));
  return make("div", "panel histogram", legend, bars,
    make("div", "axis", make("span", "", "0"), make("span", "", "50"), make("span", "", "100")));
}

function start() {
  byId("title").textContent = report.title;
  byId("subtitle").textContent = report.subtitle;
  byId("summary").append(scoreTable(), histogram());
  byId("notes").append(...report.notes.map((note) => make("li", "", note)));
  document.documentElement.style.setProperty("--ratio", report.aspect_ratio);
  const labels = new Map(report.queries.map(({ picture }) => [picture.camid, picture.camera]));
  const cameras = [...labels.keys()].sort((a, b) => a - b);
  fill("camera", [["", "Any"], ...cameras.map((cam) => [cam, labels.get(cam)])]);
  byId("camera").parentElement.hidden = cameras.length < 2;
  fill("show", Object.entries(SHOW).map(([value, [label]]) => [value, label]));
  fill("sort", Object.entries(SORT).map(([value, [label]]) => [value, label]));
  if (has2) fill("view", [["both", "Both"]]);
  fill("view", report.lists.map((list, index) => [index, list.name]));
  byId("view-field").hidden = !has2;

  for (const id of ["text", "pid"]) byId(id).oninput = update;
  for (const id of ["camera", "show", "sort", "view"]) byId(id).onchange = update;
  const resize = () => document.documentElement.style.setProperty("--thumb", `${byId("size").value}px`);
  byId("size").oninput = resize;
  byId("controls").onsubmit = (event) => event.preventDefault();
  byId("controls").onreset = () => setTimeout(() => { // after the fields are back
    resize();
    update();
  });
  for (const [id, step] of [["previous", -1], ["next", 1]]) {
    byId(id).onclick = byId(`${id}-foot`).onclick = () => turn(step);
  }
  update();
}
start();
