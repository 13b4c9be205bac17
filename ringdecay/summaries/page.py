"""A page of facts and tables, as text and as HTML."""

from __future__ import annotations

import html
import textwrap
from dataclasses import dataclass
from typing import Literal

from ringdecay.errors import printable
from ringdecay.store import SIMULATED_NOTE

Kind = Literal["", "found", "limit", "opposite", "none"]

_WIDTH = 100
# A tint that can be seen on white and on black paper; the words in the cell say the same.
_TINTS: dict[Kind, str] = {"found": "0, 114, 178, .16", "limit": "230, 159, 0, .22", "opposite": "213, 94, 0, .30"}
_STYLE = "\n".join(
    (
        ".ringdecay-summary .scroll { overflow-x: auto; }",
        ".ringdecay-summary table { border-collapse: collapse; margin: .3em 0 .8em 0; }",
        ".ringdecay-summary caption { text-align: left; font-weight: bold; padding: .2em 0; white-space: nowrap; }",
        ".ringdecay-summary th, .ringdecay-summary td { text-align: left; vertical-align: top; padding: .15em .6em; }",
        ".ringdecay-summary th { font-weight: 600; white-space: nowrap; }",
        ".ringdecay-summary sup { line-height: 0; }",
        ".ringdecay-summary td.short { white-space: nowrap; }",
        ".ringdecay-summary tbody tr { border-top: 1px solid rgba(128, 128, 128, .3); }",
        ".ringdecay-summary .title { font-size: 1.1em; font-weight: bold; margin: .3em 0; }",
        ".ringdecay-summary .simulated { border-left: .4em solid #b22222; padding: .2em .6em; margin: .3em 0; }",
        *(f".ringdecay-summary td.{kind} {{ background: rgba({tint}); }}" for kind, tint in _TINTS.items()),
    )
)
# Longer texts may be broken.
_SHORT = 40


@dataclass(frozen=True)
class Cell:
    """One cell of a table.

    Attributes
    ----------
    text : str
        What it says; all of it, because colour and marks only repeat or add to it.
    kind : str
        "found", "limit", "opposite" (against what is looked for, such as growing flux) or "none"; for its tint.
    marks : str
        Letters that the notes below the table explain.
    """

    text: str
    kind: Kind = ""
    marks: str = ""


@dataclass(frozen=True)
class Table:
    """A table whose first column names the rows.

    Attributes
    ----------
    caption : str
        What it is, with units.
    columns : tuple of str
        Heads; the first is that of the rows' names.
    rows : tuple of tuple of Cell
        As long as `columns` each.
    notes : tuple of str
        Lines below the table.
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, repr=False)
class Summary:
    """What a result says. A notebook shows it as HTML, `print` and the prompt as text.

    Attributes
    ----------
    title : str
        What the result is.
    simulated : bool
        Whether it was made from simulated data, which is said first.
    facts : tuple of (str, str)
        What is true of the whole: name and value.
    tables : tuple of Table
        What is said of its parts.
    notes : tuple of str
        Lines at the end.
    """

    title: str
    simulated: bool
    facts: tuple[tuple[str, str], ...] = ()
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        parts = [SIMULATED_NOTE] if self.simulated else []
        parts.append("\n".join([self.title, *_fact_lines(self.facts)]))
        parts += [_table_text(table) for table in self.tables]
        parts += ["\n".join(line for note in self.notes for line in _wrapped(note))] if self.notes else []
        return printable("\n\n".join(parts))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        parts = [f"<style>\n{_STYLE}\n</style>"]
        if self.simulated:
            word, _, rest = SIMULATED_NOTE.partition(" ")
            parts.append(f'<p class="simulated" role="note"><strong>{word}</strong> {_escaped(rest)}</p>')
        parts.append(f'<p class="title">{_escaped(self.title)}</p>')
        if self.facts:
            rows = "\n".join(f'<tr><th scope="row">{_escaped(name)}</th><td>{_escaped(value)}</td></tr>' for name, value in self.facts)
            parts.append(_scrolled(f"<caption>About</caption>\n<tbody>\n{rows}\n</tbody>"))
        parts += [_table_html(table) for table in self.tables]
        parts += [f"<p>{_escaped(note)}</p>" for note in self.notes]
        return '<div class="ringdecay-summary">\n' + "\n".join(parts) + "\n</div>"


def _escaped(text: str) -> str:
    return html.escape(printable(text))


def _wrapped(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(text, _WIDTH, subsequent_indent=indent, break_on_hyphens=False) or [""]


def _fact_lines(facts: tuple[tuple[str, str], ...]) -> list[str]:
    width = max((len(name) for name, _ in facts), default=0) + 2
    return [line for name, value in facts for line in _wrapped(f"{name:<{width}}{value}", " " * width)]


def _table_text(table: Table) -> str:
    rows = [list(table.columns), *([cell.text + f" {cell.marks}" * bool(cell.marks) for cell in row] for row in table.rows)]
    widths = [max(len(row[k]) for row in rows) for k in range(len(table.columns))]
    lines = _wrapped(table.caption)
    for row in rows:
        *before, last = row
        start = "".join(f"{text:<{width}}  " for text, width in zip(before, widths, strict=False))
        # Only a long last column is broken; the others are short.
        ending = textwrap.wrap(last, max(_WIDTH - len(start), _SHORT), break_on_hyphens=False) or [""]
        lines += [("  " + start + ending[0]).rstrip(), *("  " + " " * len(start) + more for more in ending[1:])]
    return "\n".join(lines + [line for note in table.notes for line in _wrapped(note)])


def _table_html(table: Table) -> str:
    head = "".join(f'<th scope="col">{_escaped(name)}</th>' for name in table.columns)
    body = "\n".join(_row_html(row) for row in table.rows)
    notes = "".join(f"\n<p>{_escaped(note)}</p>" for note in table.notes)
    caption = f"<caption>{_escaped(table.caption)}</caption>"
    return _scrolled(f"{caption}\n<thead>\n<tr>{head}</tr>\n</thead>\n<tbody>\n{body}\n</tbody>") + notes


def _scrolled(content: str) -> str:
    """Make a table that scrolls by itself where the page is too narrow."""
    return f'<div class="scroll">\n<table>\n{content}\n</table>\n</div>'


def _row_html(row: tuple[Cell, ...]) -> str:
    name, *cells = row
    return f'<tr><th scope="row">{_text_html(name)}</th>' + "".join(map(_cell_html, cells)) + "</tr>"


def _cell_html(cell: Cell) -> str:
    classes = " ".join(filter(None, (cell.kind, "short" if len(cell.text) <= _SHORT else "")))
    return f'<td class="{classes}">{_text_html(cell)}</td>'


def _text_html(cell: Cell) -> str:
    return _escaped(cell.text) + (f"<sup>{_escaped(cell.marks)}</sup>" if cell.marks else "")
