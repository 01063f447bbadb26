import numpy as np
import pytest
import torch

from mmreid_ext.export.accuracy.labelled_set import labelled_sets
from mmreid_ext.export.accuracy.on_labels import Measured, accuracy_text, measure
from mmreid_ext.export.sample_images import embeddings_of, network_input


@pytest.fixture
def tiny_set(small):
    return labelled_sets(small.folder / "list.csv")[0]


@pytest.mark.parametrize("batch", [None, 3])
def test_the_first_file_is_the_measure_of_the_others(small, tiny_set, batch):
    sizes = set()

    def as_input(inputs):
        return network_input(inputs, "uint8", small.embedder.model, small.embedder.use["input"])

    def exact(images):
        sizes.add(len(images))
        bgr = np.ascontiguousarray(images.transpose(0, 3, 1, 2)[:, ::-1])
        return embeddings_of(small.embedder, torch.from_numpy(bgr))

    def noisy(images):
        # The layers of an int8 file leave rows that aren't quite of unit length.
        return 3 * np.roll(exact(images), 1, axis=1)

    done = []
    first, second = measure(
        small.embedder,
        tiny_set,
        {"exact": exact, "noisy": noisy},
        lambda inputs: as_input(inputs).numpy(),
        batch,
        lambda *state: done.append(state),
    )
    assert first.mean_cosine == pytest.approx(1) and second.mean_cosine < 0.99
    assert second.least_cosine <= second.mean_cosine
    assert 0 < first.mAP <= 100 and 0 <= first.R1 <= 100 and first.milliseconds > 0
    assert done[-1] == (8, 8)
    assert sizes == ({3} if batch else {8}), "a fixed batch is filled up"


def test_a_loss_is_said_loudly(tiny_set):
    def result(name, mean):
        return Measured(name, mean, 80.0, 1.0, 1.0, 2.0)

    text = accuracy_text(tiny_set, [result("fp32", 70.0), result("int8", 68.9)])
    assert "WARNING: int8 loses 1.10 points of mAP" in text and "68.90" in text
    assert "WARNING" not in accuracy_text(tiny_set, [result("fp32", 70.0), result("int8", 69.1)])
