"""Protocols: who is asked, who may answer. The ground floor of readers, evaluation and pictures.

Plain NumPy; of this package nothing is imported but the errors.
"""

from .image_table import JUNK, ROLES, ImageColumns, ImageTable
from .named import build_protocol
from .protocol import (
    CameraProtocol,
    EvaluationProtocol,
    InShopProtocol,
    PaddleClasProtocol,
    SelfRetrievalProtocol,
    SingleGalleryShotProtocol,
    Split,
)
from .split_files import read_splits
from .split_list import SplitListProtocol

__all__ = [
    "JUNK",
    "ROLES",
    "CameraProtocol",
    "EvaluationProtocol",
    "ImageColumns",
    "ImageTable",
    "InShopProtocol",
    "PaddleClasProtocol",
    "SelfRetrievalProtocol",
    "SingleGalleryShotProtocol",
    "Split",
    "SplitListProtocol",
    "build_protocol",
    "read_splits",
]
