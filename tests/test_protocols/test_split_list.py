import json

import numpy as np
import pytest
import torch

from mmreid_ext.evaluation import EmbeddingSet, build_protocol, evaluate_set


def image_set(rows, name="bench", dim=6, seed=0):
    """Images from (pid, camid, role, file name), embedded around a random point per identity."""
    pids = np.array([row[0] for row in rows])
    rng = np.random.default_rng(seed)
    feats = rng.normal(size=(pids.max() + 1, dim))[pids] + 0.5 * rng.normal(size=(len(rows), dim))
    columns = [[row[i] for row in rows] for i in (1, 2)]
    names = [row[3] if len(row) > 3 else f"{i}.png" for i, row in enumerate(rows)]
    return EmbeddingSet(torch.tensor(feats), pids, *columns, [name] * len(rows), names)


def viper(first=1):
    return image_set(
        [(p, c, ("query", "gallery")[c]) for c in (0, 1) for p in range(first, first + 632)]
    )


def prid():
    # cam_a shows persons 1..385, cam_b 1..749; equal numbers above 200 are different people.
    return image_set(
        [(p, 0, "query") for p in range(1, 386)] + [(p, 1, "gallery") for p in range(1, 750)]
    )


def grid():
    pairs = [(p, p % 8, "query") for p in range(1, 251)] + [
        (p, p % 7, "gallery") for p in range(1, 251)
    ]
    return image_set(pairs + [(0, i % 8, "gallery") for i in range(775)])


def ilids():
    rows = [(p, i, "gallery") for p in range(1, 120) for i in range(2 + p % 7)]
    return image_set(rows)


@pytest.mark.parametrize(
    "name, images, queries, gallery",
    [
        ("viper", viper, 316, 316),
        ("prid2011", prid, 100, 649),
        ("grid", grid, 125, 900),
        ("ilids", ilids, 60, None),
    ],
)
def test_shipped_splits_have_the_published_sizes(name, images, queries, gallery):
    images = images()
    splits = list(build_protocol(dict(type=name, gallery_shots=1)).splits(images))
    assert len(splits) == 10
    test_sets = set()
    for trial, split in enumerate(splits):
        assert split.trial == trial and split.query_camids is None
        assert len(split.query) == len(set(split.query)) == queries
        assert len(split.gallery) == len(set(split.gallery)) == (gallery or 60)
        assert not set(split.query) & set(split.gallery)
        pids = images.pids[split.query]
        assert len(set(pids)) == queries, "one image per identity"
        assert set(pids) <= set(images.pids[split.gallery]), "every query has a match"
        test_sets.add(tuple(pids))
    assert len(test_sets) == 10, "ten different splits"


def test_camera_sides_and_distractors():
    images = prid()
    split = next(build_protocol("prid2011").splits(images))
    assert (images.camids[split.query] == 0).all() and images.pids[split.query].max() <= 200
    assert (images.camids[split.gallery] == 1).all()
    gallery_pids = set(images.pids[split.gallery])
    assert set(range(201, 750)) <= gallery_pids and len(gallery_pids) == 649


def test_multi_shot_keeps_all_other_images():
    images = ilids()
    single, multi = (
        next(build_protocol(dict(type="ilids", gallery_shots=shots)).splits(images))
        for shots in (1, None)
    )
    assert single.query.tolist() == multi.query.tolist()
    of_test_ids = np.isin(images.pids, images.pids[single.query])
    assert set(multi.gallery) | set(multi.query) == set(np.flatnonzero(of_test_ids))
    assert set(single.gallery) < set(multi.gallery)


def test_mean_and_population_deviation_over_splits():
    images = viper()
    protocol = build_protocol("viper")
    result = evaluate_set(images, protocol, rerank=None)
    maps = []
    for split in protocol.splits(images):
        rows = np.concatenate([split.query, split.gallery])
        maps.append(evaluate_set(images.take(rows), "no_camera", rerank=None).plain.mAP)
    metrics = result.metrics()
    assert metrics["mAP"] == pytest.approx(100 * np.mean(maps))
    assert metrics["mAP_std"] == pytest.approx(100 * np.std(maps))
    assert metrics["mAP_std"] > 0 and "R1_std" in metrics and result.num_queries == 316


def test_numbering_of_identities_does_not_matter():
    """The published VIPeR counts from 0 with gaps, other copies from 1."""
    shifted, published = viper(), viper(first=0)
    for a, b in zip(
        *(build_protocol("viper").splits(s) for s in (shifted, published)), strict=True
    ):
        assert a.query.tolist() == b.query.tolist() and a.gallery.tolist() == b.gallery.tolist()


def test_incomplete_set_is_an_error_with_counts():
    images = viper()
    with pytest.raises(ValueError, match="defined on 632 identities.*'bench' has 631"):
        list(build_protocol("viper").splits(images.take(images.pids != 5)))


def test_no_camera_rule():
    rows = [(p, 0, role) for p in range(1, 251) for role in ("query", "gallery")]
    result = evaluate_set(image_set(rows), "grid", rerank=None)
    assert result.plain.num_valid_queries == len(result.plain.rows)


# Published files ----------------------------------------------------------------------------------


def small_set():
    return image_set(
        [
            (p, c, ("query", "gallery")[c], f"data/cam_{'ab'[c]}/{p:03d}.png")
            for p in range(1, 6)
            for c in (0, 1)
        ]
    )


def write(tmp_path, content):
    path = tmp_path / "splits.json"
    path.write_text(json.dumps(content))
    return str(path)


def test_published_image_lists(tmp_path):
    splits = [
        {
            "train": [],
            "query": [["/home/a/VIPeR/cam_a/002.png", 0, 0], ["/home/a/VIPeR/cam_a/004.png", 1, 0]],
            "gallery": [
                ["x/cam_b/002.png", 0, 1],
                ["x/cam_b/004.png", 1, 1],
                ["x/cam_b/005.png", 2, 1],
            ],
        }
    ]
    images = small_set()
    (split,) = build_protocol(dict(type="split_list", file=write(tmp_path, splits))).splits(images)
    assert images.names[split.query].tolist() == ["data/cam_a/002.png", "data/cam_a/004.png"]
    assert (
        images.pids[split.gallery].tolist() == [2, 4, 5]
        and (images.camids[split.gallery] == 1).all()
    )
    splits[0]["query"][0][0] = "cam_c/009.png"
    with pytest.raises(ValueError, match="'cam_c/009.png'.*'bench' has 0"):
        list(build_protocol(dict(type="split_list", file=write(tmp_path, splits))).splits(images))


def test_published_identity_lists(tmp_path):
    names = lambda *ids: [f"person_{i:04d}" for i in ids]  # noqa: E731
    content = [
        {"train": names(1, 2), "test": names(3, 4)},
        {"train": names(4, 3), "test": names(2, 1)},
    ]
    images = small_set()
    splits = list(
        build_protocol(dict(type="split_list", file=write(tmp_path, content))).splits(images)
    )
    assert [sorted(images.pids[s.query]) for s in splits] == [[3, 4], [1, 2]]
    # identity 5 is in no list: a distractor of both splits
    assert [sorted(images.pids[s.gallery]) for s in splits] == [[3, 4, 5], [1, 2, 5]]
    content[0]["test"] = names(3, 9)
    with pytest.raises(ValueError, match=r"1 identities that test set 'bench'.* of: 9\."):
        list(build_protocol(dict(type="split_list", file=write(tmp_path, content))).splits(images))


def test_published_grid_partitions(tmp_path):
    scipy_io = pytest.importorskip("scipy.io")
    partitions = np.empty((1, 10), dtype=object)
    for trial in range(10):
        # a structure whose third field is the row of training identities
        partitions[0, trial] = {"a": 1, "b": 2, "trainIdx": np.arange(1, 126) + trial}
    path = tmp_path / "features_and_partitions.mat"
    scipy_io.savemat(path, {"trainIdxAll": partitions})
    images = grid()
    splits = list(build_protocol(dict(type="split_list", file=str(path))).splits(images))
    assert len(splits) == 10 and len(splits[3].query) == 125 and len(splits[3].gallery) == 900
    assert not set(images.pids[splits[3].query]) & set(range(4, 129))


@pytest.mark.parametrize("content", [{"a": 1}, [1, 2], [{"train": []}], []])
def test_other_files_are_refused(tmp_path, content):
    with pytest.raises(ValueError, match="not a split file"):
        list(
            build_protocol(dict(type="split_list", file=write(tmp_path, content))).splits(
                small_set()
            )
        )


def test_missing_file_is_named():
    with pytest.raises(FileNotFoundError, match="'nowhere.json'.*'viper'"):
        list(build_protocol(dict(type="split_list", file="nowhere.json")).splits(small_set()))
