import hashlib
import json
import runpy
import shutil
import sys
from pathlib import Path

import cv2
import pytest
from helpers.paths import TOOLS

from mmreid_ext.datasets.synthetic import make_synthetic_domains

SMALL = dict(num_domains=2, num_ids=5, num_cameras=3, size=(64, 32))


def digest(folder):
    """Names and bytes of all files below a folder."""
    files = sorted(p for p in Path(folder).rglob("*") if p.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return make_synthetic_domains(tmp_path_factory.mktemp("synthetic") / "set", seed=3, **SMALL)


def test_layout_is_that_of_market1501(small):
    for domain in range(2):
        names = {
            role: sorted(p.name for p in (small / f"domain_{domain}" / role).iterdir())
            for role in ("bounding_box_train", "query", "bounding_box_test")
        }
        train = [
            f"{i:04d}_c{c}s1_{k:06d}_00.jpg" for i in (1, 2, 3) for c in (1, 2, 3) for k in (1, 2)
        ]
        test = [f"{i:04d}_c{c}s1_{{k:06d}}_00.jpg" for i in (4, 5) for c in (1, 2, 3)]
        assert names["bounding_box_train"] == train
        assert names["query"] == [name.format(k=1) for name in test]
        assert names["bounding_box_test"] == [name.format(k=2) for name in test]
    pictures = [value for name, value in digest(small).items() if name.endswith("jpg")]
    assert len(set(pictures)) == len(pictures) == 60
    image = cv2.imread(str(small / "domain_1" / "query" / "0004_c1s1_000001_00.jpg"))
    assert image.shape == (64, 32, 3) and image.std() > 5


def test_same_seed_same_bytes_other_seed_other_bytes(small, tmp_path):
    again = digest(make_synthetic_domains(tmp_path / "again", seed=3, **SMALL))
    assert again == digest(small)
    other = digest(make_synthetic_domains(tmp_path / "other", seed=4, **SMALL))
    assert set(other) == set(again)
    assert not {v for k, v in other.items() if k.endswith("jpg")} & set(again.values())


def test_an_image_does_not_depend_on_how_many_there_are(small, tmp_path):
    larger = dict(SMALL, num_domains=3, num_ids=6, num_cameras=4)
    more = digest(make_synthetic_domains(tmp_path / "more", seed=3, **larger))
    for name, value in digest(small).items():
        if "/bounding_box_train/" in name:
            assert more[name] == value, name


def test_a_complete_set_is_reused_and_others_are_not_touched(small):
    before = {p: p.stat().st_mtime_ns for p in small.rglob("*.jpg")}
    make_synthetic_domains(small, seed=3, **SMALL)
    assert {p: p.stat().st_mtime_ns for p in small.rglob("*.jpg")} == before
    with pytest.raises(
        FileExistsError, match=r"other settings, .*'num_ids': 5.*; name another folder"
    ):
        make_synthetic_domains(small, seed=3, **dict(SMALL, num_ids=6))
    assert {p: p.stat().st_mtime_ns for p in small.rglob("*.jpg")} == before


def test_a_foreign_folder_is_refused(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(FileExistsError, match="holds something else; name another folder"):
        make_synthetic_domains(tmp_path, **SMALL)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_interruption_leaves_nothing_half_done(tmp_path):
    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_synthetic_domains(tmp_path / "set", progress=stop, **SMALL)
    assert list(tmp_path.iterdir()) == []


def test_another_process_may_finish_the_same_set_first(small, tmp_path):
    def other(done, total):
        if done == total:
            shutil.copytree(small, tmp_path / "set")

    out = make_synthetic_domains(tmp_path / "set", seed=3, progress=other, **SMALL)
    assert digest(out) == digest(small) and list(tmp_path.iterdir()) == [out]


def test_progress_counts_all_images_and_an_empty_folder_may_be_filled(tmp_path):
    seen = []
    (tmp_path / "set").mkdir()
    out = make_synthetic_domains(
        tmp_path / "set", progress=lambda done, total: seen.append((done, total)), **SMALL
    )
    assert seen == [(6 * n, 60) for n in range(1, 11)]
    assert len(list(out.rglob("*.jpg"))) == 60
    assert json.loads((out / "manifest.json").read_text())["num_ids"] == 5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(num_ids=1), "num_ids=1 must be at least 2"),
        (dict(images_per_camera=1), "images_per_camera=1 must be at least 2"),
        (dict(num_cameras=100), "num_cameras=100 must be at most 99"),
        (dict(size=(8, 4)), r"size=\[8, 4\] must be \(height, width\)"),
        (dict(seed=-1), "seed=-1 must be at least 0"),
    ],
)
def test_wrong_numbers(tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        make_synthetic_domains(tmp_path / "set", **(SMALL | change))


def test_command_line(tmp_path, monkeypatch, capsys):
    script = str(TOOLS / "make_synthetic.py")

    def run(*extra):
        sizes = ["--domains", "1", "--ids", "2", "--cameras", "2", "--size", "32", "16"]
        monkeypatch.setattr(sys, "argv", [script, "--out", str(tmp_path / "set"), *sizes, *extra])
        runpy.run_path(script, run_name="__main__")
        return capsys.readouterr().out

    assert "8 images in" in run()
    assert "is there already" in run()
    with pytest.raises(SystemExit, match="error: .* holds a synthetic set of other settings"):
        run("--seed", "5")
    with pytest.raises(SystemExit, match="error: .*num_cameras=1 must be at least 2"):
        run("--cameras", "1")
