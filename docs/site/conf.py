"""Sphinx's settings for the site; docs/site/build.py prepares the sources and calls it."""

from __future__ import annotations

import re
from typing import Any

from otdiv import __version__

project = "otdiv"
author = "the authors of otdiv"
release = version = __version__
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "numpydoc",
    "sphinx.ext.mathjax",
    "sphinx_design",
]
exclude_patterns = ["_static", "**/*_unused"]
root_doc = "index"

# Markdown and notebooks: formulas between dollars, blocks with colons; notebooks come with their outputs.
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3
nb_execution_mode = "off"
nb_merge_streams = True
# What benchmarks have measured is linked from their page; it needs no place in the menu.
suppress_warnings = ["toc.not_included"]

# Docstrings are numpydoc; types stand in them in words, so signatures stay short.
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
autodoc_typehints = "none"
autodoc_member_order = "bysource"
autodoc_class_signature = "mixed"
maximum_signature_line_length = 88
python_use_unqualified_type_names = True
default_role = "literal"  # single backticks in docstrings are code
smartquotes = False  # f' is a derivative

# Works from files: MathJax lies beside the pages, and search shows titles only (excerpts would have to be fetched).
mathjax_path = "tex-svg-full.js"
html_show_search_summary = False
html_theme = "furo"
html_title = "otdiv"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#1f5fa8", "color-brand-content": "#1f5fa8"},
    "dark_css_variables": {"color-brand-primary": "#6fa8ec", "color-brand-content": "#6fa8ec"},
    "navigation_with_keys": True,
}


def take_bars_literally(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """In docstrings |x| is an absolute value, not a substitution: escape bars outside code and examples, in place."""
    example = False
    for k, line in enumerate(lines):
        example = line.lstrip().startswith(">>>") or (example and bool(line.strip()))
        if not example and "|" in line:
            parts = re.split(r"(`+[^`]*`+)", line)
            lines[k] = "".join(part if part.startswith("`") else part.replace("|", r"\|") for part in parts)


def setup(app: Any) -> None:
    """Before numpydoc takes the docstrings apart."""
    app.connect("autodoc-process-docstring", take_bars_literally, priority=100)
