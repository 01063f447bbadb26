"""The one place where our version is written, and the way to compare those of others."""

import re

__version__ = "0.1.0"


def release(version: str) -> tuple[int, ...]:
    """Return the release numbers without trailing zeros: ``2.11.0rc1+cpu`` gives (2, 11)."""
    matched = re.match(r"\d+(\.\d+)*", version)
    numbers = [int(part) for part in matched.group().split(".")] if matched else []
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def torch_is_at_least(*version: int) -> bool:
    """Whether the installed PyTorch is of this release, such as ``2, 6``, or a later one."""
    import torch  # only whoever asks needs it

    return release(torch.__version__) >= version
