"""Define protocols: which images are queries, which the gallery, in how many repetitions.

A protocol never sees features: it maps what the images show to lists of row indices, so features
are extracted once however many splits there are.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from typing import Any

import numpy as np

from mmreid_ext.errors import UserError
from mmreid_ext.setting_checks import is_whole

from .image_table import ImageColumns


@dataclass(frozen=True)
class Split:
    """One query list against one gallery list.

    Args:
        query: Rows of the queries, shape (Q,), int64.
        gallery: Rows of the gallery, shape (G,), int64.
        trial: Splits of the same trial form one measurement; trials are averaged.
        query_camids: Cameras for the camera rule, shape (Q,), or None for no rule.
        gallery_camids: The same for the gallery, shape (G,).
        each_alone: Whether these "cameras" number the images, so that each meets all but itself.
        pools: Per query, the rows whose embeddings are averaged into it, one array each. None:
            every query is a single image.
    """

    query: np.ndarray
    gallery: np.ndarray
    trial: int = 0
    query_camids: np.ndarray | None = None
    gallery_camids: np.ndarray | None = None
    each_alone: bool = False
    pools: tuple[np.ndarray, ...] | None = None


class EvaluationProtocol(ABC):
    """Rules of one benchmark.

    Attributes:
        ranks: The k of the reported R@k (CMC).
        random: Whether trials differ, so that a standard deviation is reported.
        counting: ``'standard'`` or ``'paddleclas'``, see :class:`PaddleClasProtocol`.
        self_retrieval: Whether every image is a query and a gallery image.
        embedding_metrics: Whether R-precision, MAP@R and NMI are reported too.
        nmi: Whether NMI is among them; None: up to 20,000 images.
    """

    ranks: tuple[int, ...] = (1, 5, 10, 20)
    counting: str = "standard"
    random: bool = False
    self_retrieval: bool = False
    embedding_metrics: bool = False
    nmi: bool | None = None

    @abstractmethod
    def splits(self, images: ImageColumns) -> Iterator[Split]:
        """Yield the splits of one test set, the same ones at every call."""

    def matching_split(self, images: ImageColumns) -> Split:
        """Return the split that shows which queries can be answered: the first by default.

        Raises:
            ValueError: If the protocol does not fit these images.
        """
        return next(iter(self.splits(images)))

    def describe(self) -> dict[str, Any]:
        """Name and settings, ready for JSON."""
        settings = asdict(self) if is_dataclass(self) else vars(self)
        return {"type": type(self).__name__, **settings}

    def __post_init__(self) -> None:
        check_ranks(self)


def check_ranks(protocol: EvaluationProtocol) -> None:
    """Check the k of the reported R@k, which every protocol has.

    Raises:
        ValueError: If one isn't a whole number from 1, or there is none.
    """
    ranks = protocol.ranks
    listed = isinstance(ranks, Sequence) and not isinstance(ranks, str) and len(ranks) > 0
    if not listed or not all(is_whole(k, 1) for k in ranks):
        raise UserError(
            f"{type(protocol).__name__}: ranks={ranks!r}, the k of R@k must be whole numbers from "
            "1; give for example ranks=(1, 5, 10)."
        )


def rows_of_role(images: ImageColumns, role: str) -> np.ndarray:
    """Return the rows of queries or of gallery images.

    Raises:
        ValueError: If there are none.
    """
    rows = np.flatnonzero(images.roles == role)
    if not len(rows):
        found = dict(zip(*np.unique(images.roles, return_counts=True), strict=True))
        name = images.title
        raise UserError(
            f"Test set {name!r} has no {role} image: its {len(images)} images have the roles "
            f"{ {str(k): int(v) for k, v in found.items()} }. Give every image the role 'query' or "
            "'gallery', or use the protocol 'self_retrieval' to query every image against all "
            "others."
        )
    return rows


@dataclass(frozen=True)
class CameraProtocol(EvaluationProtocol):
    """Market-1501's protocol: a query never meets its own identity in its own camera.

    Args:
        use_cameras: False switches the camera rule off, for images without camera labels.
        ranks: The k of the reported R@k.

    Zheng et al., "Scalable Person Re-identification: A Benchmark", ICCV 2015.
    """

    use_cameras: bool = True
    ranks: tuple[int, ...] = (1, 5, 10, 20)

    def splits(self, images: ImageColumns) -> Iterator[Split]:
        """Yield the one split given by the roles."""
        query, gallery = rows_of_role(images, "query"), rows_of_role(images, "gallery")
        if self.use_cameras:
            yield Split(query, gallery, 0, images.camids[query], images.camids[gallery])
        else:
            yield Split(query, gallery)


@dataclass(frozen=True)
class PaddleClasProtocol(CameraProtocol):
    """The camera protocol counted as PaddleClas counts it, to check its numbers.

    Gallery images of the query's identity and camera stay in the ranking with similarity 0 instead
    of being removed, so they push down every match of negative similarity.
    """

    counting = "paddleclas"


@dataclass(frozen=True)
class InShopProtocol(CameraProtocol):
    """Queries against the gallery without cameras, as in-shop clothes retrieval counts.

    Args:
        nmi: Whether to cluster the embeddings of queries and gallery and report NMI; ``None`` does
            so up to 20,000 images.

    Liu et al., "DeepFashion: Powering Robust Clothes Recognition and Retrieval with Rich
    Annotations", CVPR 2016.
    """

    use_cameras: bool = False
    ranks: tuple[int, ...] = (1, 10, 20, 30, 40, 50)
    nmi: bool | None = None
    embedding_metrics = True


@dataclass(frozen=True)
class SelfRetrievalProtocol(EvaluationProtocol):
    """Every image is a query against all other images; only the image itself is excluded.

    Stanford Online Products (Oh Song et al., CVPR 2016), CUB-200, Cars-196, and "query as gallery".
    Roles and cameras are ignored, and distractors are left out: they share a number, not an
    identity.

    Args:
        ranks: The k of recall@k.
        nmi: Whether to cluster the embeddings and report NMI; ``None`` does so up to 20,000 images,
            since k-means over thousands of classes takes longer than everything else together.
    """

    ranks: tuple[int, ...] = (1, 10, 100, 1000)
    nmi: bool | None = None
    self_retrieval = True
    embedding_metrics = True

    def splits(self, images: ImageColumns) -> Iterator[Split]:
        """Yield one split in which a "camera" of its own per image excludes the image itself."""
        rows = np.flatnonzero(~images.distractors)
        yield Split(rows, rows, 0, rows, rows, each_alone=True)
