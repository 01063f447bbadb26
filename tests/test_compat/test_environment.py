"""Which environments are refused, when, and with which remedy."""

import sys
from pathlib import Path

import pytest
from helpers.tools import run_python

from mmreid_ext.compat import UnsupportedEnvironmentError, check_environment, find_problems
from mmreid_ext.compat.environment import NEED_ALL

SUPPORTED = {
    "torch": "2.11.0+cpu",
    "torchvision": "0.26.0",
    "mmengine": "0.10.7",
    "mmcv-lite": "2.2.0",
    "mmpretrain": "1.2.0",
    "numpy": "2.3.5",
    "setuptools": "80.9.0",
}
ONEDL = {
    "torch": "2.10.0",
    "torchvision": "0.25.0",
    "onedl-mmengine": "0.10.12",
    "onedl-mmcv": "2.3.6.post1",
    "onedl-mmpretrain": "1.3.6",
    "numpy": "2.4.6",
    "setuptools": "84.2.1",
}


@pytest.mark.parametrize("stack", [SUPPORTED, ONEDL], ids=["upstream", "onedl"])
def test_supported_stacks_pass_without_a_word(stack):
    assert find_problems(stack.get, (3, 11, 7)) == ([], [])


@pytest.mark.parametrize(
    ("package", "version", "needed"),
    [
        ("torch", "2.0.1", ">=2.1"),
        ("torchvision", "0.15.2", ">=0.16"),
        ("mmengine", "0.8.3", ">=0.10.4,<1.0"),
        ("mmengine", "1.0.0", ">=0.10.4,<1.0"),
        ("mmcv-lite", "1.7.2", ">=2.0,<2.4"),
        ("mmcv-lite", "2.4.0", ">=2.0,<2.4"),
        ("mmpretrain", "2.0.0rc1", ">=1.0,<2.0"),
    ],
)
def test_unsupported_version_is_named_with_remedy(package, version, needed):
    errors, _ = find_problems({**SUPPORTED, package: version}.get, (3, 11, 7))
    assert len(errors) == 1
    assert f"{package} {version} is installed; {needed} is needed" in errors[0]
    assert f'pip install "{package}{needed}"' in errors[0]


def test_missing_package_names_every_distribution_that_provides_it():
    stack = {k: v for k, v in SUPPORTED.items() if k != "mmcv-lite"}
    (error,), _ = find_problems(stack.get, (3, 11, 7))
    assert "mmcv-lite or mmcv or onedl-mmcv is not installed" in error
    assert 'pip install "mmcv-lite>=2.0,<2.4"' in error


def test_old_python_is_named():
    (error,), _ = find_problems(SUPPORTED.get, (3, 9, 18))
    assert "Python 3.9.18 is running; >=3.10 is needed" in error


def test_limits_that_break_only_a_neighbour_warn():
    errors, warned = find_problems(
        {**SUPPORTED, "numpy": "2.4.0", "setuptools": "84.2.1"}.get, (3, 11, 7)
    )
    assert errors == []
    assert ["numpy 2.4.0" in warned[0], "setuptools 84.2.1" in warned[1]] == [True, True]
    assert "in1d" in warned[0] and "pkg_resources" in warned[1]


@pytest.fixture
def own_finders(monkeypatch):
    """What the check adds to Python's import is gone afterwards."""
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))


@pytest.mark.usefixtures("own_finders")
def test_a_room_that_needs_them_lists_all_problems(monkeypatch):
    versions = {**SUPPORTED, "torch": "1.13.1", "mmengine": "0.7.0"}
    monkeypatch.setattr("mmreid_ext.compat.environment._installed_version", versions.get)
    check_environment()
    for room in NEED_ALL:
        with pytest.raises(UnsupportedEnvironmentError) as caught:
            sys.meta_path[0].find_spec(room)
        assert room in str(caught.value)
        assert "torch 1.13.1" in str(caught.value) and "mmengine 0.7.0" in str(caught.value)
        assert "mmreid_ext.deploy" in str(caught.value)
    assert sys.meta_path[0].find_spec("mmreid_ext.deploy") is None
    monkeypatch.setattr("mmreid_ext.compat.environment._installed_version", SUPPORTED.get)
    count = len(sys.meta_path)
    check_environment()
    assert len(sys.meta_path) == count - 1  # packages that were put right are noticed


@pytest.mark.usefixtures("own_finders")
def test_an_old_python_stops_everything(monkeypatch):
    monkeypatch.setattr("mmreid_ext.compat.environment._installed_version", SUPPORTED.get)
    monkeypatch.setattr(sys, "version_info", (3, 9, 18, "final", 0))
    with pytest.raises(UnsupportedEnvironmentError, match=r"mmreid_ext cannot .*\n.*Python 3\.9"):
        check_environment()


WITHOUT_TORCH = """
import importlib.metadata as metadata, sys

NAMES = ("torch", "torchvision", "mmengine", "mmcv", "mmcv-lite", "mmpretrain")
version = metadata.version

def without(name):
    if name in NAMES:
        raise metadata.PackageNotFoundError(name)
    return version(name)

metadata.version = without
sys.modules.update(dict.fromkeys(NAMES))  # an import of one of them fails
import mmreid_ext, mmreid_ext.deploy, mmreid_ext.cli.errors
from mmreid_ext.errors import UserError
for room in sys.argv[1:]:
    try:
        __import__(room)
        print("imported", room)
    except UserError as error:
        print(type(error).__name__, "pip install" in str(error))
"""


def test_without_torch_the_rooms_for_exported_models_work():
    """And the others say what to install, before Python says that there is no torch."""
    rooms = [*sorted(NEED_ALL), "mmreid_ext.models.heads"]
    ran = run_python(WITHOUT_TORCH, *rooms)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines() == ["UnsupportedEnvironmentError True"] * len(rooms)


def test_the_rooms_that_need_them_are_the_floors_above_deploy():
    from test_import_graph import FLOORS

    names = [sorted(floor) for floor in FLOORS]
    above = set().union(*FLOORS[names.index(["deploy"]) + 1 :])
    assert {f"mmreid_ext.{room}" for room in above - {"compat", "cli"}} == NEED_ALL


def test_check_environment_imports_nothing():
    """The check must come before the imports that it explains."""
    code = (
        "import sys, importlib.util as u\n"
        "s = u.spec_from_file_location('environment', sys.argv[1]); m = u.module_from_spec(s)\n"
        "sys.modules['environment'] = m; s.loader.exec_module(m); m.check_environment()\n"
        "print([n for n in ('torch', 'mmengine', 'mmcv', 'mmpretrain') if n in sys.modules])"
    )
    path = Path(sys.modules[check_environment.__module__].__file__)
    ran = run_python(code, str(path))
    assert ran.stdout.strip() == "[]", ran.stderr
