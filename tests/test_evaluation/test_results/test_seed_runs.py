import json

import pytest

from mmreid_ext.evaluation.results.results_file import RESULTS_FORMAT, write_results
from mmreid_ext.evaluation.results.seed_runs import (
    REQUEST,
    check_one_experiment,
    check_requests,
    requested_settings,
    write_request,
)

ASKED = {"optimizer.lr": 0.1}


def document(seed, ap=0.5, settings=None, **training):
    sets = dict(ours=dict(plain=dict(ap=[ap]), rerank=None))
    return dict(training=dict(seed=seed, **training), settings=settings or {}, test_sets=sets)


def test_a_request_is_flat_and_holds_what_was_given():
    asked = requested_settings(dict(a=dict(b=(1, 2)), seed=3), **{"--amp": True, "--none": []})
    assert asked == {"a.b": [1, 2], "--amp": True}


def test_runs_of_other_settings_are_refused(tmp_path):
    check_requests({1: tmp_path}, ASKED, {})  # nothing there yet
    write_request(tmp_path, ASKED)
    check_requests({1: tmp_path}, ASKED, {})
    with pytest.raises(ValueError, match=r"seed 1 in .*optimizer\.lr = 0\.1 / 0\.2"):
        check_requests({1: tmp_path}, {"optimizer.lr": 0.2}, {})
    written = json.loads((tmp_path / REQUEST).read_text())
    assert len(written.pop("fingerprint")) == 64 and written == ASKED
    (tmp_path / REQUEST).write_text(json.dumps(ASKED))  # of a version that wrote no fingerprint
    check_requests({1: tmp_path}, ASKED, {})
    (tmp_path / REQUEST).write_text("[")
    with pytest.raises(ValueError, match="is damaged; delete"):
        check_requests({1: tmp_path}, ASKED, {})


def test_finished_runs_of_an_earlier_version_tell_their_options(tmp_path):
    found = dict(format=RESULTS_FORMAT, metrics={}, settings=dict(cfg_options={"a.b": 1}))
    write_results(tmp_path / "results.json", found)
    check_requests({1: tmp_path}, ASKED, {"a.b": 1})
    with pytest.raises(ValueError, match=r"a\.b = 1 / 2"):
        check_requests({1: tmp_path}, ASKED, {"a.b": 2})


def test_seeds_of_one_setting_are_one_experiment():
    assert check_one_experiment({1: document(1), 2: document(2, ap=0.25)}) == []
    (note,) = check_one_experiment({1: document(None)})
    assert note == "seed 1: its results don't say with which seed it was trained"


@pytest.mark.parametrize(
    "other, text",
    [
        (document(3), "seed 2: its checkpoint was trained with the seed 3"),
        (document(2), "the same AP of every query"),
        (document(2, 0.25, config=dict(lr=2)), "1, 2 were trained .*lr = 1 / 2"),
        (document(2, 0.25, dict(flip=True), config=dict(lr=1)), "tested .*flip = False / True"),
    ],
)
def test_anything_else_has_no_common_mean(other, text):
    first = document(1, settings=dict(flip=False), config=dict(lr=1))
    with pytest.raises(ValueError, match=text):
        check_one_experiment({1: first, 2: other})


def test_where_and_when_a_test_ran_does_not_matter():
    settings = [dict(device=device, seed=seed) for device, seed in (("cpu", 1), ("cuda", 2))]
    check_one_experiment({1: document(1, 0.5, settings[0]), 2: document(2, 0.25, settings[1])})
