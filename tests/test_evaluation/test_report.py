import hashlib
import json

import numpy as np
import pytest
import torch

from mmreid_ext.evaluation import (
    EmbeddingSet,
    evaluate_set,
    format_table,
    read_results,
    results_document,
    write_results,
)
from mmreid_ext.evaluation.report import flat_metrics


@pytest.fixture
def results():
    # The second query has no match: its AP is missing.
    radians = np.radians([0, 90, 5, 10, 40])
    feats = torch.tensor(np.stack([np.cos(radians), np.sin(radians)], axis=1))
    images = EmbeddingSet(
        feats, [1, 2, 3, 1, 1], [0, 0, 1, 1, 1], ["query"] * 2 + ["gallery"] * 3, ["ours"] * 5,
        ["q0", "q1", "g0", "g1", "g2"],
    )  # fmt: skip
    return {"ours": evaluate_set(images, rerank=dict(k1=2, k2=1))}


def test_table_shows_both_rows_and_percent(results):
    lines = format_table(results).splitlines()
    assert "percent" in lines[0]
    assert lines[1].split() == [
        "test",
        "set",
        "queries",
        "gallery",
        "mAP",
        "mINP",
        "R1",
        "R5",
        "R10",
        "R20",
    ]
    # Matches at ranks 2 and 3: AP = (1/2 + 2/3) / 2, INP = 2/3.
    assert lines[3].split() == [
        "ours",
        "1/2",
        "3",
        "58.33",
        "66.67",
        "0.00",
        "100.00",
        "100.00",
        "100.00",
    ]
    assert lines[4].startswith("ours (re-ranked)")


def test_deviation_is_shown(results):
    results["ours"].plain.std["mAP"] = 0.0123
    assert "58.33 ± 1.23" in format_table(results)


def test_document_holds_everything_and_survives_json(results, tmp_path):
    checkpoint = tmp_path / "best.pth"
    checkpoint.write_bytes(b"weights")
    document = results_document(results, dict(flip=True), checkpoint)
    path = write_results(tmp_path / "new" / "r.json", document)
    found = read_results(path)
    assert found["metrics"] == pytest.approx(flat_metrics(results))
    assert found["metrics"]["ours/mAP"] == pytest.approx(100 * (1 / 2 + 2 / 3) / 2)
    assert found["settings"] == {"flip": True}
    assert found["checkpoint"] == {
        "file": "best.pth",
        "sha256": hashlib.sha256(b"weights").hexdigest(),
    }
    assert {"python", "torch", "numpy"} <= set(found["versions"])
    ours = found["test_sets"]["ours"]
    assert ours["queries"] == {"name": ["q0", "q1"], "pid": [1, 2], "camid": [0, 0]}
    assert ours["plain"]["ap"] == [pytest.approx(7 / 12), None], "NaN is null, not invalid JSON"
    assert ours["plain"]["cmc"][:2] == [0, 1] and ours["plain"]["num_valid_queries"] == 1
    assert ours["rerank"]["settings"] == dict(k1=2, k2=1, lambda_value=0.3)
    assert ours["protocol"]["type"] == "CameraProtocol"
    assert "NaN" not in path.read_text()


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "x.json"
    path.write_text("{")
    with pytest.raises(ValueError, match="not JSON"):
        read_results(path)
    path.write_text(json.dumps({"format": "other"}))
    with pytest.raises(ValueError, match="not a results file.*--out"):
        read_results(path)
