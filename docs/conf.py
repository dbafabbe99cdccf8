"""Sphinx's configuration: `sphinx-build -W docs docs/_build/html`."""

import re
from pathlib import Path
from typing import Any

import hpms

_HERE = Path(__file__).resolve().parent
_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(((?:\.\./)+[^)\s#]+)(?:#[^)\s]*)?\)")

project, author, version = "hpms", "the hpms developers", hpms.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_copybutton", "sphinx_gallery.gen_gallery"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_static_path, html_css_files = ["_static"], ["style.css"]
html_title = f"hpms {hpms.__version__}"
html_show_copyright = False  # no licence was chosen yet
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]
default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints = "none"
autodoc_default_options = {"members": True}
sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"\.py$",
    "ignore_pattern": "plugins",
    "within_subsection_order": "FileNameSortKey",
}


def files_beside(app: Any, page: str, source: list[str]) -> None:
    """Links to files of the repository outside docs/ become downloads of these."""

    def outside(match: re.Match[str]) -> str:
        target = (_HERE / page).parent / match[2]
        is_page = target.resolve().is_relative_to(_HERE) or not target.is_file()
        return match[0] if is_page else f"{{download}}`{match[1]} <{match[2]}>`"

    source[0] = _LINK.sub(outside, source[0])


def plain_bars(app: Any, what: str, name: str, found: Any, options: Any, lines: list[str]) -> None:
    """A bar in a docstring is a norm or a set's size, no substitution of reStructuredText."""
    lines[:] = [line.replace("|", r"\|") for line in lines]


def setup(app: Any) -> None:
    app.connect("source-read", files_beside)
    app.connect("autodoc-process-docstring", plain_bars)
