"""Readers of re-identification data sets, combinations of them, samplers and transforms."""

from .csv_dataset import CSVDataset
from .cuhk01 import CUHK01
from .cuhk02 import CUHK02
from .cuhk03 import CUHK03
from .cuhk_sysu import CUHKSYSU
from .dukemtmc import DukeMTMC
from .grid import GRID
from .ilids import ILIDS
from .inshop import InShop
from .market1501 import Market1501
from .market1501_gt_bbox import Market1501GTBBox
from .msmt17 import MSMT17
from .multi_source import BenchmarkSuite, MultiSourceDataset
from .prid2011 import PRID2011
from .reid_dataset import ReIDDataset
from .sop import SOP
from .synthetic_dataset import SyntheticReID
from .veri776 import VeRi776
from .viper import VIPeR

__all__ = [
    "BenchmarkSuite",
    "CSVDataset",
    "CUHK01",
    "CUHK02",
    "CUHK03",
    "CUHKSYSU",
    "DukeMTMC",
    "GRID",
    "ILIDS",
    "InShop",
    "MSMT17",
    "Market1501",
    "Market1501GTBBox",
    "MultiSourceDataset",
    "PRID2011",
    "ReIDDataset",
    "SOP",
    "SyntheticReID",
    "VIPeR",
    "VeRi776",
]
