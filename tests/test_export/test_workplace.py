import os
from pathlib import Path

import pytest

from mmreid_ext.errors import ExistingFileError
from mmreid_ext.export.plan import ExportPlan
from mmreid_ext.export.workplace import PREFIX, put_in_place, workplace


def content(folder: Path) -> dict[str, str]:
    return {file.name: file.read_text() for file in sorted(folder.iterdir())}


def finish(plan: ExportPlan, text: str = "new", before=lambda: None):
    with workplace(plan) as place:
        for kind in plan.formats:
            for file in place.model_files(kind):
                file.write_text(text)
        before()
        beside = {kind: {f"{plan.file(kind).name}.json": text.encode()} for kind in plan.formats}
        return put_in_place(place, plan, plan.formats, beside)


def test_files_come_to_their_places(tmp_path):
    plan = ExportPlan(tmp_path / "a" / "b", ("onnx", "openvino"))
    files = finish(plan)
    names = ["model.bin", "model.xml", "model.xml.json"]
    assert [file.name for file in files["openvino"]] == names
    assert sorted(content(plan.folder)) == [
        "model.bin",
        "model.onnx",
        "model.onnx.json",
        *names[1:],
    ]


def test_an_error_leaves_nothing_not_even_new_folders(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(KeyboardInterrupt), workplace(ExportPlan(tmp_path / "a" / "b" / "c")):
        raise KeyboardInterrupt
    assert list((tmp_path / "a").iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="folders are held on POSIX")
def test_what_a_killed_export_left_is_removed_and_that_of_a_living_one_stays(tmp_path):
    left = tmp_path / f"{PREFIX}killed"
    left.mkdir()
    (left / "model.onnx").write_text("half")
    with workplace(ExportPlan(tmp_path)) as living:
        assert not left.exists()
        with workplace(ExportPlan(tmp_path)) as second:
            assert living.folder.is_dir()
            assert second.folder != living.folder
    assert list(tmp_path.iterdir()) == []


def test_the_second_of_two_exports_replaces_nothing(tmp_path):
    plan = ExportPlan(tmp_path)
    with pytest.raises(ExistingFileError, match="model.onnx is there already"):
        finish(plan, "second", before=lambda: finish(plan, "first"))
    assert content(tmp_path) == {"model.onnx": "first", "model.onnx.json": "first"}


def test_a_power_cut_leaves_no_model_with_files_of_another(tmp_path, monkeypatch):
    plan = ExportPlan(tmp_path, ("openvino",), overwrite=True)
    names = ("model.bin", "model.xml", "model.xml.json")
    replace = os.replace
    for cut in range(3):
        monkeypatch.undo()
        for name in names:
            (tmp_path / name).write_text("old")
        done = []

        def until_the_cut(source, target, cut=cut, done=done):
            if len(done) == cut:
                raise OSError("cut")
            done.append(replace(source, target))

        monkeypatch.setattr(os, "replace", until_the_cut)
        with pytest.raises(OSError, match="cut"):
            finish(plan)
        assert set(content(tmp_path).values()) <= {"new"}


def test_no_space_for_a_description_leaves_the_old_files(tmp_path, monkeypatch):
    plan = ExportPlan(tmp_path, overwrite=True)
    (tmp_path / "model.onnx").write_text("old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        finish(plan)
    assert content(tmp_path) == {"model.onnx": "old"}
