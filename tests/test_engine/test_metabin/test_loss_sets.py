import pytest

from mmreid_ext.engine import LOSS_SETS, LossSets
from mmreid_ext.engine.metabin.loss_sets import resolve_loss_sets

STAGES = dict(base=["ce"], meta_train=["ce", "triplet"], meta_test=["triplet"])


@pytest.mark.parametrize("name", LOSS_SETS)
def test_a_set_is_found_by_its_name_and_by_itself(name):
    assert resolve_loss_sets(name) is LOSS_SETS[name]
    assert resolve_loss_sets(LOSS_SETS[name]) == LOSS_SETS[name]
    assert resolve_loss_sets(LOSS_SETS[name]._asdict()) == LOSS_SETS[name]


def test_a_dict_names_every_stage():
    assert resolve_loss_sets(STAGES) == LossSets(("ce",), ("ce", "triplet"), ("triplet",))
    with pytest.raises(ValueError, match="needs the keys base, meta_train, meta_test, got"):
        resolve_loss_sets(dict(base=["ce"], meta_train=["ce"]))
    with pytest.raises(ValueError, match="needs the keys"):
        resolve_loss_sets(STAGES | dict(meta_tset=["ce"]))


def test_an_unknown_set():
    message = "one of single_source, multi_source, paddleclas or a dict, got 'official'"
    with pytest.raises(ValueError, match=message):
        resolve_loss_sets("official")
