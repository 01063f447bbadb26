"""A drawn video: its boxes are where the people are."""

import sys

import cv2
import numpy as np
import pytest
from helpers.tools import load_tool

from mmreid_ext.datasets.synthetic import drawn_frames, make_synthetic_video

SMALL = dict(num_people=4, num_frames=40, size=(120, 200))


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    return make_synthetic_video(tmp_path_factory.mktemp("video") / "walk", seed=2, **SMALL)


def table(path):
    return np.array([[float(v) for v in row.split(",")] for row in path.read_text().split()])


def overlap(a, b):
    """Intersection over union of (x, y, w, h)."""
    w = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    h = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    both = max(w, 0) * max(h, 0)
    return both / (a[2] * a[3] + b[2] * b[3] - both)


def test_layout(video):
    names = sorted(path.name for path in (video / "img1").iterdir())
    assert names == [f"{n:06d}.jpg" for n in range(1, 41)]
    assert cv2.imread(str(video / "img1" / names[0])).shape == (120, 200, 3)
    truth, found = table(video / "gt" / "gt.txt"), table(video / "det" / "det.txt")
    assert truth.shape[1] == 9 and len(set(truth[:, 1]) & {1, 2, 3, 4}) >= 3
    assert found.shape[1] == 10 and (found[:, 1] == -1).all()
    assert ((found[:, 6] > 0) & (found[:, 6] < 1)).all()
    assert (found[:, 2:4] >= 0).all() and (found[:, 4:6] > 0).all()
    assert (found[:, 2] + found[:, 4] <= 200.01).all() and (
        found[:, 3] + found[:, 5] <= 120.01
    ).all()


def test_the_detector_is_good_but_not_perfect(video):
    truth, found = table(video / "gt" / "gt.txt"), table(video / "det" / "det.txt")
    seen = truth[truth[:, 8] > 0.9]
    assert len(seen) > 40
    best = [
        max((overlap(t[2:6], f[2:6]) for f in found[found[:, 0] == t[0]]), default=0.0)
        for t in seen
    ]
    hits = [value for value in best if value > 0.5]
    assert 0.85 * len(seen) < len(hits) and 0.7 < np.mean(hits) < 0.98


def test_a_person_stands_in_their_box(video):
    """Pictures differ from the empty place in boxes of the truth, and only there."""
    empty = np.median(
        [cv2.imread(str(path)) for path in sorted((video / "img1").iterdir())], axis=0
    )
    inside, outside = [], []
    for frame in range(1, 41, 4):
        picture = cv2.imread(str(video / "img1" / f"{frame:06d}.jpg")).astype(float)
        picture *= np.median(empty / np.maximum(picture, 1))  # the light flickers
        change = np.abs(picture - empty).mean(-1)
        mask = np.zeros(change.shape, bool)
        for row in table(video / "gt" / "gt.txt"):
            if row[0] == frame:
                x, y, w, h = row[2:6].round().astype(int)
                mask[max(y, 0) : y + h, max(x, 0) : x + w] = True
        inside.append(change[mask].mean())
        outside.append(change[~mask].mean())
    assert np.mean(inside) > 3 * np.mean(outside)


def test_visibility_falls_behind_others():
    """More people on the same ground hide one another."""
    from mmreid_ext.datasets.synthetic.video import _Scene

    crowded = _Scene(30, 40, (120, 200), 0, 0)
    shares = [float(line.split(",")[8]) for frame in (0, 20) for line in crowded.shoot(frame)[1]]
    assert min(shares) < 0.7 and max(shares) == 1.0


def test_frames_with_boxes():
    frames = list(drawn_frames(3, (120, 200)))
    assert [picture.shape for picture, _ in frames] == [(120, 200, 3)] * 3
    boxes = np.concatenate([found for _, found in frames])
    assert len(boxes) > 8 and (boxes[:, 2:] > boxes[:, :2]).all()
    assert (boxes % 1 != 0).any(), "detectors give fractions"
    again = list(drawn_frames(3, (120, 200)))
    assert all(
        (a == b).all()
        for one, two in zip(frames, again, strict=True)
        for a, b in zip(one, two, strict=True)
    )


def test_same_seed_same_bytes(video, tmp_path):
    again = make_synthetic_video(tmp_path / "again", seed=2, **SMALL)
    other = make_synthetic_video(tmp_path / "other", seed=3, **SMALL)
    for name in ("gt/gt.txt", "det/det.txt", "img1/000007.jpg"):
        assert (again / name).read_bytes() == (video / name).read_bytes()
        assert (other / name).read_bytes() != (video / name).read_bytes()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(num_people=0), "num_people=0 must be at least 1"),
        (dict(num_frames=0), "num_frames=0 must be at least 1"),
        (dict(domain=-1), "domain=-1 must be at least 0"),
        (dict(size=(32, 64)), r"size=\[32, 64\] must be \(height, width\)"),
    ],
)
def test_wrong_numbers(tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        make_synthetic_video(tmp_path / "walk", **(SMALL | change))


def test_command_line(tmp_path, monkeypatch, capsys):
    tool = load_tool("make_synthetic")

    def run(*extra):
        words = ["--video", tmp_path / "walk", "--people", 2, "--frames", 3, "--size", 64, 96]
        monkeypatch.setattr(sys, "argv", ["make_synthetic", *map(str, [*words, *extra])])
        tool.main()
        return capsys.readouterr().out

    assert "3 images in" in run()
    assert "is there already" in run()
    with pytest.raises(SystemExit, match="error: .* holds a synthetic set of other settings"):
        run("--seed", 5)
    monkeypatch.setattr(sys, "argv", ["make_synthetic"])
    with pytest.raises(SystemExit):
        tool.parse_args()
