import dataclasses
import hashlib
import json
import runpy
import shutil
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers.paths import TOOLS

from mmreid_ext.datasets import MultiSourceDataset, SyntheticReID
from mmreid_ext.datasets.synthetic import make_synthetic_domains
from mmreid_ext.datasets.synthetic.camera import Camera
from mmreid_ext.datasets.synthetic.drawing import draw_figure
from mmreid_ext.datasets.synthetic.pedestrian import make_pedestrian
from mmreid_ext.datasets.synthetic.style import BACKGROUNDS, WEATHERS, domain_style

SMALL = dict(num_domains=2, num_ids=5, num_cameras=3, size=(64, 32))
VIEWS = ("front", "back", "left", "right")


def digest(folder):
    """Names and bytes of all files below a folder."""
    files = sorted(p for p in Path(folder).rglob("*") if p.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def someone(pid, domain=0):
    return make_pedestrian(np.random.default_rng((0, domain, 1, pid)), domain_style(domain, 0))


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


@pytest.mark.parametrize("view", VIEWS)
def test_a_figure_is_one_standing_person(view):
    for pid in range(30):
        image, mask = draw_figure(someone(pid), view, 0.2)
        assert image.shape == (256, 128, 3) and mask.shape == (256, 128)
        count, _, stats, _ = cv2.connectedComponentsWithStats(mask)
        largest = stats[1:, cv2.CC_STAT_AREA].max() / stats[1:, cv2.CC_STAT_AREA].sum()
        assert largest > 0.97, "parts of the body float in the air"
        rows = np.flatnonzero(mask.any(1))
        assert rows[0] < 25 and rows[-1] > 238
        assert 0.12 < (mask > 0).mean() < 0.55


def histogram(image, mask):
    """Colours of a person, 4 levels per channel."""
    colors = image[mask > 0] // 64 @ np.array([16, 4, 1])
    return np.bincount(colors, minlength=64) / len(colors)


def test_identity_is_the_same_from_all_sides():
    """The colours of a person seen from another side resemble those of the same person most."""
    people = [someone(pid) for pid in range(20)]
    front = np.array([histogram(*draw_figure(p, "front", 0.1)) for p in people])
    for view in ("back", "left", "right"):
        other = np.array([histogram(*draw_figure(p, view, 0.6)) for p in people])
        overlap = np.minimum(front[:, None], other[None]).sum(-1)
        hits = (overlap.argmax(1) == np.arange(20)).mean()
        assert hits >= 0.7, (view, hits)  # 0.05 by chance


def test_left_is_right_mirrored():
    person = someone(0)
    right, left = draw_figure(person, "right", 0.3)[1], draw_figure(person, "left", 0.3)[1]
    overlap = (right[:, ::-1] & left).sum() / (right | left[:, ::-1]).sum()
    assert overlap > 0.85  # all but a handbag on the far side


def shots(domain, pid=1, count=40, style=None):
    style = style or domain_style(domain, 0)
    camera = Camera(style, 0, (0, domain, 2, 0), (128, 64))
    rng = np.random.default_rng(5)
    return np.stack([camera.shoot(someone(pid, domain), rng) for _ in range(count)])


def test_domains_differ_in_colour_and_contrast_and_the_fifth_lies_outside():
    means, stds = [], []
    for domain in range(5):
        images = shots(domain).astype(float)
        means.append(images.mean((0, 1, 2)))
        stds.append(images.std((1, 2)).mean())
    blue_red = [m[0] / m[2] for m in means]
    assert blue_red[4] > 1.3 * max(blue_red[:4])
    assert means[4].mean() < 0.8 * min(m.mean() for m in means[:4])
    assert stds[4] < min(stds[:4])
    gaps = [np.abs(a - b).max() for i, a in enumerate(means) for b in means[i + 1 :]]
    assert min(gaps) > 8, "two domains look alike"


def test_background_tells_nothing_about_the_identity():
    """Without a person the crops of a camera are drawn alike for everybody."""
    style = domain_style(0, 0)
    camera = Camera(style, 0, (0, 0, 2, 0), (128, 64))
    corners = []
    for pid in (1, 2):
        rng = np.random.default_rng(7)
        corners.append([camera.shoot(someone(pid), rng)[:6, :6].astype(float) for _ in range(10)])
    assert np.abs(np.array(corners[0]) - np.array(corners[1])).mean() < 4


def test_random_styles_are_valid_and_differ():
    styles = [domain_style(index, 0) for index in range(5, 15)]
    assert len({style.gain for style in styles}) == 10
    for style in styles:
        assert style.background in BACKGROUNDS and style.weather in WEATHERS
        assert all(0.5 < g < 1.6 for g in style.gain) and 0.5 <= style.contrast <= 1.2
    assert domain_style(7, 0) == styles[2] and domain_style(7, 1) != styles[2]
    assert shots(7, count=2).std() > 3


@pytest.mark.parametrize("background", BACKGROUNDS)
@pytest.mark.parametrize("weather", WEATHERS)
def test_every_background_and_weather_can_be_drawn(background, weather):
    style = dataclasses.replace(domain_style(0, 0), background=background, weather=weather)
    assert shots(0, count=1, style=style).std() > 10


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


def test_reader_of_a_domain(small):
    sources = [SyntheticReID(small, domain=d) for d in range(2)]
    train = MultiSourceDataset(sources)
    assert len(train) == 36 and train.num_classes == 6 and train.num_domains == 2
    assert np.bincount(train.domains).tolist() == [18, 18]
    test = SyntheticReID(small, "test", domain=1)
    assert list(test.metainfo["test_sets"]) == ["synthetic_1"]
    roles = [test[i]["role"] for i in range(len(test))]
    assert roles.count("query") == 6 and roles.count("gallery") == 6
    with pytest.raises(FileNotFoundError, match="tools/make_synthetic.py"):
        SyntheticReID(small, domain=2)
