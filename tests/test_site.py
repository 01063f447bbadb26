"""The documentation site: every page is reached, and every link inside of it leads somewhere."""

import re
import subprocess
import sys

import pytest
from helpers.paths import ROOT

DOCS = ROOT / "docs"
TOCTREE = re.compile(r"(?ms)^```\{toctree\}\n(.*?)^```")


def reached(page):
    """Return the pages that the tables of contents of a page name, and of those that they name."""
    found = []
    for block in TOCTREE.findall((DOCS / f"{page}.md").read_text()):
        for line in block.split("\n"):
            if line and not line.startswith(":"):
                named = re.sub(r".* <(.+)>", r"\1", line)  # "title <page>"
                name = (DOCS / page).parent.joinpath(named).relative_to(DOCS).as_posix()
                found += [name, *reached(name)]
    return found


def test_every_page_has_one_place_in_the_contents():
    pages = {path.relative_to(DOCS).with_suffix("").as_posix() for path in DOCS.rglob("*.md")}
    assert sorted(reached("index")) == sorted(pages - {"index"})


def build(folder, *options):
    pytest.importorskip("myst_parser", reason="no Sphinx here: pip install -r requirements/dev.txt")
    sphinx = [sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning", "--keep-going"]
    return subprocess.run([*sphinx, *options, str(folder)], capture_output=True, text=True)


def test_pages_build_and_links_lead_somewhere(tmp_path):
    """``tools/build_docs.sh`` makes the pages of docstrings as well; the docs workflow runs it."""
    done = build(tmp_path, "-b", "dummy", "-t", "without_api", str(DOCS))
    assert done.returncode == 0, done.stderr


def test_a_link_that_leads_nowhere_fails(tmp_path):
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "index.md").write_text("# A\n\n[b](#nowhere) [c](nothing.md)\n")
    done = build(tmp_path / "out", "-b", "dummy", "-c", str(DOCS), str(docs))
    assert done.returncode != 0
    assert "nowhere" in done.stderr and "nothing.md" in done.stderr


def script(folder, python, *words):
    """Run tools/build_docs.sh in an environment whose interpreter is a shell script."""
    (folder / "bin").mkdir()
    (folder / "bin" / "python").write_text(f"#!/bin/bash\n{python}\n")
    (folder / "bin" / "python").chmod(0o755)
    (folder / "mmreid_ext.lock").touch()  # the interpreter prints an empty fingerprint
    return subprocess.run(
        ["bash", str(ROOT / "tools" / "build_docs.sh"), *words],
        env={"PATH": "/usr/bin:/bin", "MMREID_VENV": str(folder)},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("words", [("--hlep",), ("one", "two")], ids=["option", "two-folders"])
def test_the_script_refuses_what_it_doesnt_know(words, tmp_path):
    done = script(tmp_path, "true", *words)
    assert done.returncode == 2
    assert done.stderr.startswith("build_docs.sh: ")


def test_faults_are_found_again_by_the_next_build(tmp_path):
    """Sphinx reads changed pages only, so what it had kept of a build that failed is removed."""
    done = script(tmp_path, '[[ $2 != sphinx ]] || { mkdir -p "$6"; exit 1; }', str(tmp_path / "o"))
    assert done.returncode == 1
    assert "the site has faults" in done.stderr
    assert not (ROOT / "build" / "doctrees").exists()


ASKED = [r"!\[.+\]\(images/idea_\w+\.svg\)", r"(?m)^ {4}\S.* = |^ {4}scale", r"configs/\w+\.py"]
ASKED += [
    rf"(?mi)^## .*{word}" for word in ("(paper|references) says?", "what we measured", "differs")
]


@pytest.mark.parametrize("method", ["metabin", "strong_baseline", "xbm", "arcmargin"])
def test_a_method_has_all_that_one_asks_of_it(method):
    """Idea, formula, configurations, what was published, what was measured, what differs."""
    text = (DOCS / f"{method}.md").read_text()
    assert [pattern for pattern in ASKED if not re.search(pattern, text)] == []
