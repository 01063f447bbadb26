import cv2
import numpy as np
import pytest

from mmreid_ext.datasets.synthetic import make_synthetic_domains
from mmreid_ext.errors import MissingFileError, UserError
from mmreid_ext.export.accuracy.labelled_set import labelled_sets


def test_the_list_of_a_configuration_and_the_list_itself(small):
    for target in (small.folder / "tiny.py", small.folder / "list.csv"):
        (found,) = labelled_sets(target)
        assert len(found.records) == len(found.table) == 8
        assert sorted(set(found.table.roles.tolist())) == ["gallery", "query"]
        assert set(found.table.pids.tolist()) == {2, 3}


def test_the_folder_of_a_benchmark(tmp_path):
    folder = make_synthetic_domains(tmp_path / "made", 1, 4, size=(32, 16)) / "domain_0"
    (found,) = labelled_sets(folder)
    assert len(found.records) == 16 and (found.table.roles == "query").sum() == 8


def picture(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((16, 8, 3), value, np.uint8))


def test_a_folder_per_person_asks_every_picture_against_all_others(tmp_path):
    for person in ("anna", "ben"):
        for number in range(2):
            picture(tmp_path / person / f"{number}.png", number)
    (found,) = labelled_sets(tmp_path)
    assert found.protocol.self_retrieval and len(found.records) == 4


def test_a_folder_of_queries_and_gallery(tmp_path):
    for role in ("query", "gallery"):
        for person in ("anna", "ben"):
            picture(tmp_path / role / person / "0.png", 1)
    (found,) = labelled_sets(tmp_path)
    assert not found.protocol.self_retrieval and found.protocol.describe()["use_cameras"] is False


def test_what_holds_no_labels(tmp_path):
    with pytest.raises(MissingFileError, match="--data .*none"):
        labelled_sets(tmp_path / "none")
    with pytest.raises(UserError, match="no labelled test images .*no person's folder"):
        labelled_sets(tmp_path)
