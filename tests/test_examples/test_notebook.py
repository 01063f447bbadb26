"""The notebook runs from the first cell to the last, and its command lines end well."""

import json

import numpy as np
from helpers.notebook import run_cells
from helpers.paths import ROOT

NOTEBOOK = ROOT / "examples" / "from_pictures_to_a_model.ipynb"


def test_it_holds_no_output():
    document = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert (document["nbformat"], len(document["cells"]) > 15) == (4, True)
    code = [cell for cell in document["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    ids = [cell["id"] for cell in document["cells"]]
    assert len(set(ids)) == len(ids), "format 4.5 asks for them"


def test_cells_run_in_order(tmp_path, monkeypatch, capsys):
    (tmp_path / "tools").symlink_to(ROOT / "tools")
    (tmp_path / "examples").mkdir()
    monkeypatch.chdir(tmp_path / "examples")
    monkeypatch.setenv("MMREID_DATA_ROOT", str(tmp_path))
    names = run_cells(NOTEBOOK, monkeypatch)
    assert [data[:4] for data in names["shown"]] == [b"\x89PNG"] * 3
    embeddings = names["embeddings"]
    assert embeddings.shape == (48, 128)
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-5)
    results = json.loads((names["WORK"] / "results.json").read_text())
    assert results["metrics"]
    assert (names["WORK"] / "ranks").is_dir() and "12 people" in capsys.readouterr().out
