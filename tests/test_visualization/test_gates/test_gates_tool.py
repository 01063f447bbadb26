"""The command line: a checkpoint, a training, a log."""

import json

import pytest
from helpers.tools import run_tool


def test_a_checkpoint_and_a_training(training, monkeypatch, capsys):
    run_tool("visualize_gates", monkeypatch, training / "iter_10.pth")
    assert (training / "gates.png").read_bytes().startswith(b"\x89PNG")
    out, data = training / "all.svg", training / "all.json"
    run_tool("visualize_gates", monkeypatch, training, "--out", out, "--data", data)
    assert len(json.loads(data.read_text())) == 9, "three layers of three checkpoints"
    assert capsys.readouterr().out.count("Written: ") == 3


def test_the_log_where_checkpoints_are_gone(training, monkeypatch, capsys):
    line = {"step": 5, "iter": 5, "gate/stem/mean": 0.9, "gate/layer1/mean": 0.8}
    (training / "T" / "vis_data").mkdir(parents=True)
    (training / "T" / "vis_data" / "scalars.json").write_text(json.dumps(line))
    out = training / "log.svg"
    for number in (10, 20):
        (training / f"iter_{number}.pth").unlink()
    for more in ((), ("--log",)):
        run_tool("visualize_gates", monkeypatch, training, "--out", out, *more)
        assert "Over the training" in plain(out.read_text())
        out.unlink()
    (training / "iter_30.pth").unlink()
    run_tool("visualize_gates", monkeypatch, training, "--out", out, "--log")
    assert "Over the layers" not in plain(out.read_text())
    with pytest.raises(SystemExit, match="--data: .* has no checkpoint"):
        run_tool(
            "visualize_gates", monkeypatch, training, "--log", "--data", out.with_suffix(".csv")
        )
    with pytest.raises(SystemExit, match="no checkpoint iter_N.pth"):
        run_tool("visualize_gates", monkeypatch, training)


def plain(svg):
    """Words of an SVG: Matplotlib draws text as paths and keeps it in a comment."""
    return "\n".join(line for line in svg.splitlines() if line.strip().startswith("<!--"))
