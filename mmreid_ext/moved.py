"""Import modules by the names that they had before: each old name gives the new module, and warns.

The table has what moved whole. ``CHANGELOG.md`` says where the contents of split modules are.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

_PACKAGE = __name__.rpartition(".")[0]

FOLDERS = {
    ("evaluation", "evaluation.results"): (
        "compared_runs comparison features_file identity_interval image_names matched_queries "
        "report seed_runs seed_table training_record"
    ),
    ("evaluation", "evaluation.retrieval"): (
        "embedding_metrics full_precision operating_points query_expansion rank_counting ranking "
        "similarity"
    ),
    ("evaluation", "evaluation.retrieval.re_ranking"): "approximate_neighbors neighbors",
    ("evaluation", "protocols"): "split_files split_list",
    ("datasets", "datasets.readers"): (
        "csv_dataset cuhk01 cuhk02 cuhk03 cuhk03_archive cuhk_sysu dukemtmc grid ilids inshop "
        "market1501 market1501_gt_bbox msmt17 prid2011 sop synthetic_dataset veri776 viper"
    ),
    ("engine", "engine.metabin"): (
        "gate_schedule gate_statistics loader_pool meta_gates metabin_loop"
    ),
    ("datasets.samplers", "engine.metabin"): "alternating_batches",
    ("engine", "cli"): "launch speed_options",
    ("engine", "checkpoint"): "weights",
    ("checkpoint", "checkpoint.resume"): "latest resuming run_record",
    ("datasets", "pictures"): "picture_file",
}
"""``(old folder, new folder)``: modules that keep their name."""

MOVED = {
    f"{_PACKAGE}.{old}.{name}": f"{_PACKAGE}.{new}.{name}"
    for (old, new), names in FOLDERS.items()
    for name in names.split()
} | {
    f"{_PACKAGE}.checkpoint.atomic": f"{_PACKAGE}.output_files.atomic",
    f"{_PACKAGE}.evaluation.protocols": f"{_PACKAGE}.protocols",
    f"{_PACKAGE}.evaluation.named_protocols": f"{_PACKAGE}.protocols.named",
    f"{_PACKAGE}.evaluation.re_ranking": f"{_PACKAGE}.evaluation.retrieval.re_ranking",
    f"{_PACKAGE}.evaluation.memory": f"{_PACKAGE}.evaluation.retrieval.tiles",
    f"{_PACKAGE}.evaluation.reciprocal_encoding": (
        f"{_PACKAGE}.evaluation.retrieval.re_ranking.encoding"
    ),
    f"{_PACKAGE}.evaluation.retrieval_inputs": f"{_PACKAGE}.evaluation.retrieval.inputs",
    f"{_PACKAGE}.evaluation.retrieval_result": f"{_PACKAGE}.evaluation.retrieval.result",
}
"""Old name of each module: its name today."""


class _NewModule(Loader):
    """Give the module that stands under a new name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def create_module(self, spec: ModuleSpec) -> None:
        """Leave the making to Python; :meth:`exec_module` replaces the empty module."""

    def exec_module(self, module: ModuleType) -> None:
        """Put the new module where Python looks for the old one."""
        # Frames of Python's import machinery don't count, so level 2 is the user's import.
        warnings.warn(
            f"{module.__name__} is {self.name} now: import that.", FutureWarning, stacklevel=2
        )
        sys.modules[module.__name__] = importlib.import_module(self.name)


class _OldNames(MetaPathFinder):
    """Find modules under the names that they had."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return how to import an old name; None for every other name."""
        return ModuleSpec(name, _NewModule(MOVED[name])) if name in MOVED else None


def keep_old_names() -> None:
    """Let old names be imported. Later calls do nothing."""
    if not any(isinstance(finder, _OldNames) for finder in sys.meta_path):
        sys.meta_path.append(_OldNames())
