"""What a built package contains, and that the files around the code agree with one another."""

import ast
import re
import runpy
import shutil
import subprocess
import sys

import pytest
import setuptools
from helpers.paths import ROOT
from helpers.tools import run_python

PACKAGE = "mmreid_ext"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The package as it would be put into a wheel, built from a copy of the sources."""
    source = tmp_path_factory.mktemp("source") / "repository"
    ignored = shutil.ignore_patterns(
        *(".git", ".venv*", ".mim", ".*_cache"),
        *("__pycache__", "work_dirs", "data", "build", "*.egg-info"),
    )
    shutil.copytree(ROOT, source, ignore=ignored)
    (source / "README.md").touch()
    target = source.parent / "built"
    for command in (
        ["build_py", "--build-lib", str(target)],
        ["egg_info", "-e", str(source.parent)],
    ):
        subprocess.run([sys.executable, "setup.py", "-q", *command], cwd=source, check=True)
    return target


def metadata_given(monkeypatch):
    """What ``setup.py`` tells setuptools."""
    given = {}
    monkeypatch.setattr(setuptools, "setup", lambda **options: given.update(options))
    runpy.run_path(str(ROOT / "setup.py"))
    return given


@pytest.mark.parametrize(
    "variables",
    [
        {"MMREID_REPOSITORY": "https://example.org/us/reid/"},
        {"GITHUB_SERVER_URL": "https://example.org", "GITHUB_REPOSITORY": "us/reid"},
    ],
)
def test_links_of_a_published_readme_lead_into_the_repository(variables, monkeypatch):
    """On the page of a package index nothing lies beside it."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    given = metadata_given(monkeypatch)
    text, tag = given["long_description"], f"v{given['version']}"
    assert given["url"] == "https://example.org/us/reid"
    assert f"](https://example.org/us/reid/raw/{tag}/docs/images/ranked_list.png)" in text
    assert f"](https://example.org/us/reid/blob/{tag}/docs/metabin.md)" in text
    assert re.findall(r"\]\((?!https://|#)[^)]*\)", text) == []
    # Nothing but the addresses has changed, and links to elsewhere stay.
    back = re.sub(r"https://example.org/us/reid/(raw|blob)/v[\d.]+/", "", text)
    assert back == (ROOT / "README.md").read_text()


def test_without_an_address_the_readme_is_the_file(monkeypatch):
    for name in ("MMREID_REPOSITORY", "GITHUB_SERVER_URL", "GITHUB_REPOSITORY"):
        monkeypatch.delenv(name, raising=False)
    given = metadata_given(monkeypatch)
    assert given["long_description"] == (ROOT / "README.md").read_text()
    assert given["url"] is None


def test_a_source_distribution_holds_the_whole_repository(built):
    """Documents, configurations, tools, tests and what these need: whoever has it can run all."""
    asked = ["git", "ls-files", "-z"]
    listed = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("this is no clone")
    tracked = {name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()}
    shipped = (built.parent / f"{PACKAGE}.egg-info" / "SOURCES.txt").read_text().splitlines()
    assert sorted(tracked - set(shipped)) == []
    assert [name for name in shipped if "/.mim/" in name or name.endswith(".pyc")] == []


def test_one_top_level_package(built):
    """OpenMIM takes the first line of top_level.txt."""
    top_level = built.parent / f"{PACKAGE}.egg-info" / "top_level.txt"
    assert top_level.read_text().split() == [PACKAGE]
    assert [path.name for path in built.iterdir()] == [PACKAGE]


def test_every_file_of_the_package_is_shipped(built):
    """Modules (an ``__init__.py`` is easily forgotten) and data files alike."""

    def shipped(folder):
        return {
            str(path.relative_to(folder))
            for path in folder.rglob("*")
            if path.is_file() and not {"__pycache__", ".mim"} & set(path.relative_to(folder).parts)
        }

    assert shipped(ROOT / PACKAGE) - shipped(built / PACKAGE) == set()


def test_the_types_are_announced(built):
    """Without ``py.typed`` mypy takes everything of an installed package for Any."""
    assert (built / PACKAGE / "py.typed").is_file()


def test_mim_folder_is_shipped(built):
    mim = built / PACKAGE / ".mim"
    for name in ("configs", "tools"):
        expected = {
            path.relative_to(ROOT)
            for path in (ROOT / name).rglob("*")
            if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pth"
        }
        assert {path for path in expected if not (mim / path).is_file()} == set()
    assert (mim / "model-index.yml").is_file()
    assert (mim / "tools" / "dist_train.sh").stat().st_mode & 0o100  # still executable


def test_configs_are_found_by_the_name_that_mim_search_shows(built):
    configs = built / PACKAGE / ".mim" / "configs"
    names = [path.stem for path in (ROOT / "configs").glob("*.py")]
    assert names and all((configs / name).is_file() for name in names)


def test_mm_packages_are_no_hard_requirement(built):
    """A hard mmengine requirement would put upstream over an OneDL installation."""
    requires = (built.parent / f"{PACKAGE}.egg-info" / "requires.txt").read_text()
    hard, *extras = re.split(r"\n(?=\[)", "\n" + requires)
    assert "numpy" in hard and not re.search(r"(?m)^(mm|onedl|torch)", hard)
    for name in ("[mim]", "[mminstall]"):
        (extra,) = (part for part in extras if part.startswith(name))
        assert {"mmengine", "mmpretrain", "mmcv-lite"} <= set(re.findall(r"(?m)^[\w-]+", extra))


MODULES = {
    "faiss-cpu": "faiss",
    "httptools": "uvicorn",  # which uses it where it is there
    "mmcv-lite": "mmcv",
    "myst-parser": "myst_parser",
    "opencv-python": "cv2",
    "pillow": "PIL",
    "pillow-heif": "pillow_heif",
    "prometheus-client": "prometheus_client",
    "python-multipart": "python_multipart",
    "scikit-learn": "sklearn",
    "sphinx-copybutton": "sphinx_copybutton",
    "tensorboard": "torch.utils.tensorboard",
}


def _source(*folders: str) -> str:
    """Text of all Python files of these folders, and of ``setup.py``."""
    files = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return "\n".join(path.read_text(encoding="utf-8") for path in [*files, ROOT / "setup.py"])


def test_every_required_package_is_used(built):
    """Package, tools or examples import it; for ``dev``, tests or the site do, or checks run it."""
    requires = (built.parent / f"{PACKAGE}.egg-info" / "requires.txt").read_text()
    scripts = (ROOT / "tools" / "run_tests.sh", *(ROOT / ".ci").iterdir())
    commands = "\n".join(path.read_text() for path in scripts if path.is_file())
    commands = commands.replace('"-m", "', "-m ")
    site = (ROOT / "docs" / "conf.py").read_text()  # names its extensions and its theme
    unused = []
    for part in re.split(r"\n(?=\[)", requires):
        extra = re.match(r"\[(.+)\]", part)
        dev = extra is not None and extra[1] == "dev"
        text = _source(PACKAGE, "tools", "examples", *(["tests", "docs"] if dev else []))
        for name in re.findall(r"(?m)^[A-Za-z][\w-]*", part):
            module = MODULES.get(name, name)
            imported = rf"(?m)^\s*(import|from) {module}\b|importorskip\(\"{module}\b"
            imported += rf"|_PACKAGE = \"{module}\""  # imported by this name where it is needed
            imported += rf"|\b(optional|engine_package|import_module)\(\"{module}\"\)"
            run = "--dist " if name == "pytest-xdist" else f"-m {module}"
            if not re.search(imported, text) and not (
                dev and (run in commands or f'"{module}"' in site)
            ):
                unused.append((extra and extra[1], name))
    assert not unused


def test_every_requirements_file_is_read():
    """By ``setup.py``, by another such file, or by the script that makes the environment."""
    sources = [ROOT / "setup.py", ROOT / "tools" / "_venv.sh"]
    files = sorted((ROOT / "requirements").glob("*.txt"))
    text = "\n".join(path.read_text() for path in [*sources, *files])
    for path in files:
        readers = (
            f'read_requirements("{path.stem}")',
            f"-r {path.name}",
            f"$root/requirements/{path.name}",
        )
        assert any(reader in text for reader in readers), f"nobody reads {path.name}"


def test_every_pattern_of_the_packaging_matches_a_file():
    call = ast.parse((ROOT / "setup.py").read_text()).body[-1].value
    (data,) = (keyword.value for keyword in call.keywords if keyword.arg == "package_data")
    patterns = [f"{PACKAGE}/{ast.literal_eval(item)}" for item in data.values[0].elts]
    for line in (ROOT / "MANIFEST.in").read_text().splitlines():
        command, *words = line.split()
        if command == "include":
            patterns += words
        elif command == "graft":
            patterns += [f"{word}/**/*.*" for word in words]
        elif command == "recursive-include":
            patterns += [f"{words[0]}/**/{word}" for word in words[1:]]
        else:  # what leaves files out may name files that only a build or a run makes
            assert command in ("prune", "global-exclude"), line
    assert len(patterns) > 10
    assert [pattern for pattern in patterns if not any(ROOT.glob(pattern))] == []


def test_every_marker_is_used():
    lines = re.search(r"(?s)\nmarkers = \[(.+?)\n\]", (ROOT / "pyproject.toml").read_text())[1]
    tests = _source("tests")
    for marker in re.findall(r'"(\w+):', lines):
        assert f"mark.{marker}" in tests, f"no test is marked {marker}"


def test_extra_and_environment_check_agree():
    """The bounds that pip is given are those that the import insists on."""
    from mmreid_ext.compat import REQUIREMENTS

    lines = (ROOT / "requirements" / "mim.txt").read_text().splitlines()
    given = dict(re.match(r"([\w-]+)(.*)", line).groups() for line in lines if line[0] != "#")
    normal = {name: re.sub(r"(\.0)+(?=,|$)", "", bounds) for name, bounds in given.items()}
    checked = {r.names[0]: re.sub(r"(\.0)+(?=,|$)", "", r.bounds) for r in REQUIREMENTS}
    normal["setuptools"] = normal["setuptools"].removeprefix(">=77.0.3,")  # an older one may stay
    assert normal == {name: checked[name] for name in normal}
    assert set(normal) >= {"mmengine", "mmpretrain", "mmcv-lite"}


def test_every_source_file_parses_as_python_310():
    for path in (ROOT / PACKAGE).rglob("*.py"):
        ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 10))


def test_version_is_written_once():
    from mmreid_ext import __version__

    assert f"version: {__version__}\n" in (ROOT / "CITATION.cff").read_text()


@pytest.mark.parametrize("tool, files", [("ruff", 3), ("mypy", 2)])
def test_version_of_a_checking_tool_is_the_same_everywhere(tool, files):
    names = ("requirements/lock.txt", "requirements/dev.txt", ".pre-commit-config.yaml")[:files]
    found = [re.findall(rf"\b{tool}==([\d.]+)", (ROOT / name).read_text()) for name in names]
    assert len({version for versions in found for version in versions}) == 1
    assert all(found)


def test_lock_is_exact_and_names_no_machine():
    lines = (ROOT / "requirements" / "lock.txt").read_text().splitlines()
    lines = [line for line in lines if line and not line.startswith("#")]
    for line in lines:
        assert re.fullmatch(r"[\w.-]+={2,3}[\w.]+( ; .+)?", line), line
    names = [line.partition("==")[0].lower() for line in lines]
    assert names == sorted(names)


@pytest.mark.parametrize(
    "script", sorted((ROOT / "tools").glob("*.sh")), ids=lambda path: path.name
)
def test_shell_script_parses(script):
    subprocess.run(["bash", "-n", str(script)], check=True)


def test_unsupported_python_is_explained(tmp_path):
    """A machine without any Python that fits: the message says which do."""
    result = subprocess.run(
        ["bash", str(ROOT / "tools" / "run_tests.sh")],
        env={
            "PATH": "/usr/bin:/bin",
            "PYTHON": "no-such-python",
            "MMREID_VENV": str(tmp_path / "v"),
        },
        capture_output=True,
        text=True,
    )
    assert result.returncode != 0
    assert "No Python 3.10 to 3.13 found" in result.stderr
    assert not (tmp_path / "v").exists()


def test_importing_the_package_loads_nothing_heavy():
    """Whoever imports it for one room pays for that room only."""
    done = run_python(f"import sys, {PACKAGE}; print(*sys.modules)")
    assert done.returncode == 0, done.stderr
    assert {"numpy", "torch", "mmengine", "cv2"} & set(done.stdout.split()) == set()
