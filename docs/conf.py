"""Sphinx settings. Build with ``sphinx-build -W docs docs/_build``."""

from __future__ import annotations

import re
from typing import Any

import har_virtual

project = "har_virtual"
author = "har_virtual developers"
copyright = "2026, har_virtual developers"  # noqa: A001
version = release = har_virtual.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
]
exclude_patterns = ["_build"]
templates_path = ["_templates"]
html_theme = "furo"
html_title = "har_virtual"

default_role = "py:obj"
autodoc_typehints = "none"
autodoc_member_order = "bysource"
numpydoc_show_class_members = False

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3


def escape_magnitudes(_app: Any, _what: str, _name: str, _obj: Any, _options: Any, lines: list[str]) -> None:
    """Outside literals ``|a|`` is a magnitude in our docstrings, never a substitution."""
    lines[:] = [re.sub(r"(``.*?``)|\|(\w+)\|", lambda m: m[1] or rf"\|{m[2]}\|", line) for line in lines]


def leave_out_requests(_app: Any, _what: str, name: str, _obj: Any, _skip: bool, _options: Any) -> bool | None:
    """What scikit-learn makes for metadata routing, such as set_fit_request, refers to pages of its own."""
    return True if re.fullmatch(r"set_\w+_request", name) else None


def setup(app: Any) -> None:
    """Connect what changes docstrings."""
    app.connect("autodoc-skip-member", leave_out_requests)
    app.connect("autodoc-process-docstring", escape_magnitudes)
