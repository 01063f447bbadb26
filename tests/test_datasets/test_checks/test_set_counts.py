"""Images, people and cameras are counted."""

from helpers.fake_images import write_market
from helpers.shop_list import TEST, TRAIN

from mmreid_ext.datasets import BenchmarkSuite, Market1501
from mmreid_ext.datasets.checks.set_counts import SetCounts, count_set


def test_the_counts_of_one_set_and_of_several(tmp_path, make):
    write_market(tmp_path)
    market = Market1501(tmp_path, mode="test", check=False)
    assert count_set(market) == SetCounts("market1501", 13, 2, 2)  # a distractor among them
    suite = BenchmarkSuite([market, make(TRAIN + TEST)])
    assert count_set(suite) == SetCounts("market1501 + shop", 15, 3, 4, 2)
    assert count_set(suite).line == "2 sets: 15 images, 3 people, 4 cameras"


def test_unknown_cameras_are_not_counted(make):
    counts = count_set(make(TRAIN.replace(",0,", ",,") + TEST, mode="train"))
    assert counts.line == "shop: 2 images, 2 people, cameras unknown"
    assert SetCounts("a", 1, 1, 1).line == "a: 1 image, 1 person, 1 camera"
