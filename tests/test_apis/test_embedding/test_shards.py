"""Finished parts survive, parts of another work are refused."""

import numpy as np
import pytest

from mmreid_ext.apis.embedding.shards import Shard, ShardStore
from mmreid_ext.errors import UserError

SHARD = Shard(np.array([0, 2]), np.ones((2, 3), np.float32), {1: "no picture: ü"})


def store(tmp_path, **plan):
    return ShardStore(tmp_path / "f.npz", dict(model="a", pictures=3) | plan)


def test_a_shard_is_read_as_it_was_written(tmp_path):
    one = store(tmp_path)
    assert one.prepare() == 0 and not one.has(0)
    one.save(0, SHARD)
    again = store(tmp_path)
    assert again.prepare() == 1 and again.has(0)
    (found,) = again.shards(1)
    assert found.unreadable == SHARD.unreadable
    assert (found.rows == SHARD.rows).all() and (found.feats == SHARD.feats).all()
    with pytest.raises(UserError, match="shard_0000001.npz is missing"):
        list(again.shards(2))
    again.remove()
    assert list(tmp_path.iterdir()) == []


def test_parts_of_another_work_are_refused_or_deleted_when_asked(tmp_path):
    one = store(tmp_path)
    one.prepare()
    one.save(0, SHARD)
    other = store(tmp_path, model="b")
    with pytest.raises(UserError, match="another kind: model was 'a', is 'b'.*--again"):
        other.prepare()
    assert one.has(0)
    assert other.prepare(again=True) == 0 and not one.has(0)


def test_a_folder_of_somebody_else_is_kept(tmp_path):
    (tmp_path / "f.npz.parts").mkdir()
    (tmp_path / "f.npz.parts" / "mine.txt").touch()
    with pytest.raises(UserError, match="not a folder of this tool"):
        store(tmp_path).prepare(again=True)
    assert (tmp_path / "f.npz.parts" / "mine.txt").exists()


def test_a_damaged_plan_is_another_one(tmp_path):
    one = store(tmp_path)
    one.prepare()
    (one.folder / "plan.json").write_text("{")
    with pytest.raises(UserError, match="plan was 'damaged'"):
        one.prepare()


def test_a_shard_of_another_model_is_never_taken_for_ones_own(tmp_path):
    """A run whose folder was taken over by another model goes on saving."""
    first, second = store(tmp_path), store(tmp_path, model="b")
    first.prepare()
    second.prepare(again=True)
    first.save(0, SHARD)
    second.save(1, SHARD)
    assert not second.has(0) and second.has(1) and second.count() == 1
    for one in (first, second):
        with pytest.raises(UserError, match="is missing or of another work"):
            list(one.shards(2))
    with pytest.raises(UserError, match="another kind: model was 'b', is 'a'"):
        first.require_same_plan()


def test_two_runs_do_not_share_a_result(tmp_path):
    with store(tmp_path).held():
        for again in (store(tmp_path), store(tmp_path, model="b")):
            with pytest.raises(UserError, match="another process is writing"), again.held():
                raise AssertionError("both are in")
    with store(tmp_path).held():
        pass
    assert list(tmp_path.iterdir()) == [], "an empty folder is not left behind"


def test_a_folder_outlives_a_failed_run_and_not_a_finished_one(tmp_path):
    one = store(tmp_path)
    with pytest.raises(KeyboardInterrupt), one.held():
        one.prepare()
        one.save(0, SHARD)
        raise KeyboardInterrupt
    assert one.has(0)
    with one.held():
        assert one.prepare() == 1
        one.remove()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(UserError, match="was deleted during the work"):
        one.save(1, SHARD)


def test_a_damaged_shard_is_made_again(tmp_path):
    one = store(tmp_path)
    one.prepare()
    one.save(0, SHARD)
    content = one.path(0).read_bytes()
    for damage in (b"", b"no archive", content[: len(content) // 2]):
        one.path(0).write_bytes(damage)
        assert not one.has(0)
