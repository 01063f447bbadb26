import numpy as np
import pytest

from mmreid_ext.errors import UserError
from mmreid_ext.export.agreement import compare, images_needed, require_unit_vectors

IMAGES = np.random.default_rng(0).normal(size=(10, 4)).astype(np.float32)
EXPECTED = IMAGES / np.linalg.norm(IMAGES, axis=1, keepdims=True)


def network(images):
    return images / np.linalg.norm(images, axis=1, keepdims=True)


def test_the_same_function_agrees_at_every_batch_size():
    seen = []

    def run(images):
        seen.append(len(images))
        return network(images)

    found = compare("engine", run, IMAGES, EXPECTED, "fp32")
    assert seen == [1, 2, 7] and found.is_fine and found.images == 10
    assert found.difference < 1e-6 and found.least_cosine == pytest.approx(1)
    assert "batches of 1, 2, 7" in found.text and "cosine" not in found.text


def test_one_wrong_number_in_one_batch_is_noticed():
    def run(images):
        found = network(images)
        if len(images) == 7:
            found[6, 3] += 2e-5
        return found

    found = compare("engine", run, IMAGES, EXPECTED, "fp32")
    assert not found.is_fine and found.difference == pytest.approx(2e-5, rel=0.1)


@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8"])
def test_what_is_no_number_is_not_fine(precision):
    found = compare("e", lambda images: network(images) * np.nan, IMAGES, EXPECTED, precision)
    assert not found.is_fine


def test_other_shapes_are_not_fine():
    found = compare("e", lambda images: network(images)[:, :2], IMAGES, EXPECTED, "fp32")
    assert not found.is_fine


def test_lower_precisions_are_judged_by_cosine():
    noise = np.random.default_rng(1).normal(size=EXPECTED.shape).astype(np.float32)

    def run(amount):
        rows = iter(EXPECTED + amount * noise)
        return lambda images: np.stack([next(rows) for _ in images])

    assert not compare("e", run(1e-3), IMAGES, EXPECTED, "fp32").is_fine
    assert compare("e", run(1e-3), IMAGES, EXPECTED, "fp16").is_fine
    assert not compare("e", run(0.1), IMAGES, EXPECTED, "fp16").is_fine
    assert compare("e", run(0.4), IMAGES, EXPECTED, "int8").is_fine
    assert not compare("e", run(5.0), IMAGES, EXPECTED, "int8").is_fine


def test_a_large_change_is_doubtful():
    shifted = np.roll(EXPECTED, 1, axis=1)

    def run(amount):
        rows = iter(EXPECTED + amount * shifted)
        return lambda images: np.stack([next(rows) for _ in images])

    assert not compare("e", run(0.01), IMAGES, EXPECTED, "int8").is_doubtful
    assert compare("e", run(1.0), IMAGES, EXPECTED, "int8").is_doubtful
    assert compare("e", lambda i: network(i) * np.nan, IMAGES, EXPECTED, "int8").is_doubtful


def test_a_fixed_batch_is_tried_alone():
    seen = []

    def run(images):
        seen.append(len(images))
        return network(images)

    assert images_needed(4) == 10 and images_needed(16) == 32
    assert compare("e", run, IMAGES, EXPECTED, "fp32", batch=4).images == 8
    assert seen == [4, 4]


@pytest.mark.parametrize("value", [0, np.nan, np.inf])
def test_embeddings_of_pytorch_that_say_nothing_are_told(value):
    expected = np.eye(3, dtype=np.float32)
    require_unit_vectors(expected)
    expected[1] = value
    with pytest.raises(UserError, match="embeddings of 1 of 3 images have length .*, must have 1"):
        require_unit_vectors(expected)
