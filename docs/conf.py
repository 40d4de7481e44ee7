"""How Sphinx makes a site of these pages: `sphinx-build -W docs site`."""

from importlib.metadata import version as version_of

project = "retronet"
author = "The retronet developers"
version = release = version_of("retronet")
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme = "furo"
html_title = f"retronet {version}"
exclude_patterns = ["site"]
myst_heading_anchors = 3
# Pages are read on their own too: their links to README, sources and benchmarks lead out of this folder.
suppress_warnings = ["myst.xref_missing"]
autodoc_typehints = "description"
autodoc_member_order = "bysource"
napoleon_google_docstring = False
