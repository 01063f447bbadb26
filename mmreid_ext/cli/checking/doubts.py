"""Embed the pictures of a data set, for the search of doubtful names."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from mmreid_ext.apis import ReIDInferencer
from mmreid_ext.datasets.audit.report import Embed
from mmreid_ext.datasets.audit.scan import read_part
from mmreid_ext.datasets.audit.table import PictureTable
from mmreid_ext.errors import UserError


def embedder(checkpoint: str, progress: Callable[[str, int, int], None]) -> Embed:
    """Load a model and return what embeds pictures of a table by it.

    Args:
        checkpoint: File of a trained model.
        progress: Called as ``progress(stage, done, total)``.

    Raises:
        UserError: If the model can't be built.
    """
    inferencer = ReIDInferencer(checkpoint)

    def embed(table: PictureTable, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        def pictures() -> Iterator[str | np.ndarray]:
            for done, row in enumerate(rows.tolist()):
                progress("embeddings", done, len(rows))
                file, box = str(table.files[row]), table.boxes[row]
                yield file if box is None else read_part(file, box)

        feats = inferencer(pictures(), skip=True).numpy()
        left_out = list(inferencer.skipped)
        kept = np.delete(rows, left_out)
        if not len(kept):
            raise UserError(f"--model {checkpoint}: it can read none of the pictures.")
        return feats, kept

    return embed
