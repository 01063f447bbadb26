"""The installed C++ program runs with the few libraries that the document names, and no others."""

import re
import subprocess
from pathlib import Path

from helpers.cpp_program import cmake, embed, write_model
from helpers.exported_model import record, write_openvino
from helpers.paths import ROOT

PAGE = ROOT / "docs" / "deploy" / "cpp.md"


def test_the_installed_program_needs_the_named_libraries_only(program, pictures, tmp_path):
    import openvino

    cmake("--install", program.parent, "--prefix", tmp_path)
    installed = tmp_path / "bin" / "reid_embed"
    content = installed.read_bytes()
    assert b"$ORIGIN/../lib" in content and b"openvino/libs" not in content
    assert b"openvino/libs" in program.read_bytes()  # the built one finds pip's OpenVINO
    without = subprocess.run([installed, "--help"], capture_output=True)
    assert without.returncode == 127  # the loader's code: no OpenVINO in lib/ yet

    names = re.search(r"for name in (.*); do", PAGE.read_text())[1].split()
    assert len(names) == 5
    (tmp_path / "lib").mkdir()
    for name in names:
        for library in (Path(openvino.__file__).parent / "libs").glob(f"{name}*"):
            (tmp_path / "lib" / library.name).symlink_to(library)
    write_model(tmp_path / "model.onnx", record())
    for model in (tmp_path / "model.onnx", write_openvino(tmp_path)):
        found = embed(installed, model, pictures, tmp_path / "out")
        built = embed(program, model, pictures, tmp_path / "out")
        assert all((found[name] == built[name]).all() for name in built)


def test_the_page_shows_the_program_s_own_help(program):
    shown = subprocess.run([program, "--help"], capture_output=True, text=True).stdout
    options = set(re.findall(r"--[a-z]+", shown))
    assert len(options) == 5 and options == set(re.findall(r"(?m)^  (--[a-z]+)", PAGE.read_text()))
