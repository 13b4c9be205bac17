"""The tables and figures of docs/validation.md, made by the proof; `python tests/validation_page.py results/validation` puts them in."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs/validation.md"
BEGIN, END = "<!-- begin: written by tests/validation_page.py -->", "<!-- end -->"

FIGURES = ("coverage", "bias")


def measured() -> str:
    """Give the part of the page that no one types."""
    return PAGE.read_text(encoding="utf-8").split(BEGIN)[1].split(END)[0].strip()


def page(table: str) -> str:
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    return f"{before}{BEGIN}\n\n{table.strip()}\n\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    PAGE.write_text(page(Path(sys.argv[1], "table.md").read_text(encoding="utf-8")), encoding="utf-8")
    for name in FIGURES:
        shutil.copyfile(Path(sys.argv[1], f"figures/{name}.png"), PAGE.with_name(f"validation_{name}.png"))
