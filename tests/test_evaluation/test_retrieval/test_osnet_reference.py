"""A frozen re-ID model from elsewhere on real images: metrics known from another evaluator."""

import os
import re

import numpy as np
import pytest
import torch
from helpers.paths import DATA
from helpers.ranking_oracle import check_result, oracle
from helpers.rerank_oracle import dense

from mmreid_ext.evaluation import evaluate_retrieval, k_reciprocal_rerank

MODEL = DATA / "weights" / "osnet_x0_25_msmt17.onnx"
MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


def read(path):
    from PIL import Image

    image = Image.open(path).convert("RGB").resize((128, 256), Image.Resampling.BILINEAR)
    return ((np.asarray(image) / 255 - MEAN) / STD).transpose(2, 0, 1).astype(np.float32)


def extract(paths, batch=32):
    """Embeddings (N, 512) of images, by the ONNX model."""
    onnxruntime = pytest.importorskip("onnxruntime")
    if not MODEL.is_file() or not paths:
        pytest.skip(f"needs {MODEL} and the data sets beside it (set MMREID_DATA_ROOT)")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(os.environ.get("OMP_NUM_THREADS", 0))
    session = onnxruntime.InferenceSession(str(MODEL), options, ["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    parts = [
        session.run(None, {name: np.stack([read(p) for p in paths[i : i + batch]])})[0]
        for i in range(0, len(paths), batch)
    ]
    return np.concatenate(parts)


def check(result, **percent):
    got = {"R1": result.cmc[0], "R5": result.cmc[4], "mAP": result.mAP}
    for name, value in percent.items():
        # known to one decimal, and resizing differs a little between image libraries
        assert 100 * got[name] == pytest.approx(value, abs=0.1), name


def market_images(folder):
    """Paths, identities and cameras of a folder of Market-1501, junk left out."""
    found = []
    for path in sorted((DATA / "Market-1501-v15.09.15" / folder).glob("*.jpg")):
        pid, camera = map(int, re.match(r"(-?\d+)_c(\d)", path.name).groups())
        if pid >= 0:
            found.append((path, pid, camera))
    paths, pids, cameras = zip(*found, strict=True) if found else ((), (), ())
    return list(paths), np.array(pids), np.array(cameras)


@pytest.mark.slow
def test_viper():
    pairs = [
        sorted(p for p in (DATA / "VIPeR" / cam).glob("*.png") if int(p.name.split("_")[0]) >= 317)
        for cam in ("cam_a", "cam_b")
    ]
    feats = [extract(paths) for paths in pairs]
    pids = [[int(p.name.split("_")[0]) for p in paths] for paths in pairs]
    assert len(feats[0]) == len(feats[1]) == 316
    check(evaluate_retrieval(*feats, *pids), R1=40.8, R5=64.2, mAP=52.0)
    check_any_form(feats, pids)
    query, gallery = (torch.from_numpy(rows[:150]) for rows in feats)
    for parameters in ((20, 6, 0.3), (10, 3, 0.5)):
        result = k_reciprocal_rerank(query, gallery, *parameters).numpy()
        np.testing.assert_allclose(result, dense(query, gallery, *parameters), atol=1e-6)


def check_any_form(feats, pids):
    """Raw outputs, as float64 or scaled row by row: known re-ranked scores, and nothing changed."""
    norms = [np.linalg.norm(rows, axis=1, keepdims=True) for rows in feats]
    units = [(rows / norm).astype(np.float32) for rows, norm in zip(feats, norms, strict=True)]
    assert max(norm.max() for norm in norms) > 5  # far from normalised
    for form in (feats, [rows.astype(np.float64) for rows in feats], units):
        before = [rows.copy() for rows in form]
        for budget in (2**20, None):
            result = evaluate_retrieval(*form, *pids, rerank={}, memory_budget=budget)
            check(result, R1=30.38, mAP=44.41)
        assert all(map(np.array_equal, form, before))


@pytest.mark.slow
def test_first_identities_of_market():
    """25 of them against a slow loop; with MMREID_LONG_TESTS set 150, whose scores are known."""
    number = 150 if os.environ.get("MMREID_LONG_TESTS") else 25
    query, gallery = market_images("query"), market_images("bounding_box_test")
    first = sorted(set(query[1].tolist()))[:number]
    (qx, qp, qc), (gx, gp, gc) = (
        ([p for p, k in zip(paths, keep, strict=True) if k], pids[keep], cameras[keep])
        for paths, pids, cameras in (query, gallery)
        for keep in [np.isin(pids, first)]
    )
    feats = extract(qx), extract(gx)
    result = evaluate_retrieval(*feats, qp, gp, qc, gc)
    if number == 150:
        assert (len(qx), len(gx)) == (686, 3133)
        check(result, R1=69.1, R5=85.9, mAP=45.4)
    check_result(result, oracle(*map(torch.from_numpy, feats), qp, gp, qc, gc)[0])
