import pytest
from helpers.fake_images import write_market
from mmengine.dataset import ClassBalancedDataset, ConcatDataset, RepeatDataset
from torch import nn
from torch.utils.data import Subset

from mmreid_ext.datasets import Market1501, VIPeR
from mmreid_ext.datasets.samplers import DomainPKSampler, PKSampler
from mmreid_ext.datasets.wrappers import refuse_wrappers, unwrapped
from mmreid_ext.engine.settings.class_count import check_num_classes
from mmreid_ext.engine.settings.idle_settings import check_complete
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


READER = dict(type="mmreid_ext.Market1501")
REPEATED = dict(type="RepeatDataset", times=2, dataset=READER)
BOTH = dict(type="ConcatDataset", datasets=[READER, dict(type=VIPeR)])


@pytest.mark.parametrize(
    "config",
    [
        BOTH,
        dict(type="RepeatDataset", times=2, dataset=BOTH),
        dict(type=ConcatDataset, datasets=[READER, REPEATED]),
    ],
    ids=["strings", "nested", "classes"],
)
def test_configurations_that_string_readers_together_are_refused_before_data_are_read(config):
    with pytest.raises(UserError, match="^train=.*identities are numbered.*MultiSourceDataset"):
        refuse_wrappers(config, "train")
    with pytest.raises(UserError, match="^test=.*BenchmarkSuite"):
        refuse_wrappers(config, "test", is_test=True)


def test_a_wrapped_test_set_is_refused_and_other_configurations_are_not():
    with pytest.raises(UserError, match="^test=RepeatDataset: test images would be repeated"):
        refuse_wrappers(REPEATED, "test", is_test=True)
    with pytest.raises(UserError, match="val_dataloader.dataset=RepeatDataset"):
        check_complete(dict(dataset=REPEATED), "val_dataloader")
    plain = dict(type="mmpretrain.CIFAR10")
    for config in (READER, None, plain, dict(type="ConcatDataset", datasets=[plain, plain])):
        refuse_wrappers(config, "test", is_test=True)
        refuse_wrappers(config, "train")
    refuse_wrappers(REPEATED, "train")
    refuse_wrappers(dict(type="ConcatDataset", datasets=[REPEATED]), "train")


def test_other_data_sets_are_left_alone():
    data = [1, 2, 3]
    assert unwrapped(data) is data
