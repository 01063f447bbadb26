"""The package of the evaluation imports a name when it is asked for."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import mmreid_ext.evaluation as evaluation


@pytest.mark.parametrize("name", evaluation.__all__)
def test_every_name_is_there(name):
    assert getattr(evaluation, name).__name__ == name


def test_the_three_lists_agree():
    body = ast.parse(Path(evaluation.__file__).read_text()).body
    (block,) = [node for node in body if isinstance(node, ast.If)]
    typed = {alias.name: "." * n.level + n.module for n in block.body for alias in n.names}
    assert typed == evaluation._HOMES and sorted(typed) == sorted(evaluation.__all__)


def test_unknown_names_are_refused():
    with pytest.raises(AttributeError, match="has no attribute 'evaluate_sett'"):
        evaluation.evaluate_sett  # noqa: B018


def test_settings_and_results_need_no_pytorch():
    code = (
        "import sys; from mmreid_ext.evaluation import read_results, write_results; "
        "import mmreid_ext.evaluation.retrieval.settings; "
        "import mmreid_ext.evaluation.results.comparison; "
        "print({'torch', 'mmengine', 'scipy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stdout + done.stderr
