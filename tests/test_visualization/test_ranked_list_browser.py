"""The page in a real browser: Chromium opens it, and a probe script uses its controls."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess

import pytest

from mmreid_ext.visualization import rank_queries, save_ranked_list_html

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)

PROBE = """
<pre id="probe"></pre><script>
const seen = {errors: []};
const set = (id, value, event) => {
  byId(id).value = value;
  byId(id).dispatchEvent(new Event(event, {bubbles: true}));
};
const cards = () => [...document.querySelectorAll(".query")];
const count = () => byId("count").textContent;
const names = () => cards().map((card) => card.querySelector(".name").textContent);
seen.start = count(); seen.cards = cards().length; seen.page = byId("page").textContent;
seen.results = cards()[0].querySelectorAll(".list").length;
seen.first = cards()[0].querySelectorAll(".list")[0].querySelectorAll("li").length;
seen.pictures = [...document.images].every((image) => image.src.startsWith("data:"));
seen.names = names();
byId("next").click(); seen.second = cards().length;
seen.overlap = names().some((name) => seen.names.includes(name));
set("sort", "best", "change"); seen.best = names()[0]; seen.back = byId("page").textContent;
set("show", "failures", "change"); seen.failures = count();
seen.wrong = cards().every((card) => card.querySelector(".result").classList.contains("false"));
set("show", "all", "change"); set("camera", "1", "change"); seen.camera = count();
set("camera", "", "change"); set("pid", "3, 5", "input"); seen.pid = count();
set("text", "QUERY/", "input"); seen.text = count();
set("text", "nowhere", "input"); seen.none = byId("queries").textContent;
set("text", "", "input"); set("pid", "", "input"); set("view", "1", "change");
seen.view = cards()[0].querySelectorAll(".list").length;
document.querySelector(".result").click();
seen.zoom = byId("zoom").open; seen.details = byId("zoom-pair").textContent;
document.dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowRight"}));
seen.turned = byId("zoom-pair").textContent;
byId("probe").textContent = JSON.stringify(seen);
</script></body>"""


@pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")
@pytest.mark.slow
def test_controls_in_a_real_browser(people, tmp_path):
    ranked = rank_queries(*people.arrays, topk=4, limit=None, rerank=True)
    paths = [f"query/{row:02d}<i>.jpg" for row in range(len(people.query_paths))]
    out = tmp_path / "report.html"
    save_ranked_list_html(out, ranked, paths, people.gallery_paths, image_root=people.root)
    out.write_text(out.read_text("utf-8").replace("</body>", PROBE), "utf-8")
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    command += [f"--user-data-dir={tmp_path / 'profile'}", out.as_uri()]
    dom = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    seen = json.loads(html.unescape(re.search(r'<pre id="probe">(.*?)</pre>', dom, re.S)[1]))
    queries, first = ranked.queries, ranked.lists[0].first_match
    pids, camids = people.arrays[2][queries], people.arrays[4][queries]
    name = [f"{row:02d}<i>.jpg" for row in queries]

    assert (seen["start"], seen["page"]) == ("23 queries", "Page 1 of 2")
    assert (seen["cards"], seen["second"], seen["overlap"]) == (20, 3, False)
    assert (seen["results"], seen["first"], seen["pictures"]) == (2, 4, True)
    assert seen["names"] == name[:20]
    best = ranked.lists[0].ap.max()
    assert seen["best"] in [n for n, ap in zip(name, ranked.lists[0].ap, strict=True) if ap == best]
    assert seen["back"] == "Page 1 of 2"
    assert seen["failures"] == f"{(first != 1).sum()} of 23 queries" and seen["wrong"]
    assert seen["camera"] == f"{(camids == 1).sum()} of 23 queries"
    assert seen["pid"] == seen["text"] == f"{((pids == 3) | (pids == 5)).sum()} of 23 queries"
    assert seen["none"] == "No query matches these filters."
    assert seen["view"] == 1 and seen["zoom"] is True
    assert "Rank 1" in seen["details"] and "Rank 2" in seen["turned"]
    assert "k-reciprocal" in seen["details"]
