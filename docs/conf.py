"""How `make docs` makes the pages: Markdown by MyST, examples run by MyST-NB, the reference from docstrings and the command line."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

from myst_nb.core import render

import ringdecay
from ringdecay.fingerprint import source_fingerprint

BUILD = Path(__file__).parent / "_build"

project = "ringdecay"
author = "The ringdecay developers"
version = release = ringdecay.__version__
project_copyright = author

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_click"]
exclude_patterns = ["_build"]
highlight_language = "none"
# "--start" must stay two hyphens, and what is quoted as it was.
smartquotes = False

# The examples run in folders of their own, on simulated files, without a network; what they printed is kept until the source changes.
nb_execution_mode = "cache"
nb_execution_cache_path = str(BUILD / "executed" / source_fingerprint()[:16])
nb_execution_in_temp = True
nb_execution_show_tb = True
nb_execution_timeout = 120
nb_merge_streams = True
# Examples call the command `ringdecay` of this environment, and show their figures.
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
# Nothing an example fetches goes into the user's own cache, and SpacePy's settings stay out of the user's home.
os.environ["RINGDECAY_CACHE"] = str(BUILD / "downloads")
os.environ.setdefault("SPACEPY", str(BUILD / "spacepy"))
Path(os.environ["SPACEPY"]).mkdir(parents=True, exist_ok=True)

myst_heading_anchors = 3

# Types stand in the docstrings, with shapes and units, which an annotation cannot say.
autodoc_typehints = "none"
autodoc_member_order = "alphabetical"
autodoc_default_options = {"members": True}
napoleon_google_docstring = False
napoleon_use_param = False
napoleon_use_rtype = False
# The fields of a dataclass, as a list like that of the parameters.
napoleon_custom_sections = [("Attributes", "params_style")]
# A name in single backticks is a link where the reference has it, and code elsewhere.
default_role = "py:obj"
nitpicky = True
nitpick_ignore_regex = [("py:obj", ".*")]

html_theme = "pydata_sphinx_theme"
html_title = "ringdecay"
html_show_sourcelink = False
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["ringdecay.css"]
# Pages without pages below them have no list of these at their side.
html_sidebars = {name: [] for name in ("index", "tutorial", "paper", "contributing")}
html_theme_options = {
    "logo": {"text": "ringdecay"},
    "header_links_before_dropdown": 7,
    "navbar_end": ["theme-switcher"],
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "footer_start": ["copyright"],
    "footer_end": [],
}

# Pages that stand outside of this folder, so that they are read on their own, and the pages here that include them.
_INCLUDED = {
    "CONTRIBUTING.md": "/contributing.md",
    "config/README.md": "/reference/config.md",
    "results/README.md": "/reference/outputs.md",
}


def _lead_to_pages(_app: Any, _name: str, source: list[str]) -> None:
    source[0] = re.sub(r"(?<=\]\()(?:\.\./)+([\w./]+)", lambda found: _INCLUDED.get(found[1], found[0]), source[0])


_coalesce = render.coalesce_streams


def _whole_lines(outputs: list[Any]) -> list[Any]:
    """Join what a command wrote piece by piece; MyST-NB 1.4 takes the end of each piece (100 bytes of %%sh) for the end of a line."""
    joined: list[Any] = []
    for output in outputs:
        same = [one for one in joined if output["output_type"] == one["output_type"] == "stream" and output["name"] == one["name"]]
        if same:
            same[0]["text"] += output["text"]
        else:
            joined.append(output)
    return list(_coalesce(joined))


render.coalesce_streams = _whole_lines


def _plain_stars(_app: Any, _context: Any, lines: list[str]) -> None:
    # The help of a command is no reStructuredText; a star in it is one.
    lines[:] = [line.replace("*", r"\*") for line in lines]


def setup(app: Any) -> None:
    """Have links to included files lead to the pages that include them, and stars in the help of commands be stars."""
    app.connect("source-read", _lead_to_pages)
    app.connect("sphinx-click-process-description", _plain_stars)
    app.connect("sphinx-click-process-epilog", _plain_stars)
