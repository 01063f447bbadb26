"""A part of the index in memory: at most :data:`ROWS` pictures, with what filters ask for."""

from __future__ import annotations

from typing import Any

import numpy as np

from mmreid_ext.errors import MissingPackageError

ROWS = 32_768
"""Pictures of a segment. Growing and deleting copy a segment, not the index."""

UNKNOWN = -1
"""Code of an unknown camera or identity."""


def import_faiss() -> Any:
    """Import FAISS.

    Raises:
        MissingPackageError: If it isn't installed.
    """
    try:
        import faiss
    except ImportError:
        raise MissingPackageError(
            "A search in a gallery file needs FAISS: install it by "
            "`pip install 'mmreid_ext[gallery]'` or `pip install faiss-cpu`."
        ) from None
    return faiss


class Segment:
    """Pictures in order of id.

    Args:
        size: Numbers per embedding.
        room: Pictures that it takes without being copied; it may take more.

    Attributes:
        ids: (N,) int64, ascending.
        cameras: (N,) int32 codes.
        people: (N,) int32 codes.
        times: (N,) float64; NaN: unknown.
    """

    def __init__(self, size: int, room: int = 0) -> None:
        self.size = size
        self.faiss = import_faiss()
        self.index = self.faiss.IndexScalarQuantizer(
            size, self.faiss.ScalarQuantizer.QT_fp16, self.faiss.METRIC_INNER_PRODUCT
        )
        if room:  # a vector that shrinks keeps its memory
            self.index.codes.resize(room * self.index.sa_code_size())
            self.index.codes.resize(0)
        self.ids = np.zeros(0, dtype=np.int64)
        self.cameras = np.zeros(0, dtype=np.int32)
        self.people = np.zeros(0, dtype=np.int32)
        self.times = np.zeros(0, dtype=np.float64)

    def __len__(self) -> int:
        return len(self.ids)

    def add(
        self,
        codes: np.ndarray,
        ids: np.ndarray,
        cameras: np.ndarray,
        people: np.ndarray,
        times: np.ndarray,
    ) -> None:
        """Add pictures of later ids.

        Args:
            codes: (N, D) float16: the codes of FAISS's float16 quantiser, so nothing is rounded.
            ids: (N,).
            cameras: (N,) codes.
            people: (N,) codes.
            times: (N,) float64.
        """
        self.index.add_sa_codes(np.ascontiguousarray(codes).view(np.uint8))
        self.ids = np.concatenate([self.ids, ids])
        self.cameras = np.concatenate([self.cameras, cameras])
        self.people = np.concatenate([self.people, people])
        self.times = np.concatenate([self.times, times])

    def codes(self) -> np.ndarray:
        """Return a view of the embeddings, (N, D) float16."""
        if not len(self):
            return np.zeros((0, self.size), dtype=np.float16)
        raw = self.faiss.rev_swig_ptr(self.index.codes.data(), self.index.codes.size())
        return raw.view(np.float16).reshape(len(self), self.size)

    def without(self, gone: np.ndarray) -> Segment:
        """Return a segment of the rows not marked, and overwrite the embeddings of this one.

        Args:
            gone: (N,) bool.
        """
        kept = ~gone
        rest = Segment(self.size, int(kept.sum()))
        if kept.any():
            rest.add(
                self.codes()[kept],
                self.ids[kept],
                self.cameras[kept],
                self.people[kept],
                self.times[kept],
            )
        self.codes()[:] = 0
        return rest

    def search(
        self, queries: np.ndarray, count: int, mask: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return similarities and ids of the nearest pictures, (Q, count); id -1: none.

        Args:
            queries: (Q, D) float32.
            count: Length of the lists.
            mask: (N,) bool: which may be found; None: all.
        """
        parameters = None
        if mask is not None:
            bits = np.packbits(mask, bitorder="little")
            chosen = self.faiss.IDSelectorBitmap(len(bits), self.faiss.swig_ptr(bits))
            parameters = self.faiss.SearchParameters(sel=chosen)
        values, places = self.index.search(queries, min(count, len(self)), params=parameters)
        return values, np.where(places < 0, -1, self.ids[places])
