"""Embed a list of pictures: in shards, which ranks share and a later start continues."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import numpy as np
import torch
from torch import Tensor

from mmreid_ext.apis.inferencer import ReIDInferencer
from mmreid_ext.apis.inputs import collate
from mmreid_ext.errors import UserError

from .image_list import ImageList
from .shards import Shard, ShardStore

SHARD = 1024
"""Pictures of a shard: what an interruption loses at most, on each rank."""

Progress = Callable[[int, int], None]


def number_of_shards(images: ImageList) -> int:
    """Return into how many shards a list is cut."""
    return -(-len(images) // SHARD)


def embed_images(
    inferencer: ReIDInferencer,
    images: ImageList,
    store: ShardStore,
    *,
    rank: int = 0,
    world_size: int = 1,
    threads: int = 1,
    progress: Progress | None = None,
) -> None:
    """Embed the shards of this rank that are not finished.

    A batch never reaches over the end of a shard, so embeddings don't depend on the number of
    ranks, bit for bit.

    Args:
        inferencer: The model.
        images: What to embed.
        store: Where finished shards are.
        rank: Number of this process.
        world_size: Number of processes; they take turns.
        threads: Threads that decode pictures.
        progress: Called with the pictures done by this rank and its share.
    """
    numbers = [
        number
        for number in range(rank, number_of_shards(images), world_size)
        if not store.has(number)
    ]
    spans = [range(n * SHARD, min((n + 1) * SHARD, len(images))) for n in numbers]
    total, done = sum(map(len, spans)), 0
    with ThreadPoolExecutor(threads) as pool:
        for number, span in zip(numbers, spans, strict=True):
            unreadable: dict[int, str] = {}
            rows: list[int] = []
            batches: list[Tensor] = []
            prepared = _prepared(inferencer, images, span, pool, threads, unreadable)
            while chunk := list(islice(prepared, inferencer.batch_size)):
                rows += [index for index, _ in chunk]
                batches.append(inferencer.embed_inputs(collate(chunk)))
                if progress is not None:
                    progress(done + rows[-1] - span.start + 1, total)
            none = torch.zeros(0, inferencer.size)
            feats = torch.cat([none, *batches]).numpy()
            store.save(number, Shard(np.array(rows, dtype=np.int64), feats, unreadable))
            done += len(span)
            if progress is not None:
                progress(done, total)


def _prepared(
    inferencer: ReIDInferencer,
    images: ImageList,
    span: range,
    pool: ThreadPoolExecutor,
    threads: int,
    unreadable: dict[int, str],
) -> Iterator[tuple[int, dict[str, Tensor]]]:
    """Yield the inputs of readable pictures in order; a few are decoded ahead."""

    def load(index: int) -> dict[str, Tensor] | str:
        try:
            return inferencer.prepare_record(images.record(index), index)
        except UserError as error:
            return str(error)

    ahead = max(2 * threads, inferencer.batch_size)
    for start in range(span.start, span.stop, ahead):
        part = range(start, min(start + ahead, span.stop))
        for index, found in zip(part, pool.map(load, part), strict=True):
            if isinstance(found, str):
                unreadable[index] = found
            else:
                yield index, found
