"""What a gallery holds, in words and as JSON."""

import json

import numpy as np
import pytest
from helpers.exported_model import info

pytest.importorskip("faiss")

from mmreid_ext.cli.gallery.report import info_data, info_text, to_delete
from mmreid_ext.deploy import Gallery
from mmreid_ext.errors import UserError


@pytest.fixture
def gallery(tmp_path):
    with Gallery(tmp_path / "people.db", model=info(size=4)) as found:
        found.add(
            np.eye(4),
            identities=["lea", "lea", "tom\n", None],
            cameras=["door", None, None, None],
            times=[0.0, 60.0, None, None],
        )
        yield found


def test_the_screen(gallery):
    lines = info_text(gallery).splitlines()
    assert lines[:5] == [
        "pictures  4",
        "people    2: lea (2), tom  (1); 1 picture of nobody known",
        "cameras   1: door (1)",
        f"model     {gallery.model.name}, 4 numbers per picture",
        "taken     1970-01-01 00:00:00 to 1970-01-01 00:01:00 (UTC)",
    ]
    assert lines[-1].startswith("size ") and lines[-1].endswith(" MB")


def test_an_empty_gallery(tmp_path):
    with Gallery(tmp_path / "empty.db", model=info(size=4)) as found:
        assert info_text(found).splitlines()[:3] == ["pictures  0", "people    0", "cameras   0"]


def test_json_has_every_name(gallery):
    data = json.loads(json.dumps(info_data(gallery)))
    assert data["rows"] == 4 and data["unnamed"] == 1
    assert data["people"] == [{"identity": "lea", "count": 2}, {"identity": "tom\n", "count": 1}]
    assert data["cameras"] == [{"camera": "door", "count": 1}]
    assert data["last"] == "1970-01-01T00:01:00Z" and data["model"]["identity"] == "ab" * 32


def test_what_will_be_deleted(gallery):
    assert to_delete(gallery, "lea", None) == "2 pictures of 'lea'"
    assert to_delete(gallery, None, [1, 1, 2]) == "2 pictures"
    with pytest.raises(
        UserError, match=r"--identity 'lee': .* no such person \(did you mean 'lea'"
    ):
        to_delete(gallery, "lee", None)
