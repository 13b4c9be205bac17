"""Captions of the report, rendered as Snakemake renders them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from docutils.core import publish_parts
from jinja2 import Environment, StrictUndefined

from ringdecay.config import check_config

CAPTIONS = Path(__file__).resolve().parents[1] / "workflow" / "report"
CATEGORIES = ("Summary", "Coverage", "Storms", "Fits", "Lifetimes", "Theory", "Validation", "Provenance")
# Snakemake puts these below every caption.
_TARGETS = "\n\n" + "\n".join(f".. _{name}: javascript:app.showCategory('{name}')" for name in CATEGORIES)


class _Config(dict[str, Any]):
    """As the workflow's: with what the run found."""

    def __init__(self, config: dict[str, Any], found: dict[str, Any]) -> None:
        super().__init__(config)
        self.found = found


def render(name: str, found: dict[str, Any] | None = None, **changes: Any) -> str:
    """Make HTML of a caption; a name that is not there, or a mark-up that is not sound, is an error."""
    given = {"run": "demo", "archive": "demo", "start": "2015-04-15", "stop": "2015-09-12"} | changes
    text = (CAPTIONS / f"{name}.rst").read_text(encoding="utf-8") + _TARGETS
    rendered = (
        # As snakemake.report renders captions: line ends after blocks are taken away.
        Environment(undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True)
        .from_string(text)
        .render(snakemake=SimpleNamespace(config=_Config(check_config(given), found or {})))
    )
    # halt_level 2: a warning is an error.
    return str(publish_parts(rendered, writer="html", settings_overrides={"halt_level": 2, "report_level": 2})["html_body"])
