"""Protocols in every spelling, wrong ones refused when built, and protocols of one's own."""

import json
from dataclasses import dataclass

import numpy as np
import pytest
from helpers.protocol_images import two_people

from mmreid_ext.evaluation import EmbeddingSet, evaluate_set
from mmreid_ext.protocols import (
    CameraProtocol,
    EvaluationProtocol,
    PaddleClasProtocol,
    SelfRetrievalProtocol,
    SingleGalleryShotProtocol,
    Split,
    SplitListProtocol,
    build_protocol,
    named,
    protocol_names,
    register_protocol,
)
from mmreid_ext.protocols.named import reads_names


@pytest.fixture
def registry(monkeypatch):
    """Names given in a test are forgotten after it."""
    monkeypatch.setattr(named, "_NAMED", dict(named._NAMED))


@pytest.mark.parametrize("name", [n for n in protocol_names() if n != "split_list"])
def test_every_spelling_builds_the_same(name):
    protocol = build_protocol(name)
    assert protocol == build_protocol(dict(type=name)) == build_protocol(protocol.describe())
    settings = {k: v for k, v in protocol.describe().items() if k != "type"}
    kind = type(protocol)
    for spelling in (kind, kind.__name__, f"mmreid_ext.{kind.__name__}", named._path(kind)):
        assert build_protocol(dict(type=spelling, **settings)) == protocol
    changed = build_protocol(dict(type=name, ranks=[2, 7]))
    assert changed.ranks == (2, 7) and type(changed) is kind


def test_a_class_and_none():
    assert build_protocol(PaddleClasProtocol) == build_protocol("paddleclas")
    assert build_protocol(None) == build_protocol(CameraProtocol) == CameraProtocol()


@pytest.mark.parametrize(
    "spec, words",
    [
        ("camra", r"'camra' \(did you mean 'camera'\?\).*no_camera"),
        ("", "Unknown evaluation protocol ''"),
        (dict(type="selfretrieval"), "did you mean 'self_retrieval'"),
        (dict(type=["camera"]), "Unknown evaluation protocol"),
        (dict(type="camera", use_camera=False), "did you mean 'use_cameras'.*use_cameras, ranks"),
        (dict(type="split_list"), "needs the setting 'file'"),
        (dict(type="split_list", file="viperr"), "No split file 'viperr'"),
        (dict(type="viper", gallery_shots=2), "gallery_shots must be 1 or None"),
        (dict(type="single_gallery_shot", repeats=0), "repeats=0"),
        (dict(type="single_gallery_shot", repeats=10**9), "from 1 to 10,000"),
        (dict(type="single_gallery_shot", seed=-1), "seed=-1"),
        (dict(type="viper", seed="x"), "seed='x'"),
        (int, "is no protocol"),
        (3, "must be a name"),
        (["camera"], "must be a name"),
        *((dict(type="camera", ranks=ranks), "ranks=") for ranks in ((), 5, (0,), (1.5,), "15")),
        (dict(type="self_retrieval", ranks=(True,)), "ranks="),
    ],
)
def test_wrong_ones_are_refused_when_built(spec, words):
    with pytest.raises(ValueError, match=words):
        build_protocol(spec)


def test_a_protocol_of_ones_own(registry):
    @register_protocol("first_gallery", number=2)
    @dataclass(frozen=True)
    class FirstGallery(EvaluationProtocol):
        number: int = 1

        def splits(self, images):
            gallery = np.flatnonzero(images.roles == "gallery")[: self.number]
            yield Split(np.flatnonzero(images.roles == "query"), gallery)

    assert build_protocol("first_gallery") == FirstGallery(2)
    assert build_protocol(dict(type="FirstGallery", number=3)) == FirstGallery(3)
    assert build_protocol(dict(type=FirstGallery)) == FirstGallery(1)
    roles = ["query", "gallery", "gallery", "gallery"]
    images = EmbeddingSet(np.eye(4), [1, 1, 1, 1], [0] * 4, roles, ["set"] * 4, [""] * 4)
    result = evaluate_set(images, "first_gallery")
    assert result.num_gallery == 2 and result.protocol == {"type": "FirstGallery", "number": 2}
    with pytest.raises(ValueError, match="did you mean 'first_gallery'"):
        build_protocol("firstgallery")
    with pytest.raises(ValueError, match="'camera' is mmreid_ext.*already"):
        register_protocol("camera")(FirstGallery)
    with pytest.raises(TypeError, match="is no protocol"):
        register_protocol("other")(int)


def test_a_plain_class_may_be_a_protocol(registry):
    @register_protocol("plain")
    class Plain(EvaluationProtocol):
        def splits(self, images):
            yield Split(np.arange(1), np.arange(1, len(images)))

    assert build_protocol("plain").describe() == {"type": "Plain"}


def test_distractors_are_no_person_in_any_protocol():
    marked = two_people([False] * 4 + [True] * 2)
    (split,) = SelfRetrievalProtocol().splits(marked)
    assert split.query.tolist() == split.gallery.tolist() == [0, 1, 2, 3]
    for protocol in ("camera", "no_camera", "paddleclas", "in_shop", "self_retrieval"):
        for table, valid in ((marked, 2), (two_people(None), 3)):
            images = EmbeddingSet(
                np.eye(6), table.pids, table.camids, table.roles, table.datasets, table.names,
                table.distractors,
            )  # fmt: skip
            result = evaluate_set(images, dict(type=protocol, ranks=(1,)), rerank=None)
            expected = 2 * valid if protocol == "self_retrieval" else valid
            assert result.plain.num_valid_queries == expected, protocol
    splits = list(SingleGalleryShotProtocol(repeats=2).splits(marked))
    assert all(5 in split.gallery for split in splits)


def test_shared_numbers_of_distractors_are_not_paired(tmp_path):
    file = tmp_path / "splits.json"
    file.write_text('{"format": "mmreid_ext-splits-1", "splits": [[0, 1]], "count": 2}')
    (split,) = SplitListProtocol(str(file)).splits(two_people([False] * 4 + [True] * 2))
    assert split.query.tolist() == [0, 2] and split.gallery.tolist() == [1, 3, 5]
    with pytest.raises(ValueError, match="has 3"):
        list(SplitListProtocol(str(file)).splits(two_people(None)))


def test_unknown_protocol_lists_the_known_ones():
    with pytest.raises(ValueError, match="'market'.*camera, no_camera"):
        build_protocol("market")


def test_every_protocol_survives_json():
    for name in ("camera", "no_camera", "paddleclas", "sop", "in_shop", "cuhk03_classic", "viper"):
        protocol = build_protocol(name)
        assert build_protocol(json.loads(json.dumps(protocol.describe()))) == protocol


def test_protocols_that_may_ask_for_paths_are_known():
    class Own(CameraProtocol):
        def splits(self, images):
            return super().splits(images)

    class Renamed(CameraProtocol):
        pass

    for blind in (
        "camera",
        "no_camera",
        "sop",
        "self_retrieval",
        "paddleclas",
        dict(type="InShopProtocol"),
        Renamed,
    ):
        assert not reads_names(build_protocol(blind))
    for other in ("viper", Own):
        assert reads_names(build_protocol(other))
