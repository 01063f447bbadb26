"""Cuts and resizes of trackers, against their definitions computed in another way."""

import numpy as np
import pytest

from mmreid_ext.errors import UserError
from mmreid_ext.export.normalization import IMAGENET, IMAGENET_ON_BGR
from mmreid_ext.export.trackers.views import as_fed, tracker_pixels

RAMP = np.zeros((200, 300, 3), np.uint8)
RAMP[..., 0] = np.arange(200)[:, None]  # blue: the row
RAMP[..., 2] = np.arange(300)[None] % 256  # red: the column
CUTTING = ("boxmot", "ultralytics", "strongsort")


def cut(tracker, box):
    """Rows and columns that a tracker cuts, read from the pixels themselves."""
    coordinates = tracker_pixels(tracker, RAMP, [box], (400, 400))[0]
    columns, rows = coordinates[..., 0], coordinates[..., 2]
    return tuple(round(float(v)) for v in (columns.min(), rows.min(), columns.max(), rows.max()))


def test_edges():
    box = (20.6, 30.4, 60.6, 99.5)
    assert cut("boxmot", box) == (21, 30, 60, 99)
    assert cut("strongsort", box) == (20, 30, 59, 98)
    assert cut("ultralytics", (100, 20, 164, 148)) == (94, 13, 168, 153)


def test_128_by_64_becomes_141_by_75():
    left, top, right, bottom = cut("ultralytics", (100, 20, 164, 148))
    assert (bottom - top + 1, right - left + 1) == (141, 75)


@pytest.mark.parametrize("tracker", CUTTING)
def test_boxes_that_stick_out_are_cut_off(tracker):
    last = 298 % 256 if tracker == "strongsort" else 299 % 256
    assert cut(tracker, (250, 190, 400, 400))[2:] >= (last, 198)
    with pytest.raises(UserError, match="box 1, .* holds no pixel"):
        tracker_pixels(tracker, RAMP, [(10, 10, 50, 50), (400, 10, 450, 50)], (64, 32))


def test_they_differ_where_they_shrink():
    """Stripes of one pixel: one looks at four pixels only, another averages."""
    stripes = np.zeros((128, 128, 3), np.uint8)
    stripes[::2] = 255
    box = [(0, 0, 120, 128)]
    spread = {t: tracker_pixels(t, stripes, box, (20, 20)).std() for t in CUTTING}
    assert spread["strongsort"] < 0.2 * min(spread["boxmot"], spread["ultralytics"])


def test_floats_and_bytes():
    frame = np.random.default_rng(0).integers(0, 256, (90, 60, 3), dtype=np.uint8)
    found = {t: tracker_pixels(t, frame, [(10, 10, 40, 70)], (64, 32)) for t in CUTTING}
    assert {t for t, pixels in found.items() if (pixels % 1 != 0).any()} == {"ultralytics"}
    assert all(pixels.dtype == np.float32 for pixels in found.values())
    np.testing.assert_allclose(found["ultralytics"][0], linear(frame[4:75, 4:45]), atol=1e-3)
    np.testing.assert_allclose(found["boxmot"][0], linear(frame[10:70, 10:40]), atol=1.01)


def linear(crop, size=(64, 32)):
    """Linear interpolation of a BGR crop between the four pixels round each point, as RGB."""
    axes = []
    for length, new in zip(crop.shape, size, strict=False):
        points = np.clip((np.arange(new) + 0.5) * length / new - 0.5, 0, length - 1)
        first = np.minimum(points.astype(int), length - 2)
        axes.append((first, points - first))
    (rows, down), (columns, right) = axes
    down, right, pixels = down[:, None, None], right[None, :, None], crop[..., ::-1].astype(float)
    top, bottom = pixels[rows], pixels[rows + 1]
    upper = top[:, columns] * (1 - right) + top[:, columns + 1] * right
    lower = bottom[:, columns] * (1 - right) + bottom[:, columns + 1] * right
    return upper * (1 - down) + lower * down


def test_what_is_fed():
    pixels = np.float32([255, 0, 51]).reshape(1, 1, 1, 3)
    assert as_fed(pixels, "rgb01", None).flatten().tolist() == pytest.approx([1, 0, 0.2])
    mean, std = np.float32(IMAGENET.mean), np.float32(IMAGENET.std)
    rgb, bgr = (as_fed(pixels, "normalized", o).flatten() for o in (IMAGENET, IMAGENET_ON_BGR))
    np.testing.assert_allclose(rgb, ([255, 0, 51] - mean) / std, rtol=1e-6)
    np.testing.assert_allclose(bgr, ([51, 0, 255] - mean) / std, rtol=1e-6)


def test_who_cuts_nothing_has_no_view():
    with pytest.raises(UserError, match="'deepsort' must be one of boxmot, ultralytics"):
        tracker_pixels("deepsort", RAMP, [(0, 0, 9, 9)], (64, 32))
    assert tracker_pixels("boxmot", RAMP, [], (64, 32)).shape == (0, 64, 32, 3)
