import os

import pytest

from mmreid_ext.deploy.app.refusals import Refusal
from mmreid_ext.deploy.app.requests.multipart import (
    MAX_FIELDS,
    Form,
    Upload,
    base_name,
    boundary_of,
    parse_form,
)


def part(name, content, file=None):
    name = name.encode() if isinstance(name, str) else name
    file = b"" if file is None else b'; filename="' + file.encode() + b'"'
    return b'Content-Disposition: form-data; name="' + name + b'"' + file + b"\r\n\r\n" + content


def body(*parts, boundary=b"xyz"):
    return (
        b"".join(b"--" + boundary + b"\r\n" + p + b"\r\n" for p in parts)
        + b"--"
        + boundary
        + b"--\r\n"
    )


def refused(content, most=3):
    with pytest.raises(Refusal) as caught:
        parse_form(content, b"xyz", most)
    return caught.value.status


def test_files_and_fields_come_out():
    picture = bytes(range(256)) + b"\r\n--xy\r\n\r\n"
    form = parse_form(
        body(
            part("a", picture, "p.jpg"),
            part("t", "ä=1".encode()),
            part("t", b"2"),
            part("b", b"", ""),
        ),
        b"xyz",
        3,
    )
    assert form.uploads == [Upload("a", "p.jpg", picture), Upload("b", "", b"")]
    assert form.fields == {"t": ["ä=1", "2"]}
    assert form.one("t") == "ä=1" and form.many("t") == ["ä=1", "2"] and form.one("u") is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"--xyz",
        b"--abc--",
        body(part("a", b"1"))[:-6],
        body(b"no headers"),
        body(b"Content-Type: text/plain\r\n\r\nno name"),
        body(b"X: " + b"y" * 5000 + b"\r\n\r\n1"),
        body(part("a", b"\xff\xfe")),
        body(part(b"\xff", b"1")),
    ],
    ids=lambda content: repr(content[:20]),
)
def test_what_is_no_form_is_refused(content):
    assert refused(content) == 400


def test_an_empty_form_is_one():
    assert parse_form(b"--xyz--\r\n", b"xyz", 3) == Form()


def test_numbers_and_sizes_have_limits():
    assert refused(body(*[part("a", b"1", "f")] * 4)) == 413
    assert refused(body(*[part("a", b"1")] * (MAX_FIELDS + 1))) == 413
    assert refused(body(*[part("a", b"1")] * 100_000)) == 413
    assert refused(body(part("a", b"1" * 5000))) == 413
    assert parse_form(body(*[part("a", b"1", "f")] * 3), b"xyz", 3).uploads


@pytest.mark.parametrize(
    "name, base",
    [
        ("a.jpg", "a.jpg"),
        ("/etc/passwd", "passwd"),
        ("C:\\Users\\me\\a.jpg", "a.jpg"),
        ("..", ".."),
        ("a\x00\n\x7fb", "ab"),
        ("x/", ""),
        ("é" * 400, "é" * 255),
    ],
)
def test_a_file_keeps_its_base_name(name, base):
    assert base_name(name) == base


def test_names_are_unquoted():
    form = parse_form(
        body(part("a", b"", 'sagt \\"ja\\".jpg'), part("a", b"", "%22.jpg")), b"xyz", 3
    )
    assert [upload.file for upload in form.uploads] == ['sagt "ja".jpg', '".jpg']


@pytest.mark.parametrize(
    "kind, boundary",
    [
        ("multipart/form-data; boundary=xyz", b"xyz"),
        ('Multipart/Form-Data; charset=utf-8; Boundary="x y"', b"x y"),
        ("multipart/form-data", None),
        ("multipart/mixed; boundary=xyz", None),
        ("image/jpeg", None),
        ("", None),
    ],
)
def test_the_boundary_is_found(kind, boundary):
    assert boundary_of(kind) == boundary


def test_a_long_boundary_is_refused():
    with pytest.raises(Refusal, match="boundary"):
        boundary_of("multipart/form-data; boundary=" + "x" * 71)


def test_names_and_numbers_of_parts_are_checked():
    form = Form([Upload("images", "", b"")], {"topk": ["1"]})
    form.require({"images": 1}, {"topk": 1})
    for uploads, fields, status, words in (
        ({"image": 1}, {"topk": 1}, 400, "did you mean 'image'"),
        ({"images": 1}, {"top": 1}, 400, "unknown field 'topk'"),
        ({"images": 1, "topk": 1}, {}, 400, "must be a file"),
        ({"images": 0}, {"topk": 1}, 413, "send fewer"),
        ({"images": 1}, {"topk": 0}, 400, "more than 0 times"),
        ({"images": 1, "b": 1}, {"topk": 1}, 400, "no file b"),
    ):
        with pytest.raises(Refusal, match=words) as caught:
            form.require(uploads, fields)
        assert caught.value.status == status


@pytest.mark.slow
def test_hostile_bodies_take_no_longer_than_others():
    """Bytes that look like the beginning of a boundary are what slow parsers stumble over."""
    import time

    for hostile in (b"\r", b"\r\n", b"\r\n--xy", b"-", os.urandom(7)):
        content = body(part("a", hostile * ((8 << 20) // len(hostile)), "f"))
        begin = time.process_time()
        parse_form(content, b"xyz", 3)
        assert time.process_time() - begin < 1


def test_broken_forms_leave_no_line_in_the_log(caplog):
    for content in (b"--Y\r\n", b"--X\r\nContent-Dis\x00position: a\r\n\r\n"):
        with pytest.raises(Refusal):
            parse_form(content, b"X", 4)
    assert caplog.records == []
