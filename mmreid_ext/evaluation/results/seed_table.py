"""Tabulate results of several training seeds: all of them, their mean and their spread."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mmreid_ext.errors import UserError

from .table import text_table

COLUMNS = ("mAP", "mINP", "R1", "R5", "R10")


def seed_summary(runs: Mapping[int, Mapping[str, float]]) -> dict[str, dict[str, float | int]]:
    """Mean, sample standard deviation, smallest and largest value of each metric over seeds.

    Args:
        runs: Metrics (percent) by seed. Metrics that a run lacks are left out.

    Returns:
        ``{metric: {mean, std, min, max, num_seeds}}``; ``std`` is NaN for a single seed.

    Raises:
        ValueError: If there is no run.
    """
    if not runs:
        raise UserError("There are no runs to summarise.")
    first, *others = runs.values()
    summary = {}
    for key in first:
        if key.endswith("_std") or not all(key in run for run in others):
            continue  # a deviation over splits isn't one over seeds
        values = np.array([run[key] for run in runs.values()], dtype=np.float64)
        summary[key] = dict(
            mean=float(values.mean()),
            std=float(values.std(ddof=1)) if len(values) > 1 else float("nan"),
            min=float(values.min()),
            max=float(values.max()),
            num_seeds=len(values),
        )
    return summary


def format_seed_table(runs: Mapping[int, Mapping[str, float]]) -> str:
    """Return one line per test set and seed, then mean and deviation; percent.

    A single seed has no deviation, and is its own mean.

    Args:
        runs: Metrics by seed, as ``results.json`` holds them.
    """
    summary = seed_summary(runs)
    sets = list(dict.fromkeys(key.rpartition("/")[0] for key in summary))
    rows = [["test set", "seed", *COLUMNS]]
    for name in sets:
        title = name.replace("/rerank", " (re-ranked)")
        keys = [f"{name}/{column}" for column in COLUMNS]
        for seed, metrics in runs.items():
            cells = [f"{metrics[key]:.2f}" if key in metrics else "" for key in keys]
            rows.append([title, str(seed), *cells])
        found = [summary.get(key) for key in keys]
        if len(runs) > 1:
            rows.append([title, "mean ± std", *("" if f is None else _mean(f) for f in found)])
    return f"Percent, {_counted(len(runs))}\n{text_table(rows, ruled=False)}"


def format_grid_table(
    settings: Mapping[str, Mapping[int, Mapping[str, float]]], lost: Mapping[str, str]
) -> str:
    """Return one line per test set and setting, with mean and deviation over its seeds; percent.

    Args:
        settings: Metrics by seed, by the name of the setting; empty where it has no result.
        lost: Why a setting has none, by its name.
    """
    summaries = {name: seed_summary(runs) for name, runs in settings.items() if runs}
    sets = dict.fromkeys(key.rpartition("/")[0] for found in summaries.values() for key in found)
    rows = [["test set", "setting", "seeds", *COLUMNS]]
    for test_set in sets:
        title = test_set.replace("/rerank", " (re-ranked)")
        for name, runs in settings.items():
            found = [summaries.get(name, {}).get(f"{test_set}/{column}") for column in COLUMNS]
            means = ["" if f is None else _mean(f) for f in found]
            rows.append([title, name, str(len(runs) or ""), *means])
            if name in lost:
                rows[-1][3] = lost[name]
    if not sets:
        return "\n".join(f"{name}: {why}" for name, why in lost.items())
    return f"Percent, mean ± std over training seeds\n{text_table(rows, ruled=False)}"


def _mean(found: Mapping[str, float | int]) -> str:
    mean = f"{found['mean']:.2f}"
    return mean if found["num_seeds"] == 1 else f"{mean} ± {found['std']:.2f}"


def _counted(seeds: int) -> str:
    return f"{seeds} training seed{'' if seeds == 1 else 's'}"
