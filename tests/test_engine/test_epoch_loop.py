"""The loop that counts epochs: what an epoch is, exact resume, bad runs."""

import multiprocessing

import pytest
import torch
from helpers.tiny_baseline import BATCH, EPOCHS, make_runner
from mmengine.hooks import Hook

ITERS_PER_EPOCH = 64 // BATCH  # 16 identities x 4 images, all of them in groups of 2


class Record(Hook):
    """Keeps losses and the images' labels; raises when an epoch begins."""

    def __init__(self, stop_at_epoch=None):
        self.losses, self.labels, self.stop_at_epoch = [], [], stop_at_epoch

    def before_train_epoch(self, runner):
        if runner.epoch == self.stop_at_epoch:
            raise InterruptedError

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.losses.append(outputs)
        self.labels.append([int(sample.gt_label) for sample in data_batch["data_samples"]])


def train(folder, stop_at_epoch=None, **settings):
    runner, record = make_runner(folder, **settings), Record(stop_at_epoch)
    runner.register_hook(record)
    if stop_at_epoch is None:
        runner.train()
    else:
        with pytest.raises(InterruptedError):
            runner.train()
    return runner, record


def test_resumed_run_equals_an_uninterrupted_one(tmp_path):
    whole, expected = train(tmp_path / "whole")
    train(tmp_path / "parts", stop_at_epoch=2)
    resumed, record = train(tmp_path / "parts", resume=True)
    assert record.losses == expected.losses[2 * ITERS_PER_EPOCH :]
    assert record.labels == expected.labels[2 * ITERS_PER_EPOCH :]
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[name]), name


@pytest.mark.parametrize("stop_at_epoch", [None, 1])
def test_loading_ends_with_the_training(tmp_path, stop_at_epoch):
    others = set(multiprocessing.active_children())
    runner, _ = train(tmp_path, stop_at_epoch, num_workers=1)
    assert set(multiprocessing.active_children()) <= others
    assert runner.epoch == (stop_at_epoch or EPOCHS)


def test_an_epoch_is_the_samplers_and_epochs_differ(tmp_path):
    runner, record = train(tmp_path)
    assert len(record.labels) == runner.iter == EPOCHS * ITERS_PER_EPOCH
    epochs = [
        record.labels[i : i + ITERS_PER_EPOCH] for i in range(0, runner.iter, ITERS_PER_EPOCH)
    ]
    assert all(a != b for a, b in zip(epochs, epochs[1:], strict=False))


def test_centres_are_trained_saved_and_restored(tmp_path):
    whole, _ = train(tmp_path)
    centers = whole.model.head.losses["center"].centers
    (tmp_path / "last_checkpoint").write_text(str(tmp_path / "epoch_4.pth"))
    resumed = make_runner(tmp_path, resume=True)
    before = resumed.model.head.losses["center"].centers.clone()
    resumed.load_or_resume()
    assert not torch.equal(before, centers)
    assert torch.equal(resumed.model.head.losses["center"].centers, centers)


def test_a_loss_that_is_not_finite_stops_the_run(tmp_path):
    class Poison(Hook):
        def before_train_iter(self, runner, batch_idx, data_batch=None):
            if runner.iter == ITERS_PER_EPOCH + 1:
                runner.model.head.classifier.weight.data[0, 0] = float("nan")

    runner = make_runner(tmp_path)
    runner.register_hook(Poison())
    with pytest.raises(
        FloatingPointError, match=rf"iteration {ITERS_PER_EPOCH + 2}: .*loss_ce=nan"
    ):
        runner.train()
    assert [p.name for p in tmp_path.glob("*.pth")] == ["epoch_1.pth"]


def test_wrong_number_of_classes_is_told_before_the_first_step(tmp_path):
    with pytest.raises(ValueError, match=r"5 classes.*16 identities.*num_classes=16"):
        make_runner(tmp_path, num_classes=5).train()
