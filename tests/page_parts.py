"""Parts of pages that a script writes: they stand between two comments, so that the rest of the page is written by people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

END = "<!-- end -->"


def with_part(text: str, name: str, script: str, part: str) -> str:
    """Give a page with one part written anew."""
    begin = f"<!-- begin {name}: written by tests/{script} -->"
    before, rest = text.split(begin)
    return f"{before}{begin}\n\n{part}\n\n{END}{rest.split(END, 1)[1]}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table in Markdown; a bar inside a cell would end it."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in line) + " |" for line in lines)
