"""Settings of the documentation site: the Markdown files of this folder, by Sphinx, MyST and furo.

The same files are read on GitHub. What differs there is done here: links to files of the root whose
text is a page of the site, and the four pages that only name such a file on GitHub.
"""

import re
from pathlib import Path

from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[1]

project = "mmreid_ext"
author = "The mmreid_ext authors"
copyright = f"2026, {author}"  # the name is Sphinx's
release = re.search(r'__version__ = "(.+)"', (ROOT / project / "version.py").read_text()).group(1)

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
]
root_doc = "index"
exclude_patterns = ["_*"]

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4  # the anchors that GitHub gives headings
highlight_language = "text"  # of indented blocks, most of which are no Python

autodoc_default_options = {"members": True, "imported-members": True, "show-inheritance": True}
napoleon_use_ivar = True  # fields of a named tuple are documented once
autodoc_member_order = "groupwise"
autodoc_preserve_defaults = True
autodoc_typehints_format = "short"
maximum_signature_line_length = 80
add_module_names = False

html_theme = "furo"
html_title = f"{project} {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
copybutton_exclude = ".linenos, .gp, .go"

linkcheck_timeout = 20
linkcheck_retries = 2
linkcheck_ignore = [r"http://(localhost|127\.0\.0\.1|server)\b.*"]

PAGES_OF_THE_ROOT = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CODE_OF_CONDUCT.md": "code_of_conduct.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
}
"""Files of the root, and the pages of the site that show them."""


def adapt(app: Sphinx, docname: str, source: list[str]) -> None:
    """Give a page the text of its file of the root, and turn links to such files into pages."""
    text, up = source[0], "../" * docname.count("/")
    for name, page in PAGES_OF_THE_ROOT.items():
        if docname == page.removesuffix(".md") and name != "README.md":
            app.env.note_dependency(str(ROOT / name))
            text = (ROOT / name).read_text().replace("](docs/", "](")
            text = re.sub(rf"\]\(({'|'.join(PAGES_OF_THE_ROOT)})", r"](../\1", text)
    for name, page in PAGES_OF_THE_ROOT.items():
        text = text.replace(f"]({up}../{name}", f"]({up}{page}")
    text = re.sub(r"\[`?[\w./-]+\.md`?\]\(", "[](", text)  # a page's title says more than its name
    if app.tags.has("without_api"):  # a test reads the pages in seconds, and loads no PyTorch
        text = re.sub(r"(?ms)^```\{eval-rst\}\n.*?^```\n", "", text)
    source[0] = text


def setup(app: Sphinx) -> None:
    """Connect :func:`adapt`."""
    app.connect("source-read", adapt)
