"""Names the stacks: which Python, what is installed, and which tests run."""

from __future__ import annotations

from dataclasses import dataclass

CONFIGS = ("metabin_r18_synthetic", "strong_baseline_r18_market150")
QUICK = (
    *("-m", "not slow"),
    *(f"tests/test_configs.py::test_one_step_and_one_evaluation[{name}]" for name in CONFIGS),
    "tests/test_apis/test_host/test_cam.py",
    "tests/test_apis/test_host/test_retriever.py",
    "tests/test_apis/test_inferencer.py",
    "tests/test_checkpoint/test_mmengine_io.py",
    "tests/test_checkpoint/test_safe_load.py",
    "tests/test_compat",
    "tests/test_datasets/test_samplers/test_pk_sampler.py",
    "tests/test_engine/test_metabin/test_metabin_loop.py",
    "tests/test_engine/test_resume.py",
    "tests/test_evaluation/test_reid_metric.py",
    "tests/test_evaluation/test_retrieval/test_re_ranking/test_k_reciprocal.py",
    "tests/test_export/test_writers.py",
    "tests/test_models/test_losses/test_batch_hard_triplet.py",
    "tests/test_models/test_norms/test_batch_instance_norm.py",
    "tests/test_models/test_norms/test_norm_export.py",
    "tests/test_models/test_reid_model.py",
    "tests/test_registry.py",
)
"""One of everything that other packages carry: two to three minutes on one core."""

FROM_THE_PACKAGE = (
    "tests/test_mim.py",
    "tests/test_config_headers.py",
    "tests/test_model_index.py",
    "tests/test_package.py",
    "tests/test_registry.py",
)
"""What an unpacked source distribution and an installed wheel are asked."""

TESTING = ("pytest>=9", "onnx", "onnxruntime", "onnxscript", "scikit-learn")
HERE = ("-r", "requirements/runtime.txt", *TESTING)


@dataclass(frozen=True)
class Stack:
    """A set of versions.

    Args:
        name: On the command line and in the table.
        pythons: Versions of CPython that it may run on, the first choice first.
        install: What pip is given, in one call; files of requirements are those of the repository.
        newest: Look for newer versions whenever it is tested.
        tests: Arguments of pytest.
        packaged: Build the source distribution, a wheel from it, install that, and test in the
            unpacked source distribution.
    """

    name: str
    pythons: tuple[str, ...]
    install: tuple[str, ...]
    newest: bool = False
    tests: tuple[str, ...] = QUICK
    packaged: bool = False


STACKS = (
    Stack("lock", ("3.11",), ("-r", "requirements/lock.txt")),
    Stack(
        "upstream-newest",
        ("3.13", "3.12"),
        ("torch", "torchvision", "grad-cam", "-r", "requirements/mim.txt", *HERE),
        newest=True,
    ),
    Stack(
        "onedl-newest",
        ("3.13", "3.12"),
        (
            *("torch", "torchvision", "onedl-mmengine", "onedl-mmcv", "onedl-mmpretrain"),
            *("setuptools", *HERE),
        ),
        newest=True,
    ),
    Stack(
        "upstream-oldest",
        ("3.10",),
        (
            *("torch==2.1.0", "torchvision==0.16.0", "numpy<2"),  # compiled for NumPy 1
            *("mmengine==0.10.4", "mmcv-lite==2.0.0", "mmpretrain==1.0.0", *HERE),
        ),
    ),
    Stack(
        "package",
        ("3.12", "3.11"),
        ("torch", "torchvision", "openmim", "setuptools>=77.0.3,<81", "pytest>=9"),
        tests=FROM_THE_PACKAGE,
        packaged=True,
    ),
)
NAMES = tuple(stack.name for stack in STACKS)
