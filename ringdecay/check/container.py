"""What can be said of any CDF file: whether it is whole, how it is made, what is in it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from ringdecay.cdf import CdfVariable, StoredFile, StoredVariable, verify_cdf
from ringdecay.cdf.types import TIME_TYPES
from ringdecay.check.expectation import Row, Subject, holds_if, iso_day, minute, times_of
from ringdecay.check.reading import sentence_of
from ringdecay.check.recognise import logical_source, pattern_in_words, probe_of_dataset
from ringdecay.errors import FileError
from ringdecay.flux.expected import probes_named
from ringdecay.products import PRODUCTS


def container_rows(path: Path, stored: StoredFile) -> list[Row]:
    """Say how the file is made, and whether it is whole: its length, each block, its checksum."""
    head = stored.head
    methods = Counter(one.compression for one in stored.variables.values() if one.compression)
    packed = ", ".join(f"{n} of {len(stored.variables)} variables {name}" for name, n in methods.items()) or "no variable compressed"
    found = (
        f"CDF version {'3' if head.word == 8 else '2'}, {path.stat().st_size:,} bytes, {'little' if head.order == '<' else 'big'}-endian, "
        f"{'row' if head.row_major else 'column'}-major, {packed}{', the whole compressed' if stored.packed else ''}"
    )
    rows = [Row("file", "format", "CDF", found, "holds")]
    try:
        verify_cdf(path)
    except FileError as error:
        return [*rows, Row("file", "whole", "length, all blocks, checksum if any", f"DAMAGED: {sentence_of(error)}", "fails")]
    checksum = "MD5 agrees" if head.checksum else "no checksum in it"
    return [*rows, Row("file", "whole", "length, all blocks, checksum if any", f"all blocks unpack, {checksum}", "holds")]


def origin_rows(subject: Subject) -> list[Row]:
    """Compare the name of a file with what it says of itself, and with the time in which there is such data."""
    product, attributes = subject.product, subject.stored.attributes
    rows = []
    pattern = pattern_in_words(product, subject.probe)
    named = subject.date is not None
    rows.append(Row("file", "name", pattern, subject.path.name if not named else "as expected", holds_if(named)))
    own = logical_source(attributes)
    if product.dataset:
        expected = product.dataset.format(PROBE=(subject.probe or "?").upper())
        others = [name for name, other in PRODUCTS.items() if probe_of_dataset(own, other) is not None]
        same = probe_of_dataset(own, product)
        # Real HOPE files have identifiers of their own, so only that of another product is a contradiction.
        agrees = same is not None and subject.probe in (None, same)
        contradicts = same is not None or bool(others)
        verdict = "holds" if agrees else "differs" if contradicts else "unknown"
        rows.append(Row("file", "Logical_source", expected, own or "none", verdict))  # type: ignore[arg-type]
    if product.probes:
        probes = probes_named(attributes)
        found = f"{' and '.join(probes) or 'none'} in its attributes"
        if subject.probe is None or not probes:
            rows.append(Row("file", "probe", subject.probe or " or ".join(product.probes), found, "unknown"))
        else:
            rows.append(Row("file", "probe", subject.probe, found, "holds" if probes == [subject.probe] else "fails"))
    span = product.span.get(subject.probe or "")
    if span and subject.date is not None and len(subject.date) == 8:
        first, last = (time[:10] for time in span)
        day = iso_day(subject.date)
        rows.append(Row("file", "date", f"{first} to {last}, the days of NASA's record", day, holds_if(first <= day <= last)))
    return rows


def content_rows(stored: StoredFile) -> list[Row]:
    """List all variables, and the span of the times, of a file of which nothing is known."""
    rows = [Row("structure", "Logical_source", "", logical_source(stored.attributes) or "none", "unknown")]
    rows += [Row("structure", name, "", shape_of(variable, units=True), "unknown") for name, variable in stored.variables.items()]
    for variable in stored.variables.values():
        if variable.type in TIME_TYPES:
            rows.append(Row("times", variable.name, "", _span(variable), "unknown"))
    return rows


def _span(variable: StoredVariable) -> str:
    try:
        time = times_of(CdfVariable(variable.name, variable.type, variable.read(), variable.attributes, variable.record_varying))
    except FileError as error:
        return sentence_of(error)
    known = time[~np.isnat(time)]
    return f"{minute(known.min())} to {minute(known.max())}, {time.size:,} records" if known.size else f"no time in {time.size:,} records"


def shape_of(variable: StoredVariable, *, units: bool = False) -> str:
    """Say type and shape of a variable."""
    number = f"{variable.records:,} {'record' if variable.records == 1 else 'records'}"
    parts = [number] if variable.record_varying else []
    parts += [str(size) for size in variable.sizes]
    text = f"{variable.type}, {' x '.join(parts) or 'one value'}"
    if not variable.record_varying:
        text += ", not by record"
    unit = str(variable.attributes.get("UNITS", "")).strip()
    return f"{text}, {unit}" if units and unit else text
