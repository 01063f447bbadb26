"""Data sets of a list, a folder and a configuration."""

import pytest
from helpers.drawn_shop import Shop
from helpers.fake_images import write_images, write_market

from mmreid_ext.datasets.audit.sources import sets_of_config, sets_of_path
from mmreid_ext.errors import UserError

MARKET = "mmreid_ext.Market1501"


def test_a_list_and_a_folder_with_a_list(tmp_path):
    path = Shop(tmp_path / "shop").write()
    for given in (path, path.parent):
        (found,) = sets_of_path(given)
        assert (found.title, len(found.records), found.findings) == ("shop", 32, [])


def test_a_benchmark_is_known_by_its_folder(tmp_path):
    folder = write_market(tmp_path)
    (found,) = sets_of_path(folder)
    assert found.title == "market1501"
    assert [f.kind for f in found.findings] == ["not_published"]
    folder.rename(tmp_path / "my_pictures")
    (found,) = sets_of_path(tmp_path / "my_pictures")
    assert (found.title, found.findings) == ("my_pictures", [])
    assert len(found.records) == 25


def test_other_folders_have_a_folder_per_person(tmp_path):
    write_images(tmp_path, "lea/1.jpg", "tom/1.jpg")
    (found,) = sets_of_path(tmp_path)
    assert [r["pid_name"] for r in found.records] == ["lea", "tom"]


@pytest.mark.parametrize("name, words", [("x", "no file or folder"), ("a.jpg", "no configuration")])
def test_what_is_neither_is_refused(tmp_path, name, words):
    write_images(tmp_path, "a.jpg")
    with pytest.raises(UserError, match=words):
        sets_of_path(tmp_path / name)


def test_all_sets_of_a_configuration_each_once(tmp_path):
    folder = write_market(tmp_path)
    market = dict(type=MARKET, data_root=str(tmp_path))
    twice = dict(market, name="again", max_identities=2)
    train = dict(type="MultiSourceDataset", sources=[market, twice])
    test = dict(market, mode="test", pipeline=[])
    cfg = dict(
        train_dataloader=dict(dataset=dict(type="RepeatDataset", times=2, dataset=train)),
        val_dataloader=dict(dataset=test),
        test_dataloader=dict(dataset=dict(test, pipeline=[dict(type="Resize")])),
    )
    found = sets_of_config(cfg)
    assert [(one.title, len(one.records)) for one in found] == [
        ("market1501", 12),
        ("again", 8),
        ("market1501", 13),
    ]
    assert {one.space for one in found} == {f"Market1501 {folder}"}


def test_faults_of_one_set_leave_the_others(tmp_path):
    write_market(tmp_path)
    cfg = dict(
        train_dataloader=dict(dataset=dict(type=MARKET, data_root=str(tmp_path / "nowhere"))),
        val_dataloader=dict(dataset=dict(type=MARKET, data_root=str(tmp_path), speed=3)),
        test_dataloader=dict(dataset=dict(type="CustomDataset")),
    )
    found = sets_of_config(cfg)
    kinds = [[f.kind for f in one.findings] for one in found]
    assert kinds == [["unreadable_set"], ["unreadable_set"], ["unchecked"]]
    assert "speed" in found[1].findings[0].groups[0].note
