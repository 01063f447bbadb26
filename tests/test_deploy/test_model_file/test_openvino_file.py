"""The reader of OpenVINO's XML finds the record, and nothing that expands or isn't a model."""

import pytest
from helpers.exported_model import info, write_openvino

from mmreid_ext.deploy.model_file.openvino_file import openvino_metadata


def test_the_record_is_that_of_the_onnx_file(tmp_path):
    file = write_openvino(tmp_path)
    assert openvino_metadata(file, "mmreid_ext", 1 << 20) == info().to_json()
    assert openvino_metadata(file, "other", 1 << 20) is None
    with pytest.raises(OSError, match="longer than 9 bytes"):
        openvino_metadata(file, "mmreid_ext", 9)


@pytest.mark.parametrize(
    "text, reason",
    [
        ("", "no XML"),
        ("<net><a></net>", "no XML"),
        ("<html></html>", "isn't <net>"),
        ('<!DOCTYPE x [<!ENTITY a "aaaa">]><net>&a;</net>', "document type"),
        (" " * 5000 + '<!DOCTYPE x [<!ENTITY a "aaaa">]><net>&a;</net>', "document type"),
    ],
)
def test_other_files_are_told(tmp_path, text, reason):
    file = tmp_path / "model.xml"
    file.write_text(text)
    with pytest.raises(OSError, match=reason):
        openvino_metadata(file, "mmreid_ext", 99)
