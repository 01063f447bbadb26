"""Every reader on a small copy of its published layout."""

import pytest
from helpers.reader_trees import TREES, build, name_of, rows

from mmreid_ext.datasets import (
    GRID,
    MSMT17,
    Market1501,
)
from mmreid_ext.protocols import SelfRetrievalProtocol


@pytest.mark.parametrize("kind", ["self_retrieval", "sop", "SelfRetrievalProtocol", "class"])
@pytest.mark.parametrize("as_dict", [False, True])
def test_distractors_are_left_out_however_self_retrieval_is_written(kind, as_dict, tmp_path):
    spec = SelfRetrievalProtocol if kind == "class" else kind
    protocol = dict(type=spec, ranks=(1, 5)) if as_dict else spec
    dataset = build(Market1501, tmp_path, mode="test", protocol=protocol)
    assert 0 not in dataset.pids and "distractor_pids" not in dataset.metainfo["test_sets"]


@pytest.mark.parametrize("reader", TREES, ids=name_of)
@pytest.mark.parametrize("mode", ["train", "test"])
@pytest.mark.parametrize(
    "protocol, words",
    [
        ("camra", "did you mean 'camera'.*no_camera"),
        (dict(type="camra"), "did you mean 'camera'.*no_camera"),
        (dict(type="camera", rank=(1,)), "no setting 'rank'.*did you mean 'ranks'"),
        (dict(type="camera", ranks=(0,)), "ranks="),
        (dict(type="split_list", file="nowhere.json"), "nowhere.json"),
        (int, "is no protocol"),
        (7, "must be a name"),
    ],
    ids=str,
)
def test_a_wrong_protocol_is_refused_before_the_folder_is_read(reader, mode, protocol, words):
    with pytest.raises(ValueError, match=words):
        reader("nowhere", mode=mode, protocol=protocol)


@pytest.mark.parametrize("reader", [*TREES, MSMT17], ids=name_of)
def test_missing_set_names_the_published_folder(reader, tmp_path):
    with pytest.raises(FileNotFoundError) as error:
        reader(tmp_path)
    message = str(error.value)
    for name in reader.folder_names:
        assert str(tmp_path / name) in message
    assert reader.obtain in message and "http" not in message  # links die


def test_a_cut_of_a_split_benchmark_falls_back_to_the_camera_protocol(tmp_path):
    dataset = build(GRID, tmp_path, mode="test", max_identities=1)
    assert dataset.metainfo["test_sets"]["grid"]["protocol"] == "camera"
    assert rows(dataset, "gallery") == [(1, 4)]
