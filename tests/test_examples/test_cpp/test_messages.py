"""The C++ program refuses what it can't use, in one line, with exit code 1."""

import json

import pytest
from helpers.cpp_program import embed, run, write_model
from helpers.exported_model import record

OPENVINO_LOGS = ("WARNING: All log", "E0000")
RESIZE = dict(type="resize", height=32, width=16, interpolation="bilinear", backend="cv2")


@pytest.fixture(scope="module")
def one(pictures):
    return min(pictures.iterdir())


def refused(program, *arguments):
    """Return the one line of an error; OpenVINO may write lines of its own before."""
    ran = run(program, *arguments)
    lines = [line for line in ran.stderr.splitlines() if not line.startswith(OPENVINO_LOGS)]
    assert (ran.returncode, ran.stdout, len(lines)) == (1, "", 1), ran
    assert lines[0].startswith("Error: ")
    return lines[0]


def changed(place, value):
    """A record with another value at a place such as ``input.kind``."""
    about = record()
    *path, last = place.split(".")
    inner = about
    for name in path:
        inner = inner[name]
    if value is KeyError:
        del inner[last]
    else:
        inner[last] = value
    return about


RECORDS = [
    ("format", 2, "format is not 1"),
    ("input", KeyError, 'has no "input"'),
    ("input.kind", "float", "none of normalized, rgb01 and uint8"),
    ("input.height", 32.5, "input.height must be a whole number"),
    ("input.height", "32", "input.height must be a number"),
    ("input.width", 15, "its record says otherwise"),
    ("input.kind", "uint8", "its record says otherwise"),
    ("input.channel_order", "GRB", "must be RGB or BGR"),
    ("input.mean", [1, 2], "input.mean must have three numbers"),
    ("input.std", [1, 0, 1], "input.std must be positive"),
    ("input.steps", None, "input.steps must be a list"),
    ("input.steps", [dict(type="pad")], 'no step "pad"'),
    ("input.steps", [RESIZE | dict(backend="pillow")], 'no resizing by "pillow"'),
    ("input.steps", [RESIZE | dict(interpolation="area")], 'no interpolation "area"'),
    ("input.steps", [RESIZE] * 9, "input.steps has more than 8 steps"),
    ("input.steps", [RESIZE | dict(height=4097)], "whole number from 1 to 4096"),
    ("input.steps", [RESIZE | dict(height=31)], "has 31 x 16 pixels"),
    ("embedding.size", 7, "another shape than its record says"),
    ("embedding.l2_normalized", False, "l2_normalized must be true"),
]


@pytest.mark.parametrize(("place", "value", "words"), RECORDS)
def test_a_record_that_it_cant_follow(program, one, tmp_path, place, value, words):
    model = tmp_path / "model.onnx"
    write_model(model, record(), text=json.dumps(changed(place, value)))
    assert words in refused(program, model, one, "--out", tmp_path / "out")


TEXTS = [
    ('{"format": 1', "'}' is missing, at character 13"),
    ('{"format": 1} x', "something follows its end"),
    ('{"format": 1, "format": 1}', "there twice"),
    ('{"format": 01}', "is missing"),
    ('{"format": 1e}', "a value is missing"),
    ('{"format": NaN}', "a value is missing"),
    ('{"format": 1e999}', "a number out of range"),
    ('{"format": "\\ud800"}', "half of a surrogate pair"),
    ('{"format": "\\x"}', "an unknown escape"),
    ('{"format": "a\nb"}', "a control character"),
    ('{"format": "cut', "it is cut off"),
    ("[" * 5000, "nested too deeply"),
    ("[1]", "must be an object"),
    ("tru", "an unknown word"),
]


@pytest.mark.parametrize(("text", "words"), TEXTS)
def test_a_record_that_is_no_json(program, one, tmp_path, text, words):
    model = tmp_path / "model.onnx"
    write_model(model, record(), text=text)
    assert words in refused(program, model, one, "--out", tmp_path / "out")


def test_odd_but_valid_json_is_read(program, one, tmp_path):
    about = record() | {"note": '\u00fc\U0001f600\\"/\n', "more": [[], {}, True, -1.5e-3, 0]}
    plain, escaped = tmp_path / "plain.onnx", tmp_path / "escaped.onnx"
    write_model(plain, about, text=json.dumps(about, ensure_ascii=False, indent=1))
    write_model(escaped, about, text=json.dumps(about))
    found = [embed(program, model, one, tmp_path / "out") for model in (plain, escaped)]
    assert (found[0][one.name] == found[1][one.name]).all()


def test_files_and_options_that_are_no_use(program, one, tmp_path):
    model, out = tmp_path / "model.onnx", tmp_path / "out"
    write_model(model, record())
    (tmp_path / "broken.onnx").write_bytes(b"no network")
    (tmp_path / "empty").mkdir()
    write_model(tmp_path / "silent.onnx", record())
    import onnx

    silent = onnx.load(str(tmp_path / "silent.onnx"))
    del silent.metadata_props[:]
    onnx.save(silent, str(tmp_path / "silent.onnx"))
    cases = [
        ([], "needed are a model"),
        ([model, one], "needed are a model"),
        ([tmp_path / "none.onnx", one, "--out", out], "none.onnx: no such file"),
        ([one, one, "--out", out], "must end in .onnx or .xml"),
        ([tmp_path / "broken.onnx", one, "--out", out], "broken.onnx: OpenVINO can't use it"),
        ([tmp_path / "silent.onnx", one, "--out", out], "doesn't say how to use it"),
        ([model, tmp_path / "nothing", "--out", out], "there is no"),
        ([model, tmp_path / "empty", "--out", out], "holds no picture"),
        ([model, one, "--out", model], "can't be made"),
        ([model, one, "--out", out, "--batch", "0"], "--batch must be a whole number"),
        ([model, one, "--out", out, "--threads", "2x"], "--threads must be a whole number"),
        ([model, one, "--out", out, "--device", "TPU"], "can't use it on TPU"),
        ([model, one, "--out"], "--out needs a value"),
        ([model, one, "--out", out, "--bach", "3"], "unknown option --bach"),
    ]
    for arguments, words in cases:
        assert words in refused(program, *arguments)
    assert "--skip" in run(program, "--help").stdout
