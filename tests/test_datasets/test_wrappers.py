import pytest
from helpers.fake_images import write_market
from mmengine.dataset import ClassBalancedDataset, ConcatDataset, RepeatDataset
from torch import nn
from torch.utils.data import Subset

from mmreid_ext.datasets import Market1501
from mmreid_ext.datasets.samplers import DomainPKSampler, PKSampler
from mmreid_ext.datasets.wrappers import unwrapped
from mmreid_ext.engine.train_loop import check_num_classes
from mmreid_ext.errors import UserError


@pytest.fixture
def market(tmp_path):
    write_market(tmp_path)
    return Market1501(tmp_path, check=False)


class Network(nn.Module):
    def __init__(self, num_classes):
        super().__init__()
        self.head = nn.Module()
        self.head.num_classes = num_classes


WRAPPERS = {
    "repeat": lambda dataset: RepeatDataset(dataset, 2),
    "subset": lambda dataset: Subset(dataset, [0, 1]),
    "concat of one": lambda dataset: ConcatDataset([dataset]),
    "nested": lambda dataset: Subset(ConcatDataset([dataset]), [0]),
}


@pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=WRAPPERS)
def test_the_number_of_classes_is_seen_through_wrappers(market, wrap):
    assert unwrapped(wrap(market)) is market
    check_num_classes(Network(3), wrap(market))
    with pytest.raises(UserError, match="set `model.head.num_classes=3`"):
        check_num_classes(Network(5), wrap(market))


def test_class_balanced(market):
    market.get_cat_ids = lambda index: [int(market.pids[index])]
    assert unwrapped(ClassBalancedDataset(market, 0.5)) is market


def test_two_readers_strung_together_are_refused(market):
    with pytest.raises(UserError, match="ConcatDataset of market1501, market1501.*MultiSourceData"):
        check_num_classes(Network(3), ConcatDataset([market, market]))
    with pytest.raises(UserError, match="MultiSourceDataset"):
        unwrapped(Subset(ConcatDataset([market, market]), [0]))


def test_readers_that_are_not_read_yet_are_refused_too(tmp_path):
    lazy = Market1501(tmp_path, check=False, lazy_init=True)
    with pytest.raises(UserError, match="MultiSourceDataset"):
        unwrapped(ConcatDataset([lazy, lazy], lazy_init=True))


@pytest.mark.parametrize("sampler", [PKSampler, DomainPKSampler])
def test_samplers_refuse_wrappers_and_say_what_to_use(market, sampler):
    with pytest.raises(UserError, match="ConcatDataset of market1501, market1501.*MultiSourceData"):
        sampler(ConcatDataset([market, market]), 4, 2)
    for wrap in WRAPPERS.values():
        with pytest.raises(UserError, match="pids is missing.*use the Market1501 inside"):
            sampler(wrap(market), 4, 2)
    with pytest.raises(UserError, match="pids is missing.*use a re-ID data set"):
        sampler([1, 2, 3], 4, 2)


def test_other_data_sets_are_left_alone():
    data = [1, 2, 3]
    assert unwrapped(data) is data
