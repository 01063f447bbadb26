"""Market-1501's hand-drawn boxes on an imitated layout, and self-retrieval."""

import numpy as np
import pytest
from helpers.fake_images import write_images, write_market

from mmreid_ext.datasets import Market1501, Market1501GTBBox
from mmreid_ext.evaluation import EmbeddingSet, build_protocol, evaluate_retrieval


def write_boxes(root, num_images=(3, 2, 2, 4, 2), first=2):
    """``gt_bbox`` with identities in steps of 3, written in another order than by name."""
    pids = range(first, first + 3 * len(num_images), 3)
    names = [
        f"gt_bbox/{pid:04d}_c{1 + k % 6}s1_{k:06d}_00.jpg"
        for pid, count in zip(pids, num_images, strict=True)
        for k in range(count)
    ]
    folder = write_images(root / "Market-1501-v15.09.15", *reversed(names))
    (folder / "gt_bbox" / "Thumbs.db").touch()
    return root


def test_the_last_identities_by_name_are_the_test_set(tmp_path):
    root = write_boxes(tmp_path)
    train = Market1501GTBBox(root, num_test_identities=2)
    assert [train[i]["pid"] for i in range(len(train))] == [2, 2, 2, 5, 5, 8, 8]
    assert train.pids.tolist() == [0, 0, 0, 1, 1, 2, 2]  # class ids follow the first appearance
    assert train.camids.tolist() == [0, 1, 2, 0, 1, 0, 1]
    test = Market1501GTBBox(root, mode="test", num_test_identities=2)
    assert test.pids.tolist() == [11, 11, 11, 11, 14, 14]
    assert {test[i]["role"] for i in range(6)} == {"query"}
    assert test.metainfo["test_sets"] == {"market1501_gt_bbox": {"protocol": "self_retrieval"}}


def test_a_cut_keeps_the_protocol_and_cuts_each_side_by_itself(tmp_path):
    root = write_boxes(tmp_path)
    test = Market1501GTBBox(root, mode="test", num_test_identities=2, max_identities=1)
    assert test.pids.tolist() == [11] * 4
    assert test.metainfo["test_sets"]["market1501_gt_bbox"]["protocol"] == "self_retrieval"


def test_published_sizes_are_those_of_the_tutorial(tmp_path, caplog):
    root = write_boxes(tmp_path, num_images=[1] * 1421 + [13] * 54 + [12] * 26)
    train = Market1501GTBBox(root)
    assert train.num_classes == 1421
    test = Market1501GTBBox(root, mode="test")
    assert (len(test), test.num_classes) == (1014, 80)
    assert "not the published set" not in caplog.text


def test_another_count_is_told(tmp_path):
    root = write_boxes(tmp_path, num_images=[2] * 82)
    dataset = Market1501GTBBox(root, mode="test", lazy_init=True)
    with pytest.MonkeyPatch.context() as patch:
        told = []
        patch.setattr(
            "mmreid_ext.datasets.reid_dataset.print_log", lambda text, **_: told.append(text)
        )
        dataset.full_init()
    assert any("query has 160 images (published: 1014)" in text for text in told)


def test_errors_say_what_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match="gt_bbox"):
        Market1501GTBBox(write_market(tmp_path / "without").parent)
    root = write_boxes(tmp_path / "with")
    with pytest.raises(ValueError, match="has 5 identities: num_test_identities=80"):
        Market1501GTBBox(root)
    with pytest.raises(ValueError, match="at least 1, got 0"):
        Market1501GTBBox(root, num_test_identities=0)
    singles = write_boxes(tmp_path / "singles", num_images=(2, 2, 1, 1))
    with pytest.raises(ValueError, match="none has two"):
        Market1501GTBBox(singles, mode="test", num_test_identities=2)


@pytest.mark.parametrize("protocol", ["self_retrieval", dict(type="self_retrieval", ranks=(1, 5))])
def test_distractors_are_no_identity_where_every_image_is_a_query(tmp_path, protocol):
    root = write_market(tmp_path).parent
    by_role = Market1501(root, mode="test", check=False)
    every_image = Market1501(root, mode="test", check=False, protocol=protocol)
    assert by_role.pids.tolist().count(0) == 1
    assert every_image.pids.tolist() == [pid for pid in by_role.pids.tolist() if pid]


def test_recall_at_1_of_self_retrieval_by_a_slow_loop():
    generator = np.random.default_rng(0)
    pids = generator.integers(0, 6, 40)
    feats = generator.normal(size=(40, 5)) + 2 * np.eye(6, 5)[pids]
    hits = []
    for i in range(40):  # the reference: squared distance, 1e8 on the diagonal, nearest
        unit = feats / np.linalg.norm(feats, axis=1, keepdims=True)
        distance = ((unit[i] - unit) ** 2).sum(axis=1)
        distance[i] += 1e8
        if (pids == pids[i]).sum() > 1:
            hits.append(pids[distance.argmin()] == pids[i])
    images = EmbeddingSet(
        feats, pids, np.zeros(40, int), np.full(40, "query"), np.full(40, "set"), np.arange(40)
    )
    (split,) = build_protocol("self_retrieval").splits(images)
    result = evaluate_retrieval(
        feats[split.query],
        feats[split.gallery],
        pids[split.query],
        pids[split.gallery],
        split.query_camids,
        split.gallery_camids,
    )
    assert result.cmc[0] == pytest.approx(np.mean(hits))
    assert 0.3 < np.mean(hits) < 1  # neither trivial nor chance
