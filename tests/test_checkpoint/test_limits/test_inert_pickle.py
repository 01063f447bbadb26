"""The skeleton of a pickle is read, and nothing in it comes to life."""

import io
import os
import pickle

import pytest
import torch

from mmreid_ext.checkpoint.limits.inert_pickle import InertUnpickler, Nothing


def read(content):
    reader = InertUnpickler(io.BytesIO(content))
    return reader.load(), reader.storages


class Harmful:
    def __reduce__(self):
        return os.mkdir, ("made-by-a-pickle",)


def test_plain_values_stay_and_objects_become_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    content = {"iter": 3, "names": ["a", (1.5, None)], "x": Harmful(), "s": {Harmful}}
    found, storages = read(pickle.dumps(content, protocol=2))
    assert found["iter"] == 3 and found["names"] == ["a", (1.5, None)] and storages == {}
    assert isinstance(found["x"], Nothing) and not os.listdir(tmp_path)


def test_storages_are_counted_in_the_old_format():
    buffer = io.BytesIO()
    tensors = dict(a=torch.zeros(3), b=torch.zeros(5, dtype=torch.uint8), a2=None)
    torch.save(tensors, buffer, _use_new_zipfile_serialization=False)
    buffer.seek(0)
    reader = InertUnpickler(buffer)
    for _ in range(4):
        reader.load()
    assert sorted(reader.storages.values()) == [3, 5]


def test_a_remembered_object_of_a_high_number_costs_nothing():
    """The C class would allocate 34 GB for this."""
    found, _ = read(b"\x80\x02]r\xff\xff\xff\x7f.")
    assert found == []
    with pytest.raises(pickle.UnpicklingError):
        read(b"\x80\x02h\x05.")
