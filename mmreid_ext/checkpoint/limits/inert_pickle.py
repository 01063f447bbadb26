"""Unpickle the skeleton of a checkpoint: plain values stay, every object becomes nothing."""

from __future__ import annotations

import pickle
from typing import Any

ELEMENT_BYTES = {
    **{"DoubleStorage": 8, "FloatStorage": 4, "HalfStorage": 2, "BFloat16Storage": 2},
    **{"LongStorage": 8, "IntStorage": 4, "ShortStorage": 2, "CharStorage": 1, "ByteStorage": 1},
    **{"BoolStorage": 1, "ComplexDoubleStorage": 16, "ComplexFloatStorage": 8},
}
"""Bytes of an element, by the name in ``torch``; asking PyTorch gives a warning each time."""


class Nothing(dict):
    """Stands for every object of a checkpoint that is no plain value."""

    def __init__(self, *_: Any, **__: Any) -> None:
        super().__init__()

    __hash__ = object.__hash__  # type: ignore[assignment]

    def __setstate__(self, state: Any) -> None:
        pass

    def append(self, item: Any) -> None:
        """Take an item of what was a list."""

    def extend(self, items: Any) -> None:
        """Take items of what was a list."""

    def add(self, item: Any) -> None:
        """Take an item of what was a set."""


class InertUnpickler(pickle._Unpickler):
    """Unpickler that finds nothing but :class:`Nothing`, whatever the file asks for.

    The pure-Python class: the C one allocates 16 bytes times the highest number that a file gives
    to a remembered object.

    Attributes:
        storages: Elements of each storage that the file declares, by its key. A storage has at
            least so many bytes.
        bytes: Of each storage whose type is known, by its key.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.storages: dict[Any, int] = {}
        self.bytes: dict[Any, int] = {}

    def find_class(self, module: str, name: str) -> Any:
        """Return the stand-in; that of a type of storage knows the size of an element."""
        element = ELEMENT_BYTES.get(name) if module == "torch" else None
        return Nothing if element is None else type(name, (Nothing,), {"element": element})

    def persistent_load(self, pid: Any) -> None:
        """Note a storage, ``('storage', type, key, location, elements, ...)``."""
        if isinstance(pid, tuple) and len(pid) > 4 and isinstance(pid[4], int):
            self.storages[str(pid[2])] = pid[4]
            element = getattr(pid[1], "element", None)
            if isinstance(element, int):
                self.bytes[str(pid[2])] = element * pid[4]
