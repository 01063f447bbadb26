"""Put our configurations into MMPretrain's model hub."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn

from mmengine.config import Config
from mmengine.runner import CheckpointLoader

from mmreid_ext.errors import MissingFileError, UserError

from .host_config import in_host_form

_INDEX = "model-index.yml"
_UNPUBLISHED = "mmreid_ext-unpublished:"


def register_models() -> list[str]:
    """Let ``mmpretrain.list_models`` and ``mmpretrain.get_model`` know our configurations.

    It isn't done by importing the package, since it reads all configurations (about two seconds).
    A second call changes nothing. Their test pipelines are those of MMPretrain's inferencers, see
    :func:`.host_config.in_host_form`. No weights are published: ``pretrained=True`` is an error
    that says so, instead of MMPretrain's warning and a random network.

    Returns:
        Names of our models, in order.

    Raises:
        MissingFileError: If the package was installed without its ``model-index.yml``.
        UserError: If another package has registered a model of the same name.

    Example:
        >>> from mmpretrain import get_model, list_models
        >>> from mmreid_ext.apis import register_models
        >>> names = register_models()
        >>> list_models('metabin_r50')
        ['metabin_r50', 'metabin_r50_dg']
        >>> model = get_model('metabin_r50', pretrained='best.pth')  # doctest: +SKIP
    """
    from mmpretrain.apis.model import ModelHub  # loads all of MMPretrain's inferencers

    index = _model_index()
    names = _names(index)
    known = ModelHub._models_dict
    ours = [name for name in names if name in known and _is_ours(known[name])]
    taken = [name for name in names if name in known and name not in ours]
    if taken:
        raise UserError(
            f"register_models: {taken[0]!r} is registered from {known[taken[0]].filepath}; "
            "rename that model."
        )
    if not ours:
        CheckpointLoader.register_scheme(_UNPUBLISHED, _refuse, force=True)
        ModelHub.register_model_index(index, config_prefix=index.parent)
        for name in names:
            _complete(known[name])
    return names


def _model_index() -> Path:
    package = Path(__file__).resolve().parents[2]
    for folder in (package / ".mim", package.parent):
        if (folder / _INDEX).is_file():
            return folder / _INDEX
    raise MissingFileError(
        f"register_models: {package / '.mim' / _INDEX} doesn't exist; install the package again."
    )


def _names(index: Path) -> list[str]:
    from modelindex.load_model_index import load

    return sorted(model.name for model in load(str(index)).models)


def _is_ours(model: Any) -> bool:
    return str(model.weights).startswith(_UNPUBLISHED)


def _complete(model: Any) -> None:
    model.weights = f"{_UNPUBLISHED}{model.name}"
    model.config = in_host_form(Config.fromfile(model.config))


def _refuse(filename: str, map_location: Any = None, logger: Any = None) -> NoReturn:
    name = filename.removeprefix(_UNPUBLISHED)
    raise UserError(
        f"get_model: {name!r} has no published weights; give pretrained=FILE, "
        "the checkpoint of a training, or pretrained=False."
    )
