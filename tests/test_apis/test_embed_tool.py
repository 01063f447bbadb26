"""tools/embed.py: from a folder to a features file, also by several ranks and after an end."""

import os
import sys

import numpy as np
import pytest
from helpers.distributed import run_distributed
from helpers.small_checkpoint import write_small_checkpoint
from helpers.tools import load_tool, run_tool

from mmreid_ext.apis import ReIDInferencer
from mmreid_ext.evaluation.results.features_file import load_features


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("embed_tool")
    write_small_checkpoint(folder)
    return folder


def embed(monkeypatch, *arguments):
    run_tool("embed", monkeypatch, *arguments, "--device", "cpu", "--workers", "1")


def test_a_folder_becomes_a_features_file(folder, monkeypatch, capsys, tmp_path):
    out = tmp_path / "f.npz"
    embed(monkeypatch, folder / "model.pth", folder, "--out", out)
    stored, notes = load_features(out)
    paths = [folder / name for name in stored.names]
    assert paths == sorted(folder.glob("*.png"))
    expected = ReIDInferencer(folder / "model.pth", device="cpu")(paths)
    assert np.array_equal(np.asarray(stored.feats), expected.numpy())
    assert "model.pth" in notes["checkpoint"] and '"height": 16' in notes["use"]
    assert os.listdir(tmp_path) == ["f.npz"], "no part is left"
    said = capsys.readouterr().out
    assert f"Written: {out}, {len(paths)} embeddings of 4 numbers" in said
    assert "next: python tools/search.py" in said


def test_unreadable_pictures_are_listed_and_told_by_the_exit_code(
    folder, monkeypatch, capsys, tmp_path
):
    (tmp_path / "list.txt").write_text(f"{folder / '0.png'}\n{folder / 'model.pth'}\nno.png\n")
    with pytest.raises(SystemExit) as end:
        embed(monkeypatch, folder / "model.pth", tmp_path / "list.txt", "--out", tmp_path / "f.npz")
    assert end.value.code == 3
    assert "NOT embedded: 2 pictures" in capsys.readouterr().out
    lines = (tmp_path / "f.npz.unreadable.txt").read_text().splitlines()
    assert [line.split("\t")[0] for line in lines] == [str(folder / "model.pth"), "no.png"]
    assert len(load_features(tmp_path / "f.npz")[0]) == 1


def test_an_interrupted_start_is_continued_and_another_model_refused(
    folder, monkeypatch, capsys, tmp_path
):
    out = tmp_path / "f.npz"
    module = "mmreid_ext.apis.embedding.result_file.write_result"
    with monkeypatch.context() as broken, pytest.raises(KeyboardInterrupt):
        broken.setenv("MMREID_TRACEBACK", "1")
        broken.setattr(module, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        embed(broken, folder / "model.pth", folder, "--out", out)
    assert not out.exists()
    other = write_small_checkpoint(folder, "other.pth", seed=1)
    with pytest.raises(SystemExit, match="another kind: model was"):
        embed(monkeypatch, other, folder, "--out", out)
    capsys.readouterr()
    embed(monkeypatch, folder / "model.pth", folder, "--out", out)
    assert "continued, 1 of 1 parts are done" in capsys.readouterr().out


def _on_a_rank(rank, world_size, model, source, out):
    os.environ.update(RANK=str(rank), WORLD_SIZE=str(world_size))
    os.environ.update(MASTER_ADDR="localhost", MASTER_PORT="1")
    from mmreid_ext.apis.embedding import embed_images

    embed_images.SHARD = 3
    sys.argv = ["embed.py", model, source, "--out", out, "--device", "cpu", "--workers", "1"]
    load_tool("embed").main()
    return rank


def test_two_ranks_write_the_file_of_one(folder, tmp_path):
    files = [tmp_path / f"{world_size}.npz" for world_size in (1, 2)]
    for world_size, file in enumerate(files, 1):
        run_distributed(_on_a_rank, world_size, str(folder / "model.pth"), str(folder), str(file))
    assert files[0].read_bytes() == files[1].read_bytes()


def test_wrong_arguments(folder, monkeypatch, capsys, tmp_path):
    with pytest.raises(SystemExit) as end:
        embed(monkeypatch, folder / "model.pth", "--out", tmp_path / "f.npz")
    assert end.value.code == 2 and "CONFIG CHECKPOINT PICTURES" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="must end with .npz, .parquet or .features"):
        embed(monkeypatch, folder / "model.pth", folder, "--out", tmp_path / "f.csv")
