"""Readers of re-identification data sets, combinations of them, samplers and transforms."""

from .csv_dataset import CSVDataset
from .market1501 import Market1501
from .multi_source import BenchmarkSuite, MultiSourceDataset
from .reid_dataset import ReIDDataset
from .synthetic_dataset import SyntheticReID
from .viper import VIPeR

__all__ = [
    "BenchmarkSuite",
    "CSVDataset",
    "Market1501",
    "MultiSourceDataset",
    "ReIDDataset",
    "SyntheticReID",
    "VIPeR",
]
