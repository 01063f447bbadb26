"""tools/prepare_folder.py as a user calls it, up to a trained and tested network."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.fake_images import write_images
from helpers.paths import TOOLS
from helpers.tools import load_tool, run_tool
from mmengine.config import Config

from mmreid_ext.datasets.synthetic import make_synthetic_domains


@pytest.fixture
def photos(tmp_path):
    names = [f"p{person}/{n}.jpg" for person in range(6) for n in range(4)]
    return write_images(tmp_path / "photos", *names)


def test_it_says_what_it_found_and_what_comes_next(photos, tmp_path, monkeypatch, capsys):
    run_tool("prepare_folder", monkeypatch, photos, "--out", tmp_path / "out", "--model", "r50")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "pictures    one folder per person"
    assert len(lines) <= 12
    command = lines[-1].removeprefix("next        ").split()
    assert Path(command[1]).resolve() == TOOLS / "train.py"
    assert command[2] == str(tmp_path / "out" / "config.py")
    cfg = Config.fromfile(command[2])
    assert cfg.model.backbone.depth == 50 and cfg.model.head.num_classes == 4


@pytest.mark.parametrize(
    "arguments, message",
    [
        ([], "annotations.csv and config.py already"),
        (["--overwrite", "--test-share", "2"], "--test-share 2: must be from 0"),
        (["--overwrite", "--layout", "mot"], "no gt/gt.txt"),
    ],
)
def test_errors_are_one_line(photos, tmp_path, monkeypatch, capsys, arguments, message):
    out = tmp_path / "out"
    run_tool("prepare_folder", monkeypatch, photos, "--out", out)
    capsys.readouterr()
    with pytest.raises(SystemExit) as exit:
        run_tool("prepare_folder", monkeypatch, photos, "--out", out, *arguments)
    text = str(exit.value.code)
    assert message in text and "Traceback (" not in text


def test_progress_is_for_many_files(capsys):
    tool = load_tool("prepare_folder")
    for done in range(1, 101):
        tool.show_progress(done, 100)
    assert capsys.readouterr().err == ""
    for done in range(1, 1001):
        tool.show_progress(done, 1000)
    assert len(capsys.readouterr().err.splitlines()) == 10


def test_help_loads_no_pytorch():
    code = (
        "import sys, runpy; sys.argv = ['x', '--help']\n"
        "try: runpy.run_path(sys.path.pop(0), run_name='__main__')\n"
        "except SystemExit: pass\n"
        "print('torch' in sys.modules)"
    )
    code = f"import sys; sys.path.insert(0, {str(TOOLS / 'prepare_folder.py')!r})\n{code}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1:] == ["False"], done.stderr


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Eight drawn people with pictures by two cameras."""
    root = make_synthetic_domains(
        tmp_path_factory.mktemp("drawn"), 1, 8, num_cameras=2, images_per_camera=2, size=(64, 32)
    )
    folder = tmp_path_factory.mktemp("photos")
    for path in sorted(root.rglob("*.jpg")):
        shutil.copy(path, folder / path.name)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("cameras", ["cameras", "no cameras"])
def test_drawn_people_become_results(drawn, cameras, tmp_path, monkeypatch, capsys):
    lines = ["file,person,camera"]
    for path in sorted(drawn.iterdir()):  # 0001_c1s1_000001_00.jpg
        camera = path.name[6] if cameras == "cameras" else ""
        lines.append(f"{path},p{path.name[:4]},{camera}")
    source = tmp_path / "list.csv"
    source.write_text("\n".join(lines))
    out = tmp_path / "out"
    run_tool("prepare_folder", monkeypatch, source, "--out", out, "--from-scratch")
    assert "a person is to be found in " in capsys.readouterr().out
    options = ["train_dataloader.num_workers=0",
               "train_dataloader.persistent_workers=False", "val_dataloader.num_workers=0",
               "val_dataloader.persistent_workers=False"]  # fmt: skip
    run_tool("train", monkeypatch, out / "config.py", "--iters", 2, "--cfg-options", *options)
    said = "".join(capsys.readouterr())
    assert "has no effect" not in said and "no image has a camera" not in said
    checkpoint = out / "run" / "iter_2.pth"
    assert checkpoint.is_file()
    options = [option.replace("val_data", "test_data") for option in options[2:]]
    results = tmp_path / "results.json"
    run_tool(
        "test", monkeypatch, out / "config.py", checkpoint, "--out", results,
        "--cfg-options", *options,
    )  # fmt: skip
    document = json.loads(results.read_text())
    (test_set,) = document["test_sets"].values()
    assert test_set["protocol"]["use_cameras"] == (cameras == "cameras")
    assert 0 <= document["metrics"]["out/mAP"] <= 100
