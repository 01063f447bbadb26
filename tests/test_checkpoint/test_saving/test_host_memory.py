"""Memory is used again, and never twice at a time."""

import torch

from mmreid_ext.checkpoint.saving.host_memory import HostMemory


def storage(*values):
    return torch.tensor(values, dtype=torch.uint8).untyped_storage()


def test_memory_of_one_copy_serves_the_next():
    memory, source = HostMemory(), storage(1, 2, 3)
    first, second = memory.copy(source), memory.copy(source)
    places = {first.data_ptr(), second.data_ptr()}
    assert len(places | {source.data_ptr()}) == 3 and list(first) == [1, 2, 3]
    memory.take_back()
    again = memory.copy(storage(4, 5, 6))
    assert again.data_ptr() in places and list(again) == [4, 5, 6]
    assert memory.copy(storage(7)).nbytes() == 1  # another size


def test_memory_that_is_not_needed_is_let_go():
    memory = HostMemory()
    memory.copy(storage(1, 2)), memory.copy(storage(3, 4))
    memory.take_back()
    memory.copy(storage(1, 2))
    memory.take_back()
    assert [len(spare) for spare in memory._spare.values()] == [1]
    memory.take_back()  # nothing was lent since: a second call changes nothing
    assert [len(spare) for spare in memory._spare.values()] == [1]
