import pytest

from mmreid_ext.datasets.readers.text_file import read_text
from mmreid_ext.errors import UserError


@pytest.fixture
def file(tmp_path):
    return tmp_path / "list.txt"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_that_say_what_they_are(file, encoding):
    file.write_bytes("Jörg\r\n7\n".encode(encoding))
    assert read_text(file) == "Jörg\r\n7\n"


def test_other_encodings_must_be_named(file):
    file.write_bytes(b"one\ntwo\nJ\xf6rg\n")
    with pytest.raises(UserError, match="list.txt, line 3: byte 0xf6 is not utf-8"):
        read_text(file)
    assert read_text(file, "cp1252").endswith("Jörg\n")
    with pytest.raises(UserError, match="encoding='klingon' is not known"):
        read_text(file, "klingon")


def test_binary_files_are_no_text(file):
    file.write_bytes(b"one\nt\0wo\n")
    with pytest.raises(UserError, match="line 2: there is a zero byte"):
        read_text(file)
