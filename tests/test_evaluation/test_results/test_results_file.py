"""Results files of strangers: every entry that comparing reads may be missing or wrong."""

import copy
import json

import pytest

from mmreid_ext.errors import UserError
from mmreid_ext.evaluation import read_results
from mmreid_ext.evaluation.results.comparison import compare
from mmreid_ext.shorten import one_line


def good() -> dict:
    scores = dict(ap=[0.5, None], top1=[1.0, None])
    queries = dict(name=["a.jpg", "b.jpg"], pid=[1, 2], camid=[0, 1], weight=[1.0, 0.0])
    ours = dict(protocol=dict(type="CameraProtocol"), queries=queries, plain=scores, rerank=scores)
    return copy.deepcopy(
        dict(
            format="mmreid_ext-results-1", metrics={"ours/mAP": 50.0}, settings={},
            checkpoint=None, training=None, test_sets=dict(ours=ours),
        )
    )  # fmt: skip


def places(value, path=()):
    """Paths to every object, list and leaf below the top."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        yield (*path, key)
        if isinstance(item, (dict, list)):
            yield from places(item, (*path, key))


def altered(path, value=None, remove=False) -> dict:
    document = good()
    holder = document
    for key in path[:-1]:
        holder = holder[key]
    if remove:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    return document


# what may be missing, and what comparing doesn't read
OPTIONAL = {("metrics",), ("settings",), ("checkpoint",), ("training",), ("metrics", "ours/mAP")}
OPTIONAL |= {("test_sets", "ours"), ("test_sets", "ours", "rerank")}
OPTIONAL |= {("test_sets", "ours", "queries", "weight")}
FREE = {("test_sets", "ours", "protocol", "type")}
PATHS = [path for path in places(good()) if path not in FREE]


OURS = ("test_sets", "ours")
ODD = {
    "config": (("training",), dict(config=[1]), "training.*config.* an object"),
    "seed": (("training",), dict(seed=[1]), "seed.* an integer"),
    "data": ((*OURS, "data"), [3], "data.* an object"),
    "gallery": ((*OURS, "data"), dict(gallery=dict(sha256=[1])), "gallery.* a fingerprint"),
    "embeddings": ((*OURS, "data"), dict(embeddings=[1]), "embeddings.* text"),
    "size": ((*OURS, "num_gallery"), [3], "num_gallery.* an integer"),
    "names": ((*OURS, "queries", "pid_names"), [1], "pid_names.* an object"),
    "mean": ((*OURS, "plain", "mAP"), "x", "mAP.* a number"),
    "re-ranking": ((*OURS, "rerank", "settings"), [1], "settings.* an object"),
    "depth": (("settings",), dict(a=json.loads("[" * 300 + "]" * 300)), "deeper than 100 levels"),
}


@pytest.mark.parametrize("name", ODD)
def test_what_comparing_would_stumble_over(tmp_path, name):
    path, value, message = ODD[name]
    with pytest.raises(UserError, match=message) as error:
        read(altered(path, value), tmp_path)
    assert "\n" not in str(error.value)


def read(document, tmp_path):
    path = tmp_path / "strange.json"
    path.write_text(json.dumps(document))  # Python writes NaN and Infinity too
    return read_results(path, complete=True)


def test_the_good_one_is_read(tmp_path):
    assert read(good(), tmp_path) == good()


@pytest.mark.parametrize("path", [p for p in PATHS if p not in OPTIONAL], ids=str)
def test_missing_entries(path, tmp_path):
    with pytest.raises(UserError) as caught:
        read(altered(path, remove=True), tmp_path)
    assert "\n" not in str(caught.value) and "strange.json" in str(caught.value)


@pytest.mark.parametrize("path", [p for p in PATHS if p != ("format",)], ids=str)
@pytest.mark.parametrize(
    "value", [float("nan"), "text", True, [[1]], {"x": 1}, -5, 10**400], ids=one_line
)
def test_wrong_types(path, value, tmp_path):
    document = altered(path, value)
    integer = path[-2:-1] in (("pid",), ("camid",)) and value in (-5, 10**400)
    name = path[-2:-1] == ("name",) and value == "text"
    number = path == ("metrics", "ours/mAP") and value == -5 and value is not True
    obj = isinstance(value, dict) and path[-1] in ("settings", "checkpoint", "training", "protocol")
    if integer or name or number or obj:
        read(document, tmp_path)  # that is allowed there
        return
    if isinstance(value, dict) and path == ("metrics",):
        read(document, tmp_path)
        return
    with pytest.raises(UserError) as caught:
        read(document, tmp_path)
    assert "\n" not in str(caught.value) and "strange.json" in str(caught.value)


@pytest.mark.parametrize(
    "text", ["", "[]", "nul", "[" * 100_000, '{"format": "mmreid_ext-results-1"}', "\x00"]
)
def test_no_results_at_all(text, tmp_path):
    path = tmp_path / "strange.json"
    path.write_text(text)
    with pytest.raises(UserError, match=r"strange\.json"):
        read_results(path, complete=True)


def test_figures_alone_are_enough_to_read_them(tmp_path):
    path = tmp_path / "figures.json"
    path.write_text(json.dumps(dict(format="mmreid_ext-results-1", metrics={"a/mAP": 1.0})))
    assert read_results(path)["metrics"] == {"a/mAP": 1.0}
    path.write_text(json.dumps(dict(format="mmreid_ext-results-1", metrics={"a/mAP": "x"})))
    with pytest.raises(UserError, match=r"metrics\['a/mAP'\] is 'x'"):
        read_results(path)


def test_comparing_checks_what_it_is_given():
    with pytest.raises(UserError, match="run 1 of side b has no entry 'test_sets'"):
        compare([good()], [{}])


def test_text_of_strangers_stays_on_one_line():
    assert one_line("a\nb\x1b[31m") == "a b [31m"
    assert len(one_line("x" * 500)) == 80
