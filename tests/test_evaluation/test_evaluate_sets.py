import numpy as np
import pytest
import torch

from mmreid_ext.evaluation import EmbeddingSet, NoValidQueryError, evaluate_set
from mmreid_ext.evaluation.evaluate_sets import (
    built_protocols,
    check_sets,
    evaluate_sets,
    protocol_overrides,
    warnings_of,
)
from mmreid_ext.evaluation.retrieval.verification import evaluate_open_set, open_set_names
from mmreid_ext.protocols import CameraProtocol


def two_sets(same_camera=()):
    """Two sets of six people; those named have one camera, which removes every match."""
    rng = np.random.default_rng(0)
    datasets = np.repeat(["a", "b"], 24)
    camids = np.where(np.isin(datasets, list(same_camera)), 0, np.tile([0, 1], 24))
    return EmbeddingSet(
        torch.tensor(rng.normal(size=(48, 5))), np.tile(np.repeat(np.arange(6), 4), 2), camids,
        np.tile(["query", "gallery", "gallery", "gallery"], 12), datasets, [""] * 48,
    )  # fmt: skip


def test_every_set_is_evaluated_under_its_protocol():
    images = two_sets()
    results, failures = evaluate_sets(images, {"b": "no_camera"}, rerank=None)
    assert list(results) == ["a", "b"] and failures == []
    for name, protocol in (("a", "camera"), ("b", "no_camera")):
        alone = evaluate_set(images.take(images.datasets == name), protocol, rerank=None)
        assert results[name].metrics() == alone.metrics()


def test_a_set_without_an_answer_is_left_out_and_said():
    results, failures = evaluate_sets(two_sets(same_camera="a"), rerank=None)
    assert list(results) == ["b"] and len(failures) == 1 and "'a'" in failures[0]
    assert warnings_of(results, failures) == failures
    with pytest.raises(NoValidQueryError, match="'a'(.|\n)*'b'"):
        evaluate_sets(two_sets(same_camera="ab"), rerank=None)


def test_people_have_their_names_in_every_message():
    images = two_sets()
    images.pids[(images.datasets == "a") & (images.roles == "gallery")] += 50
    named = {"a": {0: "lea", 50: "tom"}}
    _, (failure,) = evaluate_sets(images, pid_names=named, rerank=None)
    assert "queries: lea, 1," in failure and "gallery: tom, 51," in failure
    images.pids[images.datasets == "b"] = images.pids[images.datasets == "a"]
    with pytest.raises(NoValidQueryError, match="queries: lea, 1,"):
        check_sets(images, built_protocols({}, ["a", "b"]), named)


def test_the_same_is_found_before_features_are_extracted():
    protocols = built_protocols({}, ["a", "b"])
    check_sets(two_sets(same_camera="a"), protocols)
    with pytest.raises(NoValidQueryError, match="'a'(.|\n)*'b'"):
        check_sets(two_sets(same_camera="ab"), protocols)


def test_what_a_user_must_know_is_listed():
    images = two_sets()
    images.camids[:5] = -1
    images.pids[24] = 99  # a query of b that nobody matches
    results, _ = evaluate_sets(images, pid_names={"b": {99: "zoé"}}, rerank=None)
    said = warnings_of(results, ["first"])
    assert said[0] == "first" and len(said) == 4
    assert sum("cameras" in text or "camera" in text for text in said) >= 1
    assert any(text.startswith("b: 1 of 6 queries") and "zoé" in text for text in said)


def test_protocols_are_built_before_the_first_is_used():
    built = built_protocols({None: "no_camera", "b": CameraProtocol(ranks=(3,))}, ["a", "b"])
    assert not built["a"].use_cameras and built["b"].ranks == (3,)
    with pytest.raises(ValueError, match="did you mean 'camera'"):
        built_protocols({"b": "camra"}, ["a", "b"])
    with pytest.raises(ValueError, match="'aa'.*did you mean 'a'.*'a', 'b'"):
        built_protocols({"aa": "camera"}, ["a", "b"])


@pytest.mark.parametrize(
    "given, sorted_",
    [
        (None, {}),
        ("camera", {None: "camera"}),
        (dict(type="camera", ranks=(1,)), {None: dict(type="camera", ranks=(1,))}),
        (dict(a="camera"), dict(a="camera")),
        (CameraProtocol, {None: CameraProtocol}),
    ],
)
def test_one_protocol_for_all_or_one_for_each(given, sorted_):
    assert protocol_overrides(given) == sorted_


def test_strangers_are_counted_where_asked_for():
    images = two_sets()
    results, _ = evaluate_sets(images, rerank=None, open_set=dict(draws=2))
    for name, result in results.items():
        rows = images.datasets == name
        query, gallery = (rows & (images.roles == role) for role in ("query", "gallery"))
        columns = (images.feats, images.pids, images.camids)
        arrays = [column[mask] for column in columns for mask in (query, gallery)]
        expected = evaluate_open_set(*arrays, settings=dict(draws=2))
        assert repr(result.open_set) == repr(expected)
        assert result.metrics().keys() >= set(open_set_names())
    assert evaluate_sets(images, rerank=None)[0]["a"].open_set is None
