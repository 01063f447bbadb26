"""Runs that may stand in one mean: the same settings, another training seed each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmreid_ext.errors import UserError
from mmreid_ext.json_values import plain_json, read_json

from .compared_runs import differing_settings, refuse_repeats
from .results_file import read_results, write_results
from .training_record import fingerprint, flat_config

REQUEST = "request.json"
"""What a run was asked for, written into its folder before it begins."""

_FINGERPRINT = "fingerprint"

# Of a test these say where and when it ran, not how.
_PLACE = ("seed", "test_seed", "config", "device", "ranks", "batch_size", "features", "notes")


def requested_settings(config: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """Flat settings of a run to be: its configuration and arguments that change it.

    Args:
        config: The configuration with all options laid over it.
        **more: Further arguments, such as those of the tools.
    """
    return plain_json(flat_config(config) | {key: value for key, value in more.items() if value})


def check_requests(
    folders: Mapping[int, Path], request: Mapping[str, Any], cfg_options: Mapping[str, Any]
) -> None:
    """Refuse to go on with runs that were begun with other settings, before anything is trained.

    Args:
        folders: Folder by seed.
        request: Settings of now, from :func:`requested_settings`.
        cfg_options: Options of now; finished runs of an earlier version record no more than these.

    Raises:
        UserError: Names the runs, the settings and their values.
    """
    for seed, folder in folders.items():
        now = dict(request)
        before = _read_request(folder)
        if before is None and (folder / "results.json").is_file():
            settings = read_results(folder / "results.json").get("settings") or {}
            before = settings.get("cfg_options")
            before, now = flat_config(before or {}), flat_config(plain_json(cfg_options))
        difference = "" if before is None else differing_settings([before, now])
        if difference:
            raise UserError(
                f"seed {seed} in {folder} was run with other settings than these (before / now): "
                f"{difference}. Go back to them, choose another --work-dir, or train again with "
                "--again."
            )


def _read_request(folder: Path) -> dict[str, Any] | None:
    path = folder / REQUEST
    if not path.is_file():
        return None
    try:
        found = read_json(path.read_text(encoding="utf-8"))
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise UserError(f"{path} is damaged; delete {folder} or choose another --work-dir.")
    return {key: value for key, value in found.items() if key != _FINGERPRINT}


def write_request(folder: Path, request: Mapping[str, Any]) -> None:
    """Record what a run is asked for, and its fingerprint."""
    write_results(folder / REQUEST, {_FINGERPRINT: fingerprint(request), **request})


def check_one_experiment(documents: Mapping[int, Mapping[str, Any]]) -> list[str]:
    """Refuse results that are not one setting with several training seeds.

    Args:
        documents: Results document by the seed that was asked for.

    Returns:
        What files of earlier versions leave open, in words.

    Raises:
        UserError: If a checkpoint was trained with another seed, if two runs are the same one, or
            if settings of training or test differ; the message names keys and values.
    """
    notes = []
    for seed, document in documents.items():
        trained = (document.get("training") or {}).get("seed")
        if trained is not None and trained != seed:
            raise UserError(
                f"seed {seed}: its checkpoint was trained with the seed {trained}. Train it again "
                "(--again)."
            )
        if trained is None:
            notes.append(f"seed {seed}: its results don't say with which seed it was trained")
    complete = {seed: doc for seed, doc in documents.items() if doc.get("test_sets")}
    if all(_has_scores(document) for document in complete.values()):
        labels = [f"seed {seed}" for seed in complete]
        refuse_repeats("These runs", list(complete.values()), labels)
    for what, settings in (("trained", _training_of), ("tested", _test_of)):
        found = {seed: settings(doc) for seed, doc in documents.items() if settings(doc)}
        difference = differing_settings(list(found.values()))
        if difference:
            seeds = ", ".join(map(str, found))
            raise UserError(
                f"seeds {seeds} were {what} with different settings, they have no common mean: "
                f"{difference}. Use one --work-dir for each setting, or train again (--again)."
            )
    return notes


def _has_scores(document: Mapping[str, Any]) -> bool:
    sets = document["test_sets"].values()
    return all(isinstance((s.get("plain") or {}).get("ap"), list) for s in sets)


def _training_of(document: Mapping[str, Any]) -> dict[str, Any]:
    return (document.get("training") or {}).get("config") or {}


def _test_of(document: Mapping[str, Any]) -> dict[str, Any]:
    settings = document.get("settings") or {}
    return flat_config({key: value for key, value in settings.items() if key not in _PLACE})
