"""Sphinx: Markdown through MyST, the furo theme. `sphinx-build -W docs docs/_build`."""

project = "Warmline"
author = "The Warmline authors"
extensions = ["myst_parser"]
html_theme = "furo"
html_title = "Warmline"
exclude_patterns = ["_build"]
myst_heading_anchors = 3
