import pytest

from mmreid_ext.datasets.readers.csv_table import Row, read_table
from mmreid_ext.errors import UserError


@pytest.fixture
def read(tmp_path):
    def run(content, **options):
        path = tmp_path / "list.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_table(path, ("path", "pid", "camid"), ("path", "pid"), **options)

    return run


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_rows_lines_and_columns(read, delimiter, end):
    text = end.join(["path,pid", "a b.jpg , 7", "", "c.jpg,bob", ""]).replace(",", delimiter)
    columns, rows = read(text)
    assert columns == ["path", "pid"]
    assert rows == [
        Row(2, {"path": "a b.jpg", "pid": "7"}),
        Row(4, {"path": "c.jpg", "pid": "bob"}),
    ]


def test_quoted_values_may_hold_the_separator(read):
    assert read('path,pid\n"a,b.jpg","say ""x"""\n')[1][0].cells == {
        "path": "a,b.jpg",
        "pid": 'say "x"',
    }


def test_ignored_columns_are_left_out(read):
    columns, (row,) = read("note,path,pid\nx,a.jpg,1\n", ignored=["note"])
    assert columns == ["path", "pid"] and row.cells == {"path": "a.jpg", "pid": "1"}


MISTAKES = {
    "fewer": ("path,pid\na.jpg\n", r"line 2: fewer values than columns \(1, not 2\)"),
    "more": ("path,pid\na.jpg,1,2\n", r"line 2: more values than columns \(3, not 2\)"),
    "no header": ("a.jpg,1\n", r"has the columns \['a.jpg', '1'\].*missing"),
    "lacks pid": ("path,camid\n", r"\['pid'\] missing"),
    "misspelt": ("path,pid,camd\n", "unknown column 'camd'.*did you mean 'camid'"),
    "long name": (
        f"path,pid,{'9' * 9999}\n",
        r"unknown column '9{79}…'\. .*ignore_columns=\['9{79}…'\]",
    ),
    "twice": ("path,pid,pid\n", r"columns \['pid'\] more than once"),
    "open quote": ('path,pid\n"a.jpg,1\nb.jpg,2\n', 'quote ."'),
    "lone quote": ('path,pid\n"a"x.jpg,1\n', "line 2: .*quote"),
    "archive": (b"PK\x03\x04...", "is a spreadsheet or an archive"),
    "empty": ("", "missing"),
}


@pytest.mark.parametrize("content, words", MISTAKES.values(), ids=MISTAKES)
def test_mistakes_are_named(read, content, words):
    with pytest.raises(UserError, match=words):
        read(content)
