"""An accelerator without a kernel: tensors that know where they are, and a host that is watched.

PyTorch lets Python register a device. Its tensors here are fake ones: they have shape, type and
place, and no values. What a real accelerator refuses, they refuse: two devices in one operation,
two types in one product. Everything on the CPU runs as ever. Each time that the host waits for the
device is noted, and reads a zero:

* it reads a value (``item``, ``tolist``, ``bool``, ``.cpu()``);
* it copies to the device and doesn't say ``non_blocking`` (CUDA then waits for all queued work).

Shapes that depend on values (``nonzero``, a boolean index) are errors: CUDA would wait there, too.

A registered device stays for the life of a process and changes it for others: ``torch.accelerator``
and the loaders that pin memory find it, ``manual_seed`` calls it, autograd starts a thread for it,
and it takes the one name there is. So :func:`with_accelerator` runs a function in a fresh process.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.overrides import TorchFunctionMode
from torch.utils import backend_registration
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import arg_tree_leaves

from .distributed import run_distributed

NAME = "pretended"
_IMPOSSIBLE = ("nonzero", "_unique2", "unique_dim", "masked_select", "equal", "repeat_interleave")
_ONE_TYPE = ("mm", "addmm", "bmm", "baddbmm", "convolution")  # fake tensors don't insist on it
_MACHINERY = ("torch/_", "torch/utils/_", "torch/nn/", "torch/autograd/")

# What CUDA's autocast computes in half precision and in float32, as far as re-ID networks call it.
_HALF = (
    *("conv2d", "linear", "matmul", "__matmul__", "mm", "bmm", "addmm", "baddbmm"),
    "scaled_dot_product_attention",
)
_WIDE = (
    *("softmax", "log_softmax", "cross_entropy", "nll_loss", "layer_norm", "group_norm", "exp"),
    *("log", "pow", "sum", "prod", "cumsum", "norm", "rsqrt", "reciprocal", "logsumexp"),
)


class Accelerator(TorchDispatchMode):
    """Gives every operation on the device to fake tensors; inside, ``waits`` lists the host's.

    Attributes:
        waits: What waited, in order: ``reads in FILE FUNCTION`` and ``copies in FILE FUNCTION``.
        sent: Where the host copied to the device without waiting.
    """

    def __init__(self) -> None:
        super().__init__()
        self.fake = FakeTensorMode(allow_non_fake_inputs=True)
        self.waits: list[str] = []
        self.sent: list[str] = []

    def __enter__(self) -> Accelerator:
        # As FakeTensorMode does: `torch.tensor(…, device=…)` is made on the CPU, then copied.
        torch._C._set_only_lift_cpu_tensors(True)
        return super().__enter__()

    def __exit__(self, *error: Any) -> None:
        torch._C._set_only_lift_cpu_tensors(False)
        super().__exit__(*error)

    def forget(self) -> None:
        """Begin a new list of waits."""
        self.waits.clear()
        self.sent.clear()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is torch.ops.prim.device.default and isinstance(args[0], FakeTensor):
            return args[0].fake_device  # half of all calls; the fake mode takes long to say it
        tensors = [a for a in arg_tree_leaves(*args, **kwargs) if isinstance(a, torch.Tensor)]
        there = [t for t in tensors if isinstance(t, FakeTensor)]
        wanted = torch.device(kwargs["device"] or "cpu").type if "device" in kwargs else None
        name = func.overloadpacket.__name__
        if not there and wanted != NAME:
            return func(*args, **kwargs)
        here = [t for t in tensors if not isinstance(t, FakeTensor)]
        if name == "_local_scalar_dense":
            self._note_wait("reads")
            return torch.zeros((), dtype=args[0].dtype).item()
        if there and (wanted == "cpu" or (name == "copy_" and not isinstance(args[0], FakeTensor))):
            self._note_wait("reads")
            type_of = kwargs.get("dtype") or args[0].dtype
            return args[0].zero_() if name == "copy_" else torch.zeros(args[0].shape, dtype=type_of)
        if any(t.dim() > 0 or name in ("_to_copy", "copy_") for t in here):
            asks = kwargs.get("non_blocking") or (name == "copy_" and args[2:] == (True,))
            self.sent.append(_place()) if asks else self._note_wait("copies")
        if name in _IMPOSSIBLE:
            self._note_wait("reads")
        if name in _ONE_TYPE and len(types := {t.dtype for t in there}) > 1:
            raise RuntimeError(f"{name} of {' and '.join(sorted(map(str, types)))}")
        with self.fake:
            return func(*args, **kwargs)

    def _note_wait(self, what: str) -> None:
        self.waits.append(f"{what} in {_place()}")


class Autocast(TorchFunctionMode):
    """Stands in for the autocast kernels, which a device registered in Python has none of."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs, name = kwargs or {}, getattr(func, "__name__", "")
        if name in (*_HALF, *_WIDE) and torch.is_autocast_enabled(NAME):
            dtype = torch.get_autocast_dtype(NAME) if name in _HALF else torch.float32
            args = [_cast(a, dtype) for a in args]
            kwargs = {key: _cast(a, dtype) for key, a in kwargs.items()}
        return func(*args, **kwargs)


def _cast(value: Any, dtype: torch.dtype) -> Any:
    floats = (torch.float32, torch.float16, torch.bfloat16)
    here = isinstance(value, FakeTensor) and value.dtype in floats
    return value.to(dtype) if here else value


def _place() -> str:
    """Return file and function of the innermost frame that isn't PyTorch's machinery."""
    frame = sys._getframe(1)
    while frame is not None:
        path, function = frame.f_code.co_filename, frame.f_code.co_name
        inside = path.split("site-packages/")[-1]
        machinery = path == __file__ or inside.startswith(_MACHINERY)
        if not machinery and function not in ("<genexpr>", "<listcomp>", "<dictcomp>"):
            return f"{'/'.join(Path(path).parts[-2:])} {function}"
        frame = frame.f_back
    return "autograd's thread"


def with_accelerator(function: Callable[..., Any], *args: Any, timeout: float = 240) -> Any:
    """Call ``function(accelerator, *args)`` in a fresh process that has the device ``NAME``.

    Args:
        function: At the top level of a test module. Inside it, the device is watched.
        *args: Picklable.
        timeout: Seconds.

    Returns:
        What it returns: numbers, strings, tensors; lists and dicts of them.
    """
    if not hasattr(backend_registration, "_setup_privateuseone_for_python_backend"):
        pytest.skip(f"PyTorch {torch.__version__} can't register a device in Python alone")
    return run_distributed(_call, 1, function, *args, timeout=timeout)[0]


def _call(rank: int, world_size: int, function: Callable[..., Any], *args: Any) -> Any:
    _register()
    with Accelerator() as accelerator, Autocast():
        return function(accelerator, *args)


def _register() -> None:
    """Make the device known to this process, for the rest of its life."""
    answers = dict(
        is_available=lambda: True,
        is_initialized=lambda: True,
        current_device=lambda: 0,
        device_count=lambda: 1,
        get_amp_supported_dtype=lambda: [torch.float16, torch.bfloat16],
        manual_seed_all=lambda seed: None,
        _is_in_bad_fork=lambda: False,
    )
    FakeTensor.tolist = lambda self: self.cpu().tolist()  # its own reads number by number
    module = ModuleType(f"torch.{NAME}")
    vars(module).update(answers)
    backend_registration._setup_privateuseone_for_python_backend(NAME, module)
    _register.library = torch.library.Library("_", "IMPL")  # it lives as long as this refers to it
    _register.library.fallback(torch.library.fallthrough_kernel, "AutocastPrivateUse1")
