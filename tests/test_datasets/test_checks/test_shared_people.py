"""Pictures and people that two data sets share."""

import shutil

import pytest
from helpers.fake_images import write_images, write_market
from helpers.shop_list import HEAD

from mmreid_ext.datasets import (
    CUHK01,
    CUHK02,
    BenchmarkSuite,
    Market1501,
    MultiSourceDataset,
)
from mmreid_ext.datasets.checks.located import Located
from mmreid_ext.datasets.checks.shared_people import trained_on_messages
from mmreid_ext.errors import UserError


def messages(train, test):
    return trained_on_messages(train, test, Located(train.table), Located(test.table))


@pytest.mark.slow
def test_sources_that_share_pictures_are_refused(tmp_path):
    folder = write_market(tmp_path)
    (tmp_path / "elsewhere").symlink_to(folder)
    rows = "".join(
        f"{path},{path.name[:4]},0,train\n" for path in (folder / "bounding_box_train").iterdir()
    )
    (tmp_path / "list.csv").write_text(HEAD + rows)
    market = dict(type="mmreid_ext.Market1501", data_root=str(tmp_path), check=False)
    linked = dict(market, data_root=str(tmp_path / "elsewhere"), name="b")
    listed = dict(type="mmreid_ext.CSVDataset", csv_file=str(tmp_path / "list.csv"), name="c")
    for other in (dict(market, name="b"), linked, listed):
        with pytest.raises(UserError, match=f"'market1501' and '{other['name']}' share 12 images"):
            MultiSourceDataset([market, other])


@pytest.mark.slow
def test_copies_in_another_folder_are_found_by_their_contents(tmp_path):
    folder = write_market(tmp_path)
    shutil.copytree(folder, tmp_path / "copy" / "market1501")
    market = dict(type="mmreid_ext.Market1501", data_root=str(tmp_path), check=False)
    copy = dict(market, data_root=str(tmp_path / "copy"), name="b")
    assert len(MultiSourceDataset([market, copy])) == 24
    contents = dict(compare_files="content")
    for sources in ([market | contents, copy], [market, copy | contents]):
        with pytest.raises(UserError, match="'market1501' and 'b' share 12 images"):
            MultiSourceDataset(sources)


def test_benchmarks_that_show_the_same_people_are_named(tmp_path, said):
    write_images(tmp_path / "CUHK01", "campus/0001001.png", "campus/0002003.png")
    cameras = [f"Dataset/P{pair}/cam{view}" for pair in range(1, 6) for view in (1, 2)]
    names = [f"{camera}/{pid:03d}_1.png" for camera in cameras for pid in (1, 2)]
    write_images(tmp_path / "CUHK02", *names)
    one = CUHK01(tmp_path, combine_all=True, check=False, lazy_init=True)
    two = CUHK02(tmp_path, check=False, lazy_init=True)
    MultiSourceDataset([one, two])
    assert any("'cuhk02' and 'cuhk01' share people" in text for text in said)


@pytest.mark.slow
def test_people_of_a_training_set_are_found_in_the_test_set(tmp_path):
    folder = write_market(tmp_path)
    shots = [f"campus/{pid}00{shot}.png" for pid in ("0001", "0002") for shot in (1, 3)]
    write_images(tmp_path / "CUHK01", *shots)
    cameras = [f"Dataset/P{pair}/cam{view}" for pair in range(1, 6) for view in (1, 2)]
    write_images(tmp_path / "CUHK02", *(f"{camera}/001_1.png" for camera in cameras))
    (tmp_path / "door").symlink_to(folder)
    market = Market1501(tmp_path / "door", mode="test", check=False)
    cuhk01 = CUHK01(tmp_path, mode="test", check=False)
    cuhk02 = dict(type="mmreid_ext.CUHK02", data_root=str(tmp_path), check=False)
    suite = BenchmarkSuite([market, cuhk01])
    everything = Market1501(tmp_path, combine_all=True, check=False, name="all")
    trained = MultiSourceDataset([everything, cuhk02])
    images, people = messages(trained, suite)
    assert "12 images of the test set 'market1501 + cuhk01' are trained on" in images
    assert "'cuhk02' and the test set 'cuhk01' share people" in people
    assert messages(Market1501(tmp_path, check=False), market) == []
    pair_5 = CUHK02(tmp_path, mode="test", check=False)  # not the pair that is CUHK01
    assert messages(CUHK01(tmp_path, combine_all=True, check=False), pair_5) == []
