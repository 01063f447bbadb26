"""Feed drawn embeddings to ``ReIDMetric``."""

import numpy as np
import torch

from mmreid_ext.evaluation import ReIDMetric


def sample(idx, feat, pid, camid, role, dataset="people"):
    return dict(
        sample_idx=idx,
        pred_embedding=torch.tensor(feat, dtype=torch.float32),
        pid=pid,
        camid=camid,
        role=role,
        dataset=dataset,
        img_path=f"{dataset}/ü{idx}.png",
    )


def make_set(name="people", identities=7, cameras=3, dim=8, noise=1.0, seed=0):
    """Random clusters; one query per identity in camera 0, one gallery image in each camera."""
    rng = np.random.default_rng(seed)
    samples = []
    for pid in range(identities):
        centre = rng.normal(size=dim)
        for role, cams in (("query", [0]), ("gallery", range(cameras))):
            for camid in cams:
                feat = centre + noise * rng.normal(size=dim)
                samples.append(sample(len(samples), feat, pid, camid, role, name))
    return samples


def evaluate(samples, batch=4, meta=None, **kwargs):
    metric = ReIDMetric(**kwargs)
    metric.dataset_meta = meta
    for start in range(0, len(samples), batch):
        metric.process(None, samples[start : start + batch])
    return metric.evaluate(len(samples)), metric
