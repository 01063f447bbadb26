import numpy as np
import pytest

from mmreid_ext.datasets.transforms import UniformAspectRandomErasing

MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
SIZE = 256, 128


@pytest.mark.parametrize("bgr", [True, False])
def test_float_images_get_the_exact_colour(bgr):
    transform = UniformAspectRandomErasing(prob=1.0, bgr=bgr)
    picture = transform.transform(dict(img=np.zeros((*SIZE, 3)), draw_seed=1))["img"]
    normalised = (picture[picture.any(-1)] / 255 - (MEAN[::-1] if bgr else MEAN)) / (
        STD[::-1] if bgr else STD
    )
    expected = MEAN[::-1] if bgr else MEAN
    # the colour travels as float32: 152 levels of it are exact to 1e-5
    assert len(normalised) and np.abs(normalised - expected).max() < 1e-6


def test_bytes_get_the_nearest_colour():
    transform = UniformAspectRandomErasing(prob=1.0)
    picture = transform.transform(dict(img=np.zeros((*SIZE, 3), np.uint8), draw_seed=1))["img"]
    colors = np.unique(picture.reshape(-1, 3), axis=0)
    assert colors.tolist() == [[0, 0, 0], [127, 142, 152]]  # BGR
    normalised = (colors[1, ::-1] / 255 - MEAN) / STD
    assert np.abs(normalised - MEAN).max() < 0.006  # what the docstring promises


@pytest.mark.parametrize(
    "options",
    [dict(prob=1.5), dict(area_range=(0.4, 0.02)), dict(aspect_range=(0, 1))],
    ids=str,
)
def test_impossible_options_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        UniformAspectRandomErasing(**options)
