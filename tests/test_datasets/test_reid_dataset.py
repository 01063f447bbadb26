import pytest
from helpers.fake_images import write_images, write_market

from mmreid_ext.datasets import Market1501, reid_dataset


@pytest.fixture
def root(tmp_path):
    return write_market(tmp_path).parent


def build(root, **options):
    return Market1501(root, check=False, **options)


def test_record_of_a_training_image(root):
    record = build(root)[4]
    name = "Market-1501-v15.09.15/bounding_box_train/0020_c1s1_000251_01.jpg"
    assert record == dict(
        img_path=str(root / name), pid=20, camid=0, domain=0, role="train", dataset="market1501",
        gt_label=1, sample_idx=4,
    )  # fmt: skip


def test_test_set_keeps_ids_and_announces_its_protocol(root):
    dataset = build(root, mode="test")
    assert dataset.pids.tolist() == [40, 40, 50, 50] + [0] + [40] * 4 + [50] * 4
    assert [dataset[i]["role"] for i in (0, 3, 4, 12)] == ["query", "query", "gallery", "gallery"]
    assert "gt_label" not in dataset[0] and dataset.num_classes == 2
    assert dataset.metainfo["test_sets"] == {
        "market1501": {"protocol": "camera", "distractor_pids": [0]}
    }


def test_name_and_protocol_can_be_given(root):
    dataset = build(root, mode="test", name="mine", protocol=dict(type="camera", ranks=(1,)))
    announced = dataset.metainfo["test_sets"]
    protocol = dict(type="camera", ranks=(1,))
    assert announced == {"mine": {"protocol": protocol, "distractor_pids": [0]}}
    assert dataset[0]["dataset"] == "mine"


def test_combine_all_trains_on_everything_but_junk_and_distractors(root):
    dataset = build(root, combine_all=True)
    assert (len(dataset), dataset.num_classes) == (12 + 8 + 4, 5)


def test_options_that_do_not_exist_say_so(root):
    with pytest.raises(ValueError, match="got 'val'"):
        build(root, mode="val")
    with pytest.raises(ValueError, match="got 'ignore'"):
        build(root, on_corrupt="ignore")
    with pytest.raises(NotImplementedError, match="max_identities"):
        build(root).get_subset(range(3))


def test_a_reader_without_read_says_what_is_missing(root):
    class Unfinished(reid_dataset.ReIDDataset):
        title = "Market-1501"

    with pytest.raises(NotImplementedError, match=r"Unfinished has no read\(\)"):
        Unfinished.read(object.__new__(Unfinished), root)


def test_unparsed_names_and_wrong_counts_are_warned_about(root, monkeypatch):
    write_images(root / "Market-1501-v15.09.15", "query/me.jpg")
    messages = []
    monkeypatch.setattr(reid_dataset, "print_log", lambda text, **_: messages.append(text))
    Market1501(root, mode="test")
    text = " ".join(messages)
    assert "1 file names" in text and "me.jpg" in text
    assert "query has 4 images (published: 3368)" in text


def test_a_missing_folder_stops_before_anything_else(tmp_path):
    with pytest.raises(FileNotFoundError, match="bounding_box_train, query, bounding_box_test"):
        Market1501(tmp_path)
