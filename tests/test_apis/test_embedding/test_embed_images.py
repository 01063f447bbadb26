"""Embeddings are those of the inferencer, whatever the ranks, the threads and the interruptions."""

import numpy as np
import pytest
import torch
from helpers.small_checkpoint import write_small_checkpoint

from mmreid_ext.apis import ReIDInferencer, embedder
from mmreid_ext.apis.embedding import embed_images as module
from mmreid_ext.apis.embedding.embed_images import embed_images, number_of_shards
from mmreid_ext.apis.embedding.image_list import list_of
from mmreid_ext.apis.embedding.shards import ShardStore


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("embed")
    write_small_checkpoint(folder)
    (folder / "2a.png").write_bytes(b"no picture")
    return folder


@pytest.fixture
def inferencer(folder):
    return ReIDInferencer(folder / "model.pth", device="cpu", batch_size=2)


@pytest.fixture(autouse=True)
def small_shards(monkeypatch):
    monkeypatch.setattr(module, "SHARD", 3)


def embedded(inferencer, images, out, world_size=1, threads=1):
    store = ShardStore(out, {})
    store.prepare()
    for rank in range(world_size):
        embed_images(inferencer, images, store, rank=rank, world_size=world_size, threads=threads)
    return list(store.shards(number_of_shards(images)))


def test_they_are_those_of_the_inferencer(folder, inferencer, tmp_path):
    images = list_of(folder)
    shards = embedded(inferencer, images, tmp_path / "f")
    assert len(shards) == -(-len(images) // 3) > 1
    (unreadable,) = [place for shard in shards for place in shard.unreadable]
    assert images.name(unreadable) == "2a.png"
    rows = np.concatenate([shard.rows for shard in shards])
    assert rows.tolist() == [i for i in range(len(images)) if i != unreadable]
    expected = inferencer([folder / images.paths[row] for row in rows])
    found = torch.from_numpy(np.concatenate([shard.feats for shard in shards]))
    assert torch.allclose(found, expected, atol=1e-6) and found.dtype == torch.float32


@pytest.mark.parametrize("world_size, threads", [(2, 1), (1, 3), (3, 2)])
def test_ranks_and_threads_change_nothing(folder, inferencer, tmp_path, world_size, threads):
    images = list_of(folder)
    alone = embedded(inferencer, images, tmp_path / "one")
    shared = embedded(inferencer, images, tmp_path / "many", world_size, threads)
    for a, b in zip(alone, shared, strict=True):
        assert np.array_equal(a.feats, b.feats) and np.array_equal(a.rows, b.rows)
        assert a.unreadable == b.unreadable


def test_finished_shards_are_not_embedded_again(folder, inferencer, tmp_path, monkeypatch):
    images = list_of(folder)
    whole = embedded(inferencer, images, tmp_path / "f")
    store = ShardStore(tmp_path / "f", {})
    store.path(1).unlink()
    seen = []
    real = embedder.prepare_record
    monkeypatch.setattr(embedder, "prepare_record", lambda *a: (seen.append(a[1]), real(*a))[1])
    again = embedded(inferencer, images, tmp_path / "f")
    assert sorted(seen) == [3, 4, 5][: len(images) - 3]
    assert all(np.array_equal(a.feats, b.feats) for a, b in zip(whole, again, strict=True))


def test_progress_reaches_the_end(folder, inferencer, tmp_path):
    images, calls = list_of(folder), []
    store = ShardStore(tmp_path / "f", {})
    store.prepare()
    embed_images(inferencer, images, store, progress=lambda *numbers: calls.append(numbers))
    assert calls[-1] == (len(images), len(images))
    assert [done for done, _ in calls] == sorted(done for done, _ in calls)
