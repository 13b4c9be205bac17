"""What the pipeline would do: the reader of a file's product is called, and what it says decides."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import xarray as xr

from ringdecay.check.expectation import Row, holds_if, minute, share
from ringdecay.ephemeris import open_ephemeris
from ringdecay.errors import FileError, RingdecayError
from ringdecay.flux import open_flux
from ringdecay.indices import NAMES, open_index
from ringdecay.products import Product

Opened = TypeVar("Opened")


@dataclass(frozen=True)
class Outcome:
    """What the reader made of a file: why it refused it, or a flux or an ephemeris if it opened one, and lines for the report."""

    sentence: str = ""
    opened: xr.Dataset | None = None
    simulated: bool = False
    rows: tuple[Row, ...] = ()

    @property
    def usable(self) -> bool:
        """Whether the reader opened the file."""
        return not self.sentence


def sentence_of(error: RingdecayError) -> str:
    """Give the message of an error without the name of the file, which the report has already."""
    if isinstance(error, FileError):
        return f"expected {error.expected}, found {error.found}; {error.advice}."
    return str(error)


def _attempt(call: Callable[[], Opened]) -> tuple[Opened | None, str]:
    """Call a reader: what it opened, or why it did not. A defect of it is a refusal with its place, to be reported."""
    try:
        return call(), ""
    except RingdecayError as error:
        return None, sentence_of(error)
    except Exception as error:  # noqa: BLE001 - the report on a file that trips the reader is the one that we need most
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "ringdecay" in Path(frame.filename).parts]
        file = Path(frames[-1].filename)
        what = f"{type(error).__name__}: {error} ({file.parent.name}/{file.name}, line {frames[-1].lineno})"
        return None, f"expected a file that the reader understands, found one that trips it ({what}); send us this report."


def read_as(path: Path, product: Product, probe: str | None) -> Outcome:
    """Open a file by the reader of its product."""
    if product.kind == "index":
        return read_index(path, [name for name in NAMES if name in product.title] or list(NAMES))
    if product.kind == "ephemeris":
        return read_ephemeris(path)
    flux, sentence = _attempt(lambda: open_flux(path, product.name, probe=probe))
    if flux is None:
        return _refused("open_flux", sentence)
    n = flux.sizes["time"]
    whole = flux["flux"].size
    counts = {name: int(flux.attrs.get(name, 0)) for name in ("n_records_dropped", "n_records_other_energies", "n_fill", "n_bad_quality")}
    found = (
        f"{n:,} {'record' if n == 1 else 'records'} x {flux.sizes['energy']} energies x {flux.sizes['pitch_angle']} pitch angles; "
        f"n_records_dropped {counts['n_records_dropped']:,}, n_fill {counts['n_fill']:,}, n_bad_quality {counts['n_bad_quality']:,}; "
        f"{share(float(np.isfinite(flux['flux'].to_numpy()).sum()), whole)} of the flux can be used"
    )
    row = Row("reader", "open_flux", "opens the file", found, "holds")
    return Outcome(opened=flux, simulated=flux.attrs.get("simulated") == "yes", rows=(row,))


def read_ephemeris(path: Path) -> Outcome:
    """Open a MagEphem file."""
    ephemeris: xr.Dataset | None
    ephemeris, sentence = _attempt(lambda: open_ephemeris(path))
    if ephemeris is None:
        return _refused("open_ephemeris", sentence)
    names = ", ".join(map(str, ephemeris.data_vars))
    time = ephemeris["time"].to_numpy()
    found = f"{time.size:,} times, {minute(time[0])} to {minute(time[-1])}; {names}" if time.size else "no times"
    row = Row("reader", "open_ephemeris", "opens the file", found, "holds")
    return Outcome(opened=ephemeris, simulated=ephemeris.attrs.get("simulated") == "yes", rows=(row,))


def read_index(path: Path, names: list[str]) -> Outcome:
    """Open all indices of a file that may be in it."""
    rows, errors, simulated = [], [], False
    for name in names:
        series, sentence = _attempt(partial(open_index, path, name))
        if series is None:
            errors.append((name, sentence))
            continue
        values, time = series.to_numpy(), series["time"].to_numpy()
        simulated |= series.attrs["simulated"] == "yes"
        known = np.isfinite(values)
        extremes = f"{values[known].min():g} to {values[known].max():g} {series.attrs['units']}" if known.any() else "no value"
        found = (
            f"{time.size:,} values of {series.attrs['cadence']}, {minute(time[0])} to {minute(time[-1])}, {extremes}, "
            f"missing {share(int((~known).sum()), values.size)}; vintage {series.attrs['vintage']}; {series.attrs['source']}"
        )
        rows.append(Row("reader", f"open_index {name}", "opens the file", found, holds_if(known.any())))
    if not rows:
        # That a file of Kp has no SYM-H is not what is wrong with it.
        name, sentence = next((one for one in errors if not one[1].startswith(f"expected a file with {one[0]},")), errors[0])
        return _refused(f"open_index {name}", sentence)
    return Outcome(simulated=simulated, rows=tuple(rows))


def read_unnamed(path: Path, head: bytes, *, is_text: bool) -> Outcome:
    """Open a file whose name says nothing: as an index, whose reader looks at the content, or else, if a text, as MagEphem."""
    outcome = read_index(path, list(NAMES))
    if not outcome.usable and is_text:
        other = read_ephemeris(path)
        # The header of MagEphem is JSON in lines of comment.
        return other if other.usable or head.startswith(b"# {") else outcome
    return outcome


def _refused(reader: str, sentence: str) -> Outcome:
    return Outcome(sentence, rows=(Row("reader", reader, "opens the file", sentence, "fails"),))
