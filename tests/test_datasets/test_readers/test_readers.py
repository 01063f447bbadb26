"""Every reader on a small copy of its published layout."""

import pytest
from helpers.reader_trees import TREES, build, name_of, rows

from mmreid_ext.datasets import (
    CUHK01,
    CUHK02,
    CUHKSYSU,
    GRID,
    ILIDS,
    MSMT17,
    PRID2011,
    DukeMTMC,
    Market1501,
    VeRi776,
    VIPeR,
)
from mmreid_ext.protocols import SelfRetrievalProtocol

# (mode, options): records as (pid, camid, role)
TRAIN = {
    Market1501: [(2, 0), (7, 5)],
    DukeMTMC: [(1, 1), (3, 7)],
    VeRi776: [(1, 0), (4, 19)],
    CUHK02: [(p * 10000 + 1, 2 * p - 2 + c) for p in range(1, 5) for c in (0, 1)],
    CUHKSYSU: [(11934, -1), (1, -1), (1, -1)],  # by file name
}
TEST = {
    Market1501: ([(1, 1)], [(0, 2), (1, 0)], "camera"),
    DukeMTMC: ([(5, 1)], [(4, 0), (5, 4)], "camera"),
    VeRi776: ([(2, 1)], [(2, 2)], "camera"),
    CUHK01: ([(1, 0), (1, 0), (971, 0)], [(1, 1), (1, 1), (971, 1)], "camera"),
    CUHK02: ([(50001, 8)], [(50001, 9)], "camera"),
    VIPeR: (
        [(0, 0), (3, 0), (12, 0), (873, 0)],
        [(0, 1), (3, 1), (12, 1), (873, 1)],
        "viper",
    ),
    PRID2011: ([(1, 0), (200, 0)], [(1, 1), (200, 1), (749, 1)], "prid2011"),
    GRID: ([(1, 0), (250, 1)], [(0, 3), (1, 4), (250, 7)], "grid"),
    ILIDS: ([(1, 0), (119, 0)], [(1, 1), (1, 2), (119, 3)], "ilids"),
}
COMBINED = {  # images, identities
    Market1501: (4, 3), DukeMTMC: (5, 4), VeRi776: (4, 3), CUHK01: (6, 2), CUHK02: (10, 5),
    CUHKSYSU: (3, 2), VIPeR: (8, 4), PRID2011: (4, 2), GRID: (4, 2), ILIDS: (5, 2),
}  # fmt: skip


@pytest.mark.parametrize("reader", TRAIN, ids=name_of)
def test_training_records(reader, tmp_path):
    dataset = build(reader, tmp_path)
    found = rows(dataset, "train")
    assert found == TRAIN[reader] or sorted(found) == sorted(TRAIN[reader])
    assert not dataset.unparsed
    assert dataset.pids.max() == dataset.num_classes - 1


@pytest.mark.parametrize("reader", TEST, ids=name_of)
def test_test_records_and_protocol(reader, tmp_path):
    dataset = build(reader, tmp_path, mode="test")
    query, gallery, protocol = TEST[reader]
    assert sorted(rows(dataset, "query")) == query
    assert sorted(rows(dataset, "gallery")) == gallery
    announced = dataset.metainfo["test_sets"][reader.title]
    assert announced.pop("protocol") == protocol
    distractors = sorted({pid for pid, _ in gallery} & reader.distractor_pids)
    assert announced == ({"distractor_pids": distractors} if distractors else {})


@pytest.mark.parametrize("kind", ["self_retrieval", "sop", "SelfRetrievalProtocol", "class"])
@pytest.mark.parametrize("as_dict", [False, True])
def test_distractors_are_left_out_however_self_retrieval_is_written(kind, as_dict, tmp_path):
    spec = SelfRetrievalProtocol if kind == "class" else kind
    protocol = dict(type=spec, ranks=(1, 5)) if as_dict else spec
    dataset = build(Market1501, tmp_path, mode="test", protocol=protocol)
    assert 0 not in dataset.pids and "distractor_pids" not in dataset.metainfo["test_sets"]


@pytest.mark.parametrize("reader", sorted({*TRAIN, *TEST}, key=name_of), ids=name_of)
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


@pytest.mark.parametrize("reader", COMBINED, ids=name_of)
def test_combined_training_set(reader, tmp_path):
    dataset = build(reader, tmp_path, combine_all=True)
    assert (len(dataset), dataset.num_classes) == COMBINED[reader]
    assert {dataset[i]["role"] for i in range(len(dataset))} == {"train"}


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
