"""Report an experiment: seeds of one setting, or the settings of a grid against a baseline."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mmreid_ext.evaluation.results.comparison import Difference, compare, format_comparison
from mmreid_ext.evaluation.results.difference import as_data
from mmreid_ext.evaluation.results.results_file import write_results
from mmreid_ext.evaluation.results.seed_table import (
    format_grid_table,
    format_seed_table,
    seed_summary,
)

from .experiment import Plan, check_trainings, read_runs

_WARNING = (
    "Each interval is for one comparison. The best of {} settings on these people is partly luck: "
    "test it on others."
)


def report_seeds(plan: Plan, config: str, say: Callable[[str], None]) -> None:
    """Show the table of one setting's seeds, and write ``seeds.json``."""
    documents = read_runs(plan, say)
    say(format_seed_table(metrics_of(documents)))
    summary = write_seeds(plan, config, documents)
    say(f"Written: {summary}. Compare two configurations with tools/compare.py --a … --b …")


def write_seeds(plan: Plan, config: str, documents: Mapping[int, Mapping[str, Any]]) -> Path:
    """Write metrics by seed, their summary and the fingerprint of the training."""
    runs = metrics_of(documents)
    entry = dict(config=config, fingerprint=fingerprint_of(documents), runs=runs)
    return write_results(plan.folder / "seeds.json", entry | dict(summary=seed_summary(runs)))


def metrics_of(documents: Mapping[int, Mapping[str, Any]]) -> dict[int, dict[str, float]]:
    """Return the metrics by seed."""
    return {seed: document["metrics"] for seed, document in documents.items()}


def fingerprint_of(documents: Mapping[int, Mapping[str, Any]]) -> str | None:
    """Return the fingerprint of the training that the checkpoints record, if any does."""
    records = [document.get("training") or {} for document in documents.values()]
    return next((r["fingerprint"] for r in records if r.get("fingerprint")), None)


def report_grid(
    plans: Sequence[Plan],
    plain: Mapping[str, Any],
    config: str,
    work_dir: Path,
    failed: Mapping[str, str],
    say: Callable[[str], None],
) -> None:
    """Show a row per setting and the comparison with the baseline, and write ``grid.json``.

    A setting of which a run failed has no mean: that of the others would be too good.

    Args:
        plans: The settings.
        plain: Request of the configuration without the grid; the setting that equals it is the
            baseline. Otherwise the first one is.
        config: Configuration file.
        work_dir: Folder of the experiment.
        failed: What went wrong, by the title of a run.
        say: Shows a text.
    """
    broken = {
        plan.setting.name: [str(seed) for seed, run in plan.runs.items() if run.title in failed]
        for plan in plans
    }
    whole = [plan for plan in plans if not broken[plan.setting.name]]
    found = {plan.setting.name: read_runs(plan, say) for plan in whole}
    check_trainings(found)
    lost = {name: f"failed: seed {', '.join(seeds)}" for name, seeds in broken.items() if seeds}
    names = [plan.setting.name for plan in plans]
    runs = {name: metrics_of(found[name]) if name in found else {} for name in names}
    say(format_grid_table(runs, lost))
    baseline, why = _baseline(plans, plain)
    differences = compare_with(baseline, found)
    if baseline in lost:
        say(f"Not compared: the baseline {baseline} failed.")
    if differences:
        say(f"\nAgainst {baseline} ({why}; A in each line):\n{format_comparison(differences)}")
        say(_WARNING.format(len(found)))
    for plan in whole:
        write_seeds(plan, config, found[plan.setting.name])
    document = dict(
        config=config,
        baseline=baseline,
        settings=[_entry(plan, found.get(plan.setting.name, {}), lost) for plan in plans],
        comparisons=_as_data(differences),
    )
    say(f"Written: {write_results(work_dir / 'grid.json', document)}")


def _baseline(plans: Sequence[Plan], plain: Mapping[str, Any]) -> tuple[str, str]:
    """Return the name of the baseline, and why it is the one."""
    for plan in plans:
        if dict(plan.request) == dict(plain):
            return plan.setting.name, "the configuration's own values"
    return plans[0].setting.name, "the first setting"


def compare_with(
    baseline: str, found: Mapping[str, Mapping[int, Mapping[str, Any]]]
) -> dict[str, dict[str, list[Difference]]]:
    """Compare each setting with the baseline; the test set's name gets the setting's before it."""
    report: dict[str, dict[str, list[Difference]]] = {}
    first = list(found.get(baseline, {}).values())
    for name, documents in found.items():
        runs = list(documents.values())
        if name == baseline or not first or not all(d.get("test_sets") for d in [*first, *runs]):
            continue
        labels = [[f"{n}, seed {s}" for s in found[n]] for n in (baseline, name)]
        for test_set, variants in compare(first, runs, labels=(labels[0], labels[1])).items():
            report[f"{name}: {test_set}"] = variants
    return report


def _as_data(
    differences: Mapping[str, Mapping[str, Sequence[Difference]]],
) -> dict[str, dict[str, list[dict[str, Any]]]]:
    return {
        name: {variant: [as_data(d) for d in several] for variant, several in variants.items()}
        for name, variants in differences.items()
    }


def _entry(
    plan: Plan, documents: Mapping[int, Mapping[str, Any]], lost: Mapping[str, str]
) -> dict[str, Any]:
    runs = metrics_of(documents)
    return dict(
        name=plan.setting.name,
        options=list(plan.setting.options),
        folder=plan.setting.folder,
        fingerprint=fingerprint_of(documents),
        problem=lost.get(plan.setting.name),
        runs=runs,
        summary=seed_summary(runs) if runs else {},
    )
