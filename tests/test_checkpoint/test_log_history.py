"""The log shows what it showed with all values kept, and stays small."""

import copy
import math

import numpy as np
import pytest
import torch
from helpers.tiny_loops import make_runner
from mmengine.logging import HistoryBuffer
from mmengine.runner import LogProcessor

from mmreid_ext.checkpoint import from_plain, log_history, safe_load, to_plain
from mmreid_ext.checkpoint.log_history import KEPT, dropped_of
from mmreid_ext.errors import UserError

LONG = 5 * KEPT
EPOCH = 3 * KEPT


def long_values(number=LONG):
    return np.random.default_rng(0).normal(size=number).tolist()


def filled(values, ask=(10,)):
    """A history of the values, asked for means over windows as a log does."""
    buffer = HistoryBuffer()
    for number, value in enumerate(values, 1):
        buffer.update(value, count=1 + number % 3)
        if number % 10 == 0:
            for window in ask:
                buffer.mean(window)
    return buffer


def expected(values, name, window):
    counts = [1 + number % 3 for number in range(1, len(values) + 1)]
    window = len(values) if window is None else window
    logs, counts = np.array(values)[-window:], np.array(counts)[-window:]
    return dict(mean=logs.sum() / counts.sum(), min=logs.min(), max=logs.max())[name]


@pytest.mark.parametrize("name", ["mean", "min", "max"])
@pytest.mark.parametrize("window", [1, 10, KEPT - 1, KEPT, 2 * KEPT + 7, LONG, LONG + 1, None])
@pytest.mark.parametrize("resumed", [False, True])
def test_statistics_are_those_of_all_values(name, window, resumed):
    values = long_values()
    ask = (10,) if window is None or window >= LONG else (10, window)
    buffer = filled(values[: LONG - 40], ask)
    if resumed:
        buffer = from_plain(to_plain(dict(log=buffer)))["log"]
    for number, value in enumerate(values[LONG - 40 :], LONG - 39):
        buffer.update(value, count=1 + number % 3)
    shown = buffer.statistics(name, window_size=window)
    assert math.isclose(shown, expected(values, name, window), rel_tol=1e-12, abs_tol=1e-15)
    assert isinstance(shown, np.floating) and float(buffer.current()) == values[-1]
    assert dropped_of(buffer).values > 0


def test_it_stays_small():
    buffer = filled(long_values(20 * KEPT))
    assert len(buffer.data[0]) == len(buffer.data[1]) <= 2 * KEPT
    assert dropped_of(buffer).values + len(buffer.data[0]) == 20 * KEPT


def test_window_that_grows_over_an_epoch():
    """MMEngine's "epoch" is the number of batches since the epoch began."""
    values, buffer = long_values(3 * EPOCH), HistoryBuffer()
    for number, value in enumerate(values):
        buffer.update(value)
        batch = number % EPOCH
        if (batch + 1) % 10 == 0:
            epoch = values[number - batch : number + 1]
            assert buffer.mean(batch + 1) == pytest.approx(np.mean(epoch), rel=1e-12)
    assert dropped_of(buffer).values == 0 or len(buffer.data[0]) < 3 * EPOCH


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
def test_values_that_are_not_finite_are_not_forgotten(odd):
    values = [odd, *long_values()]
    buffer = filled(values)
    for name in ("mean", "min", "max"):
        shown = buffer.statistics(name)
        assert np.array_equal(shown, expected(values, name, None), equal_nan=True)


def test_history_with_a_length_of_its_own_keeps_that():
    buffer = HistoryBuffer(max_length=50)
    for value in range(3 * KEPT):
        buffer.update(value)
    assert len(buffer.data[0]) == 50 and buffer.mean() == np.mean(range(3 * KEPT - 50, 3 * KEPT))


def test_long_history_of_an_old_file_shrinks_when_it_goes_on():
    old = HistoryBuffer(long_values(), [1] * LONG)
    plain = to_plain(dict(log=old))
    assert "dropped" not in plain["log"]
    buffer = from_plain(plain)["log"]
    mean = buffer.mean()
    buffer.update(float(mean))
    assert len(buffer.data[0]) == KEPT and buffer.mean() == pytest.approx(mean, rel=1e-12)


def test_copy_knows_what_was_dropped():
    buffer = filled(long_values())
    assert copy.deepcopy(buffer).mean() == buffer.mean()
    assert dropped_of(copy.deepcopy(buffer)) == dropped_of(buffer) != dropped_of(HistoryBuffer())


@pytest.mark.parametrize(
    "part",
    [
        dict(dropped=(1, 2.0)),
        dict(dropped=(-1, 0.0, 0.0, 0.0, 0.0)),
        dict(dropped="all"),
        dict(dropped=(1, "x", 0.0, 0.0, 0.0)),
        dict(window=-1),
        dict(window="10"),
    ],
)
def test_sums_that_are_none_are_refused(part):
    plain = to_plain(dict(log=filled(long_values())))
    plain["log"] |= part
    with pytest.raises(UserError, match="history of values whose sums are"):
        from_plain(plain)


def test_windows_of_the_configuration(tmp_path):
    """A real run, with a history so short that all kinds of windows reach beyond it."""
    entries = [
        dict(data_src="loss", log_name="all", method_name="mean", window_size="global"),
        dict(data_src="loss", log_name="epoch", method_name="mean", window_size="epoch"),
        dict(data_src="loss", log_name="three", method_name="max", window_size=3),
    ]
    shown = []

    class Keep(LogProcessor):
        def get_log_after_iter(self, runner, batch_idx, mode):
            tag, text = super().get_log_after_iter(runner, batch_idx, mode)
            if mode == "train":
                shown.append({name: tag[name] for name in ("all", "epoch", "three", "loss")})
            return tag, text

    def train(folder, kept, **changes):
        shown.clear()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(log_history, "KEPT", kept)
            settings = dict(window_size=2, by_epoch=True, custom_cfg=copy.deepcopy(entries))
            hooks = dict(
                logger=dict(type="LoggerHook", interval=1),
                checkpoint=dict(type="CheckpointHook", by_epoch=False, interval=1),
            )
            loop = dict(type="mmreid_ext.ReIDEpochTrainLoop", max_epochs=4)
            runner = make_runner(
                folder, epochs=True, default_hooks=hooks, train_cfg=loop, **changes
            )
            runner.log_processor = Keep(**settings)
            runner.train()
        return list(shown), runner

    whole, _ = train(tmp_path / "whole", 10**6)
    short, runner = train(tmp_path / "short", 1)
    assert len(whole) == len(short) == 12
    assert dropped_of(runner.message_hub.get_scalar("train/loss")).values > 0
    for a, b in zip(whole, short, strict=True):
        assert a == pytest.approx(b, rel=1e-12)
    file = str(tmp_path / "short" / "iter_8.pth")
    resumed, _ = train(tmp_path / "resumed", 1, resume=True, load_from=file)
    for a, b in zip(whole[8:], resumed, strict=True):
        assert a == pytest.approx(b, rel=1e-12)


def test_checkpoint_of_a_long_run_is_small(tmp_path):
    hub = dict(log_scalars={str(n): filled(long_values(10 * KEPT)) for n in range(4)})
    torch.save(to_plain(hub), tmp_path / "x.pth")
    assert (tmp_path / "x.pth").stat().st_size < 4 * 2 * KEPT * 16 * 1.5
    loaded = safe_load(tmp_path / "x.pth")["log_scalars"]
    assert loaded["3"].mean() == hub["log_scalars"]["3"].mean()
