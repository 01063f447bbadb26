"""``torch.load`` that never runs code from the file: listed names only, the rest is refused."""

from __future__ import annotations

import _compat_pickle
import os
import pickle
import re
import struct
import types
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from importlib import import_module
from typing import IO, Any, ClassVar

import torch

from mmreid_ext.checkpoint.limits.declared_sizes import check_content
from mmreid_ext.errors import UserError
from mmreid_ext.shorten import brief, one_line
from mmreid_ext.version import torch_is_at_least

from .foreign import ForeignObject, foreign_globals, restore_foreign
from .integrity import name_of, verify
from .plain import from_plain

_HAS_NAMED_SAFE_GLOBALS = torch_is_at_least(2, 6)
"""Older PyTorch cannot allow-list a stand-in for a type; there our own unpickler does it."""


SIGNS_OF_GARBAGE = (
    *(EOFError, AttributeError, LookupError, TypeError, AssertionError, struct.error),
    *(ValueError, ArithmeticError, SyntaxError),
)
"""What unpickling raises, beside its own error, on bytes that are no pickle."""

_OF_THE_MACHINE = ("deserialize object on", "memory", "CUDA")
"""Words of PyTorch where a good file meets a machine that can't hold it."""


class UnsafeCheckpointError(UserError, pickle.UnpicklingError):
    """A checkpoint asks for a type or function outside the allow-list."""


def safe_load(file: str | os.PathLike | IO[bytes], map_location: Any = None) -> Any:
    """Load a PyTorch file as data: tensors, plain containers, and what MMEngine's checkpoints hold.

    On PyTorch 2.6 and later this is ``torch.load(weights_only=True)`` with a temporary allow-list;
    on earlier ones a restricted unpickler with the same list. ``HistoryBuffer``, NumPy arrays and
    the ``getattr`` calls of MMEngine's files meet inert stand-ins, so no third-party code runs.
    There is no way to switch this off, by argument or by environment variable.

    Args:
        file: Path or binary file object. A path may be of a ``.safetensors`` file.
        map_location: As in ``torch.load``; safetensors are loaded to the CPU.

    Returns:
        The checkpoint, with NumPy arrays and MMEngine objects restored.

    Raises:
        UnsafeCheckpointError: If the file names anything else; the message says what and in which
            file.
        ValueError: If the file is no complete PyTorch file, or has changed since it was written.
    """
    name = name_of(file)
    if isinstance(file, (str, os.PathLike)) and name.endswith(".safetensors"):
        return _load_safetensors(name)
    size = verify(file)
    try:
        if _HAS_NAMED_SAFE_GLOBALS:
            with _only_our_stand_ins():
                loaded = torch.load(file, map_location=map_location, weights_only=True)
        else:
            loaded = torch.load(file, map_location, pickle_module=restricted_pickle)
        if size is not None:
            check_content(loaded, name, size)
        return from_plain(restore_foreign(loaded))
    except pickle.UnpicklingError as error:
        raise _explain(error, name) from None
    except RuntimeError as error:
        if any(words in str(error) for words in _OF_THE_MACHINE):
            raise  # PyTorch says what to do
        raise UserError(f"{name} is damaged or incomplete ({_quoted(error)}).") from error
    except UserError:
        raise
    except SIGNS_OF_GARBAGE as error:
        reason = f"{type(error).__name__}: {_quoted(error)}"
        raise UserError(f"{name} is damaged or no PyTorch file ({reason}).") from error


def _load_safetensors(name: str) -> dict[str, torch.Tensor]:
    try:
        safetensors = import_module("safetensors.torch")
    except ImportError as error:
        raise UserError(
            f"{name} is a safetensors file, and the package that reads it isn't here: "
            "`pip install safetensors`."
        ) from error
    try:
        return dict(safetensors.load_file(name))
    except FileNotFoundError:
        raise
    except Exception as error:  # its own error derives from Exception alone
        raise UserError(f"{name} is damaged or no safetensors file ({error}).") from error


def _printable(error: Exception) -> str:
    """The text of an error on one line; parts of it are the file's."""
    return " ".join(one_line(error, limit=10_000).split())


def _quoted(error: Exception) -> str:
    return one_line(_printable(error), limit=200)


def _explain(error: pickle.UnpicklingError, name: str) -> UnsafeCheckpointError:
    found = re.search(r"GLOBAL (.+?)(?= was not| whose module| is not| is refused|$)", str(error))
    if found is None:
        reason = _printable(error)
        return UnsafeCheckpointError(
            f"{name} was refused: it is damaged, no PyTorch file, or pickled as no checkpoint is "
            f"({reason[-200:]})."
        )
    asked = one_line(found.group(1))
    return UnsafeCheckpointError(
        f"{name} was refused: it asks for {asked}, which is not on the list of types "
        "that a checkpoint may hold; loading it could run code. If you trust its author, convert "
        "it where it was made to a plain state dict, torch.save(model.state_dict(), path), and "
        "load that."
    )


@contextmanager
def _only_our_stand_ins() -> Iterator[None]:
    """Allow-list our stand-ins during one load, beside a user's own entries that don't clash."""
    before = torch.serialization.get_safe_globals()
    ours = foreign_globals()

    def qualified_name(entry: Any) -> str:
        return entry[1] if isinstance(entry, tuple) else f"{entry.__module__}.{entry.__qualname__}"

    kept: list[Any] = [entry for entry in before if qualified_name(entry) not in ours]
    stand_ins = [(stand_in, name) for name, stand_in in ours.items()]
    try:
        torch.serialization.clear_safe_globals()
        torch.serialization.add_safe_globals(kept + stand_ins)
        yield
    finally:
        torch.serialization.clear_safe_globals()
        torch.serialization.add_safe_globals(before)


@lru_cache(maxsize=1)
def _allowed_globals() -> dict[str, Any]:
    """Everything the restricted unpickler may look up, by full name."""
    from torch._weights_only_unpickler import _get_allowed_globals

    allowed: dict[str, Any] = dict(_get_allowed_globals())  # PyTorch's own list: tensors, storages
    allowed.update({str(t): t for t in vars(torch).values() if isinstance(t, torch.dtype)})
    allowed.update(
        {
            "builtins.set": set,
            "builtins.bytearray": bytearray,
            "builtins.complex": complex,
            "collections.Counter": Counter,
            "torch.device": torch.device,
            "_codecs.encode": encode_text,
        }
    )
    allowed.update(foreign_globals())
    return allowed


def encode_text(text: str, encoding: str) -> bytes:
    """How pickle protocol 2 stores bytes."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"GLOBAL _codecs.encode with the encoding {brief(encoding)}")
    return text.encode("latin1")


_set_state: Callable[[Any], None] = pickle._Unpickler.dispatch[pickle.BUILD[0]]


class RestrictedUnpickler(pickle._Unpickler):
    """Unpickler that finds only listed names and sets state only on data objects.

    The pure-Python class, because the C one cannot be told what ``BUILD`` may touch; with it a file
    could plant attributes on listed functions and classes.
    """

    dispatch: ClassVar[dict[int, Callable[[Any], None]]] = dict(pickle._Unpickler.dispatch)
    stack: list[Any]  # of the pure-Python class; the published types don't know it

    def find_class(self, module: str, name: str) -> Any:
        """Return the listed object of that name, or refuse."""
        # Protocol 2 writes the names of Python 2.
        renamed = _compat_pickle.IMPORT_MAPPING.get(module, module), name
        module, name = _compat_pickle.NAME_MAPPING.get((module, name), renamed)
        full_name = f"{module}.{name}"
        found = self.find_global(full_name)
        if found is None:
            raise pickle.UnpicklingError(f"GLOBAL {full_name} is not allowed")
        return found

    def find_global(self, full_name: str) -> Any:
        """Return the listed object of a full name; None if it isn't listed."""
        return _allowed_globals().get(full_name)

    def load_build(self) -> None:
        """Set an object's state, on tensors, ordered dictionaries and stand-ins only."""
        instance = self.stack[-2]
        allowed = (torch.Tensor, torch.nn.Parameter, OrderedDict)
        if type(instance) not in allowed and not isinstance(instance, ForeignObject):
            raise pickle.UnpicklingError(f"GLOBAL {type(instance).__qualname__} state is refused")
        _set_state(self)

    dispatch[pickle.BUILD[0]] = load_build


def _restricted_load(file: IO[bytes], **kwargs: Any) -> Any:
    return RestrictedUnpickler(file, **kwargs).load()


restricted_pickle = types.SimpleNamespace(
    __name__="restricted_pickle", Unpickler=RestrictedUnpickler, load=_restricted_load
)
"""Stands in for the ``pickle`` module in ``torch.load(pickle_module=...)``."""


def read_meta(path: str | os.PathLike) -> dict[str, Any]:
    """Return the ``meta`` of a checkpoint; empty for a plain state dictionary.

    Args:
        path: Checkpoint. Nothing in it is executed.

    Raises:
        UserError: If the file is no checkpoint.
    """
    loaded = safe_load(path, map_location="cpu")
    meta = loaded.get("meta") if isinstance(loaded, Mapping) else None
    return dict(meta) if isinstance(meta, Mapping) else {}
