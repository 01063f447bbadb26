import pytest
import torch
from torch import nn

from mmreid_ext.models.run_state import RunState, hold_run_state


class Counter(RunState):
    run_state = ("steps", "images")

    def __init__(self):
        super().__init__()
        self.add_counters("steps", "images")

    def forward(self, x):
        if self.remembers:
            self._steps += 1
            self._images += len(x)
            self.write_counters()
        return x


def test_counters_are_buffers_with_a_copy_for_the_host():
    counter = Counter()
    assert (counter._steps, counter._images) == (0, 0)
    counter(torch.zeros(3)), counter(torch.zeros(2))
    assert (counter.steps.item(), counter.images.item()) == (2, 5)
    assert counter.steps.dtype == torch.int64
    assert set(counter.state_dict()) == {"steps", "images"}


def test_loading_sets_the_copy_too():
    trained, fresh = Counter(), Counter()
    trained(torch.zeros(4))
    fresh.load_state_dict(trained.state_dict())
    fresh(torch.zeros(1))
    assert (fresh.steps.item(), fresh.images.item()) == (2, 5)


def test_evaluation_is_no_step():
    counter = Counter().eval()
    counter(torch.zeros(3))
    assert not counter.remembers
    assert counter.steps == 0


def test_held_it_remembers_nothing():
    model = nn.Sequential(Counter(), nn.ReLU(), Counter())
    with hold_run_state(model):
        assert model[0].held and model[2].held
        model(torch.zeros(3))
    assert model[0].steps == 0
    model(torch.zeros(3))
    assert model[0].steps == model[2].steps == 1


def test_blocks_nest_and_end_with_an_error():
    counter = Counter()
    with pytest.raises(KeyError), hold_run_state(counter):
        with hold_run_state(counter):
            pass
        assert counter.held  # the outer block goes on
        raise KeyError
    assert not counter.held
