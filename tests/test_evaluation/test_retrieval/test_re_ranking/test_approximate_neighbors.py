import sys

import pytest
import torch

from mmreid_ext.evaluation import evaluate_retrieval, k_reciprocal_rerank


def clusters(count=600, dim=16):
    generator = torch.Generator().manual_seed(0)
    centers = torch.randn(count // 6, dim, generator=generator)
    pids = torch.arange(count) % len(centers)
    return centers[pids] + 0.8 * torch.randn(count, dim, generator=generator), pids


def test_without_faiss_the_remedy_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "faiss", None)
    feats, _ = clusters(60)
    with pytest.raises(ImportError, match="pip install faiss-cpu"):
        k_reciprocal_rerank(feats[:10], feats[10:], approximate=True)


def test_nearly_the_exact_scores():
    pytest.importorskip("faiss", reason="FAISS is not installed")
    feats, pids = clusters()
    data = feats[:100], feats[100:], pids[:100], pids[100:]
    exact = evaluate_retrieval(*data, rerank=dict(k1=10))
    rough = evaluate_retrieval(*data, rerank=dict(k1=10, approximate=True))
    assert exact.mAP < 1
    assert rough.mAP == pytest.approx(exact.mAP, abs=0.01)
    distances = k_reciprocal_rerank(*data[:2], k1=10, approximate=True)
    assert ((distances >= 0) & (distances <= 1)).all()
