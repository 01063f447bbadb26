"""The workflows parse, ask for no more than they need, and start what exists."""

import re

import pytest
import yaml
from helpers.paths import ROOT
from helpers.tools import load_script

FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def workflow(path):
    content = yaml.safe_load(path.read_text())
    return {"on" if key is True else key: value for key, value in content.items()}  # YAML 1.1


def steps(path):
    for job in workflow(path)["jobs"].values():
        yield from ((job, step) for step in job["steps"])


def chosen(job, text):
    """A text with each value of the job's matrix in its place."""
    texts = [text]
    for name, values in job.get("strategy", {}).get("matrix", {}).items():
        place = re.compile(rf"\$\{{\{{ matrix\.{name} \}}\}}")
        texts = [place.sub(str(value), one) for one in texts for value in values]
    assert not any("matrix." in one for one in texts), text
    return texts


@pytest.fixture(scope="module")
def names_of_stacks():
    return load_script(ROOT / "tools" / "stacks" / "stacks_parts" / "definitions.py").NAMES


def test_there_are_workflows():
    assert len(FILES) >= 2


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_workflow_asks_for_little(path):
    content = workflow(path)
    assert content["permissions"] == {"contents": "read"}
    assert content["concurrency"]["group"] and content["on"]
    for job in content["jobs"].values():
        assert job["timeout-minutes"] <= 60 and "permissions" not in job
        for step in job["steps"]:
            assert set(step) & {"run", "uses"}
            assert re.fullmatch(r"actions/[\w-]+@v\d+", step.get("uses", "actions/none@v1"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_a_workflow_starts_exists(path, names_of_stacks):
    started = [(job, line) for job, step in steps(path) for line in step.get("run", "").split("\n")]
    for job, line in started:
        for command in chosen(job, line):
            for script in re.findall(r"(?<![\w/.-])((?:tools|\.ci|docs)/[\w./-]+)", command):
                assert (ROOT / script).is_file(), command
            assert command == "" or re.match(r"bash \S+/\S+", command), "steps start scripts"
            for name in re.findall(r"--only (\S+)", command):
                assert name in names_of_stacks, command


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_files_of_a_cache_exist(path):
    named = [step.get("with", {}).get("cache-dependency-path") for _, step in steps(path)]
    assert [name for name in named if name and not (ROOT / name).is_file()] == []


def test_every_python_that_is_promised_is_tested():
    matrix = workflow(ROOT / ".github" / "workflows" / "ci.yml")["jobs"]["tests"]["strategy"]
    promised = re.findall(r"Python :: (3\.\d+)", (ROOT / "setup.py").read_text())
    assert matrix["matrix"]["python"] == promised
    shell = (ROOT / "tools" / "_venv.sh").read_text()
    lowest, highest = re.search(r"\(3, (\d+)\) <= .* <= \(3, (\d+)\)", shell).groups()
    assert [f"3.{lowest}", f"3.{highest}"] == [promised[0], promised[-1]]


def test_every_stack_is_in_a_workflow(names_of_stacks):
    """All but the lock file's, which the whole suite runs with."""
    text = "\n".join(path.read_text() for path in FILES)
    assert [name for name in names_of_stacks if name != "lock" and name not in text] == []
