"""Every picture is read once, by several threads, and Ctrl-C loses nothing."""

import numpy as np
import pytest
from helpers.drawn_shop import found, notes

from mmreid_ext.datasets.audit import scan as module
from mmreid_ext.datasets.audit.scan import read_part, scan
from mmreid_ext.datasets.audit.sources import sets_of_path
from mmreid_ext.datasets.audit.table import tabulate


def test_threads_see_what_one_sees(shop):
    table = tabulate(sets_of_path(shop.write()))
    one, four = scan(table, 1), scan(table, 4)
    for name in ("digests", "sizes", "contrasts", "hashes"):
        assert np.array_equal(getattr(one, name), getattr(four, name)), name
    assert one.seen == four.seen == len(table) == 32
    assert one.sizes.tolist() == [[64, 128]] * 32
    assert len(set(one.digests.tolist())) == 32 and (one.contrasts > 5).all()


def test_progress_is_told_in_rows(shop, monkeypatch):
    monkeypatch.setattr(module, "_CHUNK", 4)
    told = []
    scan(tabulate(sets_of_path(shop.write())), 1, lambda *done: told.append(done))
    assert told and told == sorted(told) and {total for _, total in told} == {32}


def test_an_interrupted_scan_keeps_what_it_saw(shop, monkeypatch):
    monkeypatch.setattr(module, "_CHUNK", 4)
    shop.add("empty.jpg", b"", "ann", "1", "train")
    shop.rows.insert(0, shop.rows.pop())

    def stop(done, total):
        if done > 8:
            raise KeyboardInterrupt

    report = shop.audit(workers=1, progress=stop)
    assert not report.is_complete
    assert found(report)["unreadable"] == [["empty.jpg"]]
    assert "of 33 pictures were looked at" in notes(report, "stopped")[0]


def test_large_files_are_decoded_small_and_measured_in_full(shop, monkeypatch):
    monkeypatch.setattr(module, "_LARGE", 1)
    assert scan(tabulate(sets_of_path(shop.write())), 1).sizes.tolist() == [[64, 128]] * 32


def test_a_part_is_what_training_cuts_out(shop):
    image = read_part(str(shop.path("train")), None)
    assert np.array_equal(read_part(str(shop.path("train")), (3, 5, 20, 40)), image[5:45, 3:23])


@pytest.mark.parametrize("bit", [0, 40])
def test_the_look_changes_with_the_picture(bit):
    image = np.arange(81 * 4, dtype=np.uint8).reshape(18, 18) % 251
    other = image.copy()
    other[bit % 18 : bit % 18 + 8] = 255 - other[bit % 18 : bit % 18 + 8]
    assert module._look(image) == module._look(image.copy()) != module._look(other)
