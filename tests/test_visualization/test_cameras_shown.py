"""Every picture and message counts cameras from 1, as file names do, or calls them unknown."""

import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from mmreid_ext.evaluation import NoValidQueryError, evaluate_retrieval, evaluate_set
from mmreid_ext.evaluation.embedding_set import EmbeddingSet
from mmreid_ext.visualization import rank_queries, save_ranked_list_html, save_ranked_list_png

NAMES = ["0023_c2.jpg", "0023_c1.jpg", "0023_c6.jpg", "0023_x.jpg", "0007_x.jpg"]
CAMIDS = np.array([1, 0, 5, -1, -1])


@pytest.fixture
def ranked(tmp_path):
    for name in NAMES:
        Image.new("RGB", (8, 16)).save(tmp_path / name)
    feats = np.eye(5, 3, dtype=np.float32) + 0.5
    pids = np.array([23, 23, 23, 23, 7])
    return rank_queries(feats[:1], feats[1:], pids[:1], pids[1:], CAMIDS[:1], CAMIDS[1:], topk=4)


def test_png(ranked, tmp_path):
    figure = save_ranked_list_png(
        tmp_path / "list.png", ranked, NAMES[:1], NAMES[1:], image_root=tmp_path
    )
    shown = [text.get_text() for text in figure.axes[0].texts]
    cameras = [text for text in shown if "cam" in text]
    # the image of pid 23 without a camera is removed, as it may be the query's
    assert sorted(cameras) == ["cam 1", "cam 2", "cam 6", "unknown camera"]


def test_page(ranked, tmp_path):
    path = save_ranked_list_html(
        tmp_path / "list.html", ranked, NAMES[:1], NAMES[1:], image_root=tmp_path
    )
    text = path.read_text("utf-8")
    shown = dict(re.findall(r'"path":"([^"]+)"[^}]*?"camera":"([^"]*)"', text))
    assert shown == {
        "0023_c2.jpg": "cam 2",
        "0023_c1.jpg": "cam 1",
        "0023_c6.jpg": "cam 6",
        "0007_x.jpg": "unknown camera",
    }
    # the script shows these words and no number of its own
    assert not re.search(r"cam \$\{", text)
    assert "Cameras are counted from 1" in text


def test_without_any_camera_none_is_mentioned(ranked, tmp_path):
    nothing = [np.full_like(camids, -1) for camids in (ranked.query_camids, ranked.gallery_camids)]
    unknown = replace(ranked, query_camids=nothing[0], gallery_camids=nothing[1])
    files = (NAMES[:1], NAMES[1:])
    figure = save_ranked_list_png(tmp_path / "list.png", unknown, *files, image_root=tmp_path)
    assert not [text for text in figure.axes[0].texts if "cam" in text.get_text()]
    path = save_ranked_list_html(tmp_path / "list.html", unknown, *files, image_root=tmp_path)
    text = path.read_text("utf-8")
    assert set(re.findall(r'"camera":"([^"]*)"', text)) == {""}
    assert "unknown camera" not in text and "counted from 1" not in text
    assert "its distance to the query. A solid" in text


def test_messages():
    images = EmbeddingSet(
        np.eye(4, dtype=np.float32),
        [1, 1, 2, 2],
        [1, 1, 4, 4],
        ["query", "gallery"] * 2,
        ["people"] * 4,
        [""] * 4,
    )
    with pytest.raises(NoValidQueryError, match=r"cam 2, cam 5\)"):
        evaluate_set(images, "camera")
    images.camids[:] = 4
    with pytest.raises(NoValidQueryError, match="all images come from cam 5"):
        evaluate_set(images, "camera")
    assert np.isnan(evaluate_retrieval(np.eye(1), np.eye(1), [1], [1], [0], [0]).mAP)
