"""Say who is asked and who may answer: the ground floor of readers, evaluation and pictures.

Plain NumPy; of this package nothing is imported but the errors.
"""

from .benchmarks.multi_query import MultiQueryProtocol
from .benchmarks.random_gallery import RandomGalleryProtocol
from .camera_rule import other_camera
from .image_table import JUNK, ROLES, ImageColumns, ImageTable
from .matching import Labels
from .named import build_protocol, protocol_classes, protocol_names, register_protocol
from .no_match import MatchReport, match_report, unknown_cameras_message
from .protocol import (
    CameraProtocol,
    EvaluationProtocol,
    InShopProtocol,
    PaddleClasProtocol,
    SelfRetrievalProtocol,
    Split,
)
from .single_gallery_shot import SingleGalleryShotProtocol
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
    "Labels",
    "MatchReport",
    "MultiQueryProtocol",
    "PaddleClasProtocol",
    "RandomGalleryProtocol",
    "SelfRetrievalProtocol",
    "SingleGalleryShotProtocol",
    "Split",
    "SplitListProtocol",
    "build_protocol",
    "match_report",
    "other_camera",
    "protocol_classes",
    "protocol_names",
    "read_splits",
    "register_protocol",
    "unknown_cameras_message",
]
