"""Numbers of the gates, by hand."""

import csv
import json

import pytest

from mmreid_ext.errors import UserError
from mmreid_ext.visualization.gates import read_gates
from mmreid_ext.visualization.gates.numbers import write_layer_rows

EXPECTED = dict(
    checkpoint="iter_5.pth",
    at=5,
    layer="backbone.layer1.0.bn1",
    stage="layer1",
    channels=5,
    mean=0.5,
    min=0.0,
    p05=0.05,
    p25=0.25,
    p50=0.5,
    p75=0.75,
    p95=0.95,
    max=1.0,
    at_0=0.2,
    at_1=0.2,
)


def test_rows_as_json_and_csv(tmp_path, write_gates):
    values = [0.0, 0.25, 0.5, 0.75, 1.0]
    gates = read_gates(write_gates(tmp_path / "iter_5.pth", {"backbone.layer1.0.bn1": values}))
    write_layer_rows(tmp_path / "new" / "a.json", [gates, gates])
    rows = json.loads((tmp_path / "new" / "a.json").read_text())
    assert len(rows) == 2 and rows[0] == pytest.approx(EXPECTED)
    write_layer_rows(tmp_path / "a.csv", [gates])
    with open(tmp_path / "a.csv", newline="") as file:
        (row,) = csv.DictReader(file)
    assert list(row) == list(EXPECTED)
    numbers = {key: float(row[key]) for key in row if isinstance(EXPECTED[key], float)}
    assert numbers == pytest.approx({key: EXPECTED[key] for key in numbers})
    with pytest.raises(UserError, match="must end with .csv or .json"):
        write_layer_rows(tmp_path / "a.txt", [gates])
