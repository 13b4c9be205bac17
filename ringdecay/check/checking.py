"""One file in, one table of expectations out."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

import pandas as pd

from ringdecay.cdf import StoredFile, is_cdf, open_cdf
from ringdecay.check.container import container_rows, content_rows, origin_rows
from ringdecay.check.expectation import Row, Subject, table_of
from ringdecay.check.position import position_rows
from ringdecay.check.reading import Outcome, read_as, read_unnamed, sentence_of
from ringdecay.check.recognise import logical_source, nearest, recognise
from ringdecay.check.times import time_rows
from ringdecay.check.values import energy_rows, flux_rows, quality_rows
from ringdecay.check.variables import unit_rows, variable_rows
from ringdecay.errors import FileError
from ringdecay.flux import date_and_probe
from ringdecay.products import get_product

_NO_CDF = [Row("file", "format", "CDF", "no CDF, so that only the reader has a say", "unknown")]


def check_file(path: str | PathLike[str], product: str | None = None) -> pd.DataFrame:
    """Compare a file with what is expected of it, and say whether the pipeline can use it.

    Parameters
    ----------
    path : path-like
        A CDF file or a text. A fault of the file is a line of the table, never an error.
    product : str, optional
        Name of the product it should be of. If not given, the first of those that `recognise` finds by its name or, failing that,
        by what it says of itself; a file that has no product's name is still tried as an index.

    Returns
    -------
    DataFrame
        A row an expectation, in the order of a report: `group`, `expectation`, `expected`, `found` and `verdict`, which is "holds",
        "differs" (the reader takes the file all the same), "fails" (it does not) or "unknown" (there is nothing to compare with).
        In `attrs`: `file`, `product` (empty if it is of none), `probe` and `date` of the name, `simulated`, `usable`, which is whether
        `open_flux`, `open_index` or `open_ephemeris` opens the file, and `sentence`, the verdict in words.

    Raises
    ------
    InputError
        If `product` is not known.
    """
    given = Path(path)
    description = get_product(product) if product is not None else None
    head, refusal = _head(given)
    stored: StoredFile | None = None
    rows: list[Row] = [Row("file", "format", "a file that can be read", refusal, "fails")] if head is None else []
    if head is not None and (is_cdf(head) or (description is not None and description.format == "cdf")):
        try:
            stored = open_cdf(given)
        except FileError as error:
            rows.append(Row("file", "format", "a whole CDF", sentence_of(error), "fails"))
    if description is None:
        names = recognise(given, None if stored is None else stored.attributes)
        description = get_product(names[0]) if names else None
    if description is None:
        return _check_unnamed(given, head or b"", stored, rows)

    date, probe = date_and_probe(given, description)
    simulated = stored is not None and stored.simulated
    outcome = read_as(given, description, probe)
    if stored is not None:
        rows += container_rows(given, stored)
        subject = Subject(given, description, stored, date, probe)
        rows += origin_rows(subject)
        rows += _rows_of(subject, outcome)
    elif not rows:
        rows += _NO_CDF
    return _finished(given, description.name, [*rows, *outcome.rows], outcome, probe or "", date or "", simulated=simulated)


def _rows_of(subject: Subject, outcome: Outcome) -> list[Row]:
    if not subject.product.variables:
        return []
    rows = [*variable_rows(subject), *unit_rows(subject), *time_rows(subject)]
    if subject.product.kind == "flux":
        rows += [*energy_rows(subject, outcome.opened), *quality_rows(subject), *flux_rows(subject, outcome.opened)]
    if outcome.opened is not None:
        rows += position_rows(subject, outcome.opened)
    return rows


def _check_unnamed(path: Path, head: bytes, stored: StoredFile | None, rows: list[Row]) -> pd.DataFrame:
    """Check a file that has no product's name: it may be an index all the same, whose reader goes by the content."""
    if rows:
        return _finished(path, "", rows, Outcome(rows[0].found))
    outcome = read_unnamed(path, head, is_text=stored is None)
    rows += _NO_CDF if stored is None else container_rows(path, stored)
    if outcome.usable:
        rows.append(Row("file", "name", "one of a product", f"{path.name}; known by its content", "unknown"))
        return _finished(path, "", [*rows, *outcome.rows], outcome)
    if stored is None:
        return _finished(path, "", [*rows, *outcome.rows], outcome)
    near = nearest(path, logical_source(stored.attributes))
    found = f"{path.name}; the nearest: {', '.join(near)}"
    rows += [Row("file", "name", "one of a product", found, "fails"), *content_rows(stored)]
    sentence = f"not a product of ringdecay (the nearest: {', '.join(near)}); if it is one of them, say so with --product."
    return _finished(path, "", rows, Outcome(sentence))


def _finished(
    path: Path, product: str, rows: list[Row], outcome: Outcome, probe: str = "", date: str = "", *, simulated: bool = False
) -> pd.DataFrame:
    """Make the table; what the reader can do without is a difference, whatever was expected."""
    if outcome.usable:
        rows = [row._replace(verdict="differs") if row.verdict == "fails" else row for row in rows]
    n = sum(row.verdict == "differs" for row in rows)
    sentence = f"cannot be used: {outcome.sentence}"
    if outcome.usable:
        sentence = "usable" if not n else f"usable, with {n} difference{'s' if n > 1 else ''}"
        if any(row.found.startswith("DAMAGED") for row in rows):
            sentence += "; it is damaged where the pipeline does not read: fetch it again"
    attributes = {"product": product, "probe": probe, "date": date, "simulated": outcome.simulated or simulated}
    return table_of(rows, file=str(path), **attributes, usable=outcome.usable, sentence=sentence)


def _head(path: Path) -> tuple[bytes | None, str]:
    """First bytes of a file, or why there are none."""
    try:
        with path.open("rb") as stream:
            return stream.read(8), ""
    except OSError as error:
        return None, f"expected a file that can be read, found {error.strerror or error}; check the path and the right to read it."
