import pytest
from helpers.fake_images import write_images, write_market
from mmengine.dataset import RepeatDataset

from mmreid_ext.datasets import BenchmarkSuite, CSVDataset, Market1501, MultiSourceDataset
from mmreid_ext.errors import UserError, UserTypeError

MARKET = dict(type="mmreid_ext.Market1501", check=False)
CSV = dict(type="mmreid_ext.CSVDataset", csv_file="shop/list.csv")


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("MMREID_DATA_ROOT", str(tmp_path))
    write_market(tmp_path)
    names = [f"{i}.jpg" for i in range(6)]
    splits = ["train"] * 3 + ["query", "gallery", "gallery"]
    rows = [f"{n},{10 + i % 3},{3 - i % 2},{s}" for i, (n, s) in enumerate(zip(names, splits))]  # noqa: B905
    write_images(tmp_path / "shop", *names)
    text = "path,pid,camid,split\n" + "\n".join(rows) + "\n"
    (tmp_path / "shop" / "list.csv").write_text(text.replace("5.jpg,12", "5.jpg,10"))
    return tmp_path


def test_identities_cameras_and_domains_are_disjoint():
    dataset = MultiSourceDataset([MARKET, CSV])
    assert dataset.pids.tolist() == [0] * 4 + [1] * 4 + [2] * 4 + [3, 4, 5]
    assert dataset.domains.tolist() == [0] * 12 + [1] * 3
    assert dataset.camids.tolist() == [0, 0, 1, 1] * 3 + [5, 4, 5]
    assert (dataset.num_classes, dataset.num_domains) == (6, 2)


def test_records_keep_their_origin():
    record = MultiSourceDataset([MARKET, CSV])[13]
    assert (record["dataset"], record["pid"], record["gt_label"]) == ("shop", 11, 4)
    assert record["sample_idx"] == 13 and record["img_path"].endswith("1.jpg")


def test_cameras_of_one_source_may_be_domains():
    dataset = MultiSourceDataset([CSV, {**MARKET, "domain_from": "camera"}])
    assert dataset.num_domains == 3
    assert dataset.domains.tolist() == [0, 0, 0] + [1, 1, 2, 2] * 3


def test_unknown_cameras_stay_unknown(root):
    text = "path,pid,split\n0.jpg,1,train\n1.jpg,2,train\n"
    (root / "shop" / "list.csv").write_text(text)
    assert MultiSourceDataset([MARKET, CSV]).camids[-2:].tolist() == [-1, -1]


def test_combined_sources_and_cuts():
    dataset = MultiSourceDataset([{**MARKET, "combine_all": True}, {**CSV, "max_identities": 2}])
    assert (dataset.num_classes, len(dataset)) == (5 + 2, 24 + 2)


def test_built_sources_are_accepted_and_left_alone():
    market, shop = Market1501(check=False), CSVDataset("shop/list.csv")
    before = [market[i] for i in range(len(market))]
    dataset = MultiSourceDataset([shop, market])
    assert dataset[3]["gt_label"] == 3 and dataset[3]["domain"] == 1
    assert [market[i] for i in range(len(market))] == before
    with pytest.raises(ValueError, match="'market1501' has mode 'train'"):
        BenchmarkSuite([market])


def test_one_pipeline_for_all():
    load = dict(type="mmpretrain.LoadImageFromFile")
    dataset = MultiSourceDataset([MARKET, CSV], [load])
    assert all(dataset[i]["img"].shape == (8, 4, 3) for i in (0, 14))


def test_unreadable_image_of_a_source_is_replaced_within_its_identity(root):
    load = dict(type="mmpretrain.LoadImageFromFile")
    path = sorted((root / "Market-1501-v15.09.15" / "bounding_box_train").iterdir())[6]
    path.write_bytes(b"")
    dataset = MultiSourceDataset([CSV, MARKET], [load], on_corrupt="skip")
    assert dataset[9]["gt_label"] == dataset.pids[9] == 4
    assert dataset.corrupt.indices == [9]


def test_suite_holds_all_test_sets_with_their_own_ids():
    suite = BenchmarkSuite([MARKET, {**CSV, "protocol": "no_camera"}])
    market = {"protocol": "camera", "distractor_pids": [0]}
    assert suite.metainfo["test_sets"] == {"market1501": market, "shop": {"protocol": "no_camera"}}
    assert suite.pids.tolist()[-3:] == [10, 11, 10]
    records = [suite[i] for i in range(len(suite))]
    assert [r["sample_idx"] for r in records] == list(range(len(suite)))
    roles = [(r["dataset"], r["role"]) for r in records]
    assert (
        roles
        == [("market1501", "query")] * 4
        + [("market1501", "gallery")] * 9
        + [("shop", "query")]
        + [("shop", "gallery")] * 2
    )
    assert suite.domains.tolist() == [0] * 13 + [1] * 3


def test_names_must_differ():
    with pytest.raises(ValueError, match="different names.*'market1501', 'market1501'"):
        BenchmarkSuite([MARKET, MARKET])
    suite = BenchmarkSuite([MARKET, {**MARKET, "name": "again"}])
    assert list(suite.metainfo["test_sets"]) == ["market1501", "again"]


@pytest.mark.parametrize("unread", [dict(data_root="/nowhere"), dict(ann_file="list.txt")])
def test_an_option_that_nothing_reads_is_refused(unread):
    (name,) = unread
    with pytest.raises(UserTypeError, match=f"{name}=.* has no effect; "):
        MultiSourceDataset([MARKET, CSV], **unread)


def test_no_sources():
    with pytest.raises(ValueError, match="MultiSourceDataset: `sources` is empty"):
        MultiSourceDataset([])


@pytest.mark.parametrize("combine", [MultiSourceDataset, BenchmarkSuite])
def test_wrappers_and_combinations_are_no_sources(combine):
    wrapped = dict(type="RepeatDataset", dataset=MARKET, times=2)
    combined = dict(type=f"mmreid_ext.{combine.__name__}", sources=[MARKET])
    mode = dict(MultiSourceDataset="train", BenchmarkSuite="test")[combine.__name__]
    market = Market1501(check=False, mode=mode)
    by_class = {**wrapped, "type": RepeatDataset}
    words = f"{combine.__name__}: sources holds .*no reader of one"
    for source in (wrapped, combined, RepeatDataset(market, 2), combine([MARKET]), by_class):
        with pytest.raises(UserError, match=words):
            combine([source])
    assert len(combine([{**MARKET, "type": Market1501}])) == len(market)


def test_a_missing_source_stops_the_run(root):
    with pytest.raises(FileNotFoundError, match="msmt17 was not found"):
        MultiSourceDataset([MARKET, dict(type="mmreid_ext.MSMT17")])
