"""Readers of re-identification data sets, combinations of them, samplers and transforms."""

from .multi_source import BenchmarkSuite, MultiSourceDataset
from .readers.csv_dataset import CSVDataset
from .readers.cuhk01 import CUHK01
from .readers.cuhk02 import CUHK02
from .readers.cuhk03 import CUHK03
from .readers.cuhk_sysu import CUHKSYSU
from .readers.dukemtmc import DukeMTMC
from .readers.grid import GRID
from .readers.ilids import ILIDS
from .readers.inshop import InShop
from .readers.market1501 import Market1501
from .readers.market1501_gt_bbox import Market1501GTBBox
from .readers.msmt17 import MSMT17
from .readers.prid2011 import PRID2011
from .readers.sop import SOP
from .readers.synthetic_dataset import SyntheticReID
from .readers.vehicleid import VehicleID
from .readers.veri776 import VeRi776
from .readers.viper import VIPeR
from .reid_dataset import ReIDDataset

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
    "VehicleID",
]
