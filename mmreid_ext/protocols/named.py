"""Build protocols by name: the one list of names, and a place in it for a user's own."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from mmreid_ext.errors import UserError, UserTypeError
from mmreid_ext.protocols.benchmarks.multi_query import MultiQueryProtocol
from mmreid_ext.protocols.benchmarks.random_gallery import RandomGalleryProtocol
from mmreid_ext.suggest import did_you_mean

from .protocol import (
    CameraProtocol,
    EvaluationProtocol,
    InShopProtocol,
    PaddleClasProtocol,
    SelfRetrievalProtocol,
    check_ranks,
)
from .single_gallery_shot import SingleGalleryShotProtocol
from .split_list import SplitListProtocol

_Kind = TypeVar("_Kind", bound=type[EvaluationProtocol])

_NAMED: dict[str, tuple[type[EvaluationProtocol], dict[str, Any]]] = {
    "camera": (CameraProtocol, {}),
    "no_camera": (CameraProtocol, dict(use_cameras=False)),
    "multi_query": (MultiQueryProtocol, {}),
    "in_shop": (InShopProtocol, {}),
    "paddleclas": (PaddleClasProtocol, {}),
    "self_retrieval": (SelfRetrievalProtocol, {}),
    "sop": (SelfRetrievalProtocol, {}),
    "single_gallery_shot": (SingleGalleryShotProtocol, {}),
    "cuhk03_classic": (SingleGalleryShotProtocol, {}),
    "random_gallery": (RandomGalleryProtocol, {}),
    "vehicleid": (RandomGalleryProtocol, {}),
    "viper": (SplitListProtocol, dict(file="viper")),
    "prid2011": (SplitListProtocol, dict(file="prid2011")),
    "grid": (SplitListProtocol, dict(file="grid")),
    "ilids": (SplitListProtocol, dict(file="ilids")),
    "split_list": (SplitListProtocol, {}),
}


def protocol_names() -> list[str]:
    """Return the names that :func:`build_protocol` knows."""
    return list(_NAMED)


def protocol_classes() -> dict[str, type[EvaluationProtocol]]:
    """Return the class behind each name that :func:`build_protocol` knows."""
    return {name: kind for name, (kind, _) in _NAMED.items()}


def register_protocol(name: str | None = None, **defaults: Any) -> Callable[[_Kind], _Kind]:
    """Give a protocol of one's own a name, so that configurations and command lines can use it.

    Args:
        name: The name. Defaults to that of the class, which is known as well beside another one.
        **defaults: Settings that differ from the class's.

    Returns:
        A decorator for a subclass of :class:`EvaluationProtocol`.

    Raises:
        ValueError: If another class has the name.
        TypeError: If the class is no protocol.

    Example:
        >>> @register_protocol("first_camera")
        ... @dataclass(frozen=True)
        ... class FirstCameraProtocol(EvaluationProtocol):
        ...     def splits(self, images): ...
    """

    def register(kind: _Kind) -> _Kind:
        _check_kind(kind)
        known_as = kind.__name__ if name is None else name
        taken = _NAMED.get(known_as, (kind, {}))[0]
        if _path(taken) != _path(kind):
            raise UserError(
                f"register_protocol: {known_as!r} is {_path(taken)} already; choose another name."
            )
        _NAMED[known_as] = (kind, defaults)
        return kind

    return register


def build_protocol(
    spec: str | Mapping[str, Any] | type[EvaluationProtocol] | EvaluationProtocol | None,
) -> EvaluationProtocol:
    """Build a protocol from a name, settings or a class.

    Args:
        spec: None means ``'camera'``. A name: ``'camera'``, ``'no_camera'``, ``'multi_query'``,
            ``'paddleclas'``, ``'self_retrieval'``, ``'sop'``, ``'in_shop'``,
            ``'single_gallery_shot'``, ``'cuhk03_classic'``, ``'random_gallery'``,
            ``'vehicleid'``, ``'viper'``, ``'prid2011'``, ``'grid'``, ``'ilids'``, one of your own
            (:func:`register_protocol`), or the name of a class. A class. A dict: a name or
            class as ``type`` and the arguments to change, for example
            ``dict(type='single_gallery_shot', repeats=10)``.

    Raises:
        ValueError: If the name or a setting is unknown, or a setting can't be used.
        TypeError: If ``spec`` is something else.
    """
    if isinstance(spec, EvaluationProtocol):
        return spec
    if spec is None or isinstance(spec, (str, type)):
        settings: dict[str, Any] = {"type": "camera" if spec is None else spec}
    elif isinstance(spec, Mapping):
        settings = {key: spec[key] for key in spec}
    else:
        raise UserTypeError(
            f"protocol={spec!r} must be a name, a dict with the name as 'type', or a protocol; the "
            f"names are {', '.join(protocol_names())}."
        )
    kind, defaults = _find(settings.pop("type", "camera"))
    settings = {**defaults, **settings}
    _check_settings(kind, settings)
    if isinstance(settings.get("ranks"), list):
        settings["ranks"] = tuple(settings["ranks"])
    protocol = kind(**settings)
    check_ranks(protocol)
    return protocol


def _find(name: Any) -> tuple[type[EvaluationProtocol], dict[str, Any]]:
    """Class and defaults of a name, of a class, or of the name of a class."""
    if isinstance(name, type):
        _check_kind(name)
        return name, {}
    if isinstance(name, str) and name in _NAMED:
        return _NAMED[name]
    for kind, _ in _NAMED.values():
        # with its module: so MMEngine writes a class that stands in a configuration
        if name in (kind.__name__, f"mmreid_ext.{kind.__name__}", _path(kind)):
            return kind, {}
    raise UserError(
        f"Unknown evaluation protocol {name!r}{did_you_mean(name, _NAMED)}. "
        f"Known: {', '.join(_NAMED)}. One of your own is known when its module is imported: "
        "name it in custom_imports of the configuration, or after --import on the command line."
    )


def _check_kind(kind: Any) -> None:
    if not (isinstance(kind, type) and issubclass(kind, EvaluationProtocol)):
        raise UserTypeError(
            f"protocol={kind!r} is no protocol; derive it from mmreid_ext.protocols."
            "EvaluationProtocol."
        )


def _check_settings(kind: type[EvaluationProtocol], settings: Mapping[str, Any]) -> None:
    parameters = inspect.signature(kind).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return
    unknown = [key for key in settings if key not in parameters]
    if unknown:
        raise UserError(
            f"{kind.__name__} has no setting {unknown[0]!r}{did_you_mean(unknown[0], parameters)}; "
            f"it has {', '.join(parameters)}."
        )
    missing = [
        key
        for key, parameter in parameters.items()
        if parameter.default is parameter.empty and key not in settings
    ]
    if missing:
        raise UserError(f"{kind.__name__} needs the setting {missing[0]!r}; give it in the dict.")


def _path(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def reads_names(protocol: EvaluationProtocol) -> bool:
    """Whether a protocol may ask for the paths of images, which take much memory.

    Args:
        protocol: The protocol. Those without a rule of their own for their splits don't.
    """
    kind = type(protocol)
    blind = (
        CameraProtocol,
        SelfRetrievalProtocol,
        SingleGalleryShotProtocol,
        MultiQueryProtocol,
        RandomGalleryProtocol,
    )
    if kind.matching_split is not EvaluationProtocol.matching_split:
        return True
    return all(kind.splits is not one.splits for one in blind)
