"""The page docs/reference/variables.md, made from the files of a run; after `make run`, `python tests/variables_page.py` writes it anew."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from page_parts import table

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/reference/variables.md"
_HEAD = """# Variables and columns

Every variable of the netCDF files, and every column of the tables, that a run of the demonstration writes: made from these files
(`python tests/variables_page.py` after `make run`), and held to a new run by a test. Unit and meaning stand in the files, too. A unit
of 1 is a pure number. What each file is for: [files of a run](outputs.md).

Attributes of a file say how it was made: product, settings, whether it is simulated, provenance.
"""
# In the order of the data; the others follow in the order of their names.
_FIRST = ("index", "binned", "decays", "lifetimes", "surface", "theory")


def page(folder: Path, run: str = "demo") -> str:
    """Give the page for the files of a run in `folder`."""
    results = folder / "results" / run
    parts = [_HEAD, "## netCDF files\n"]
    known: dict[str, set[str]] = {}
    written = [*(folder / "resources" / run / f"{name}.nc" for name in ("index", "binned")), *results.glob("*.nc")]
    for path in sorted(written, key=lambda one: (_FIRST.index(one.stem) if one.stem in _FIRST else len(_FIRST), one.name)):
        with xr.open_dataset(path, engine="netcdf4", decode_timedelta=False) as dataset:
            known[path.stem] = {str(one) for one in dataset.variables}
            parts += [f"### {path.name}\n", _netcdf(dataset)]
    parts.append("## Tables\n")
    for path in sorted([*results.glob("*.csv"), *results.glob("*.tsv")]):
        parts += [f"### {path.name}\n", _table(path, known.get(path.stem, set()))]
    return "\n".join(parts)


def _netcdf(dataset: xr.Dataset) -> str:
    rows = [_row(str(name), dataset[name]) for name in [*dataset.coords, *dataset.data_vars]]
    flags = [
        f"\n`{name}` is the sum of: {', '.join(f'{mask} {word}' for mask, word in zip(*_flags(values), strict=True))}.\n"
        for name, values in dataset.data_vars.items()
        if "flag_masks" in values.attrs
    ]
    about = f"\nAttributes: {', '.join(_code(dataset.attrs))}.\n" if dataset.attrs else ""
    return "\n".join([table(["variable", "over", "unit", "meaning"], rows), *flags, about])


def _flags(values: xr.DataArray) -> tuple[list[int], list[str]]:
    return np.atleast_1d(values.attrs["flag_masks"]).tolist(), str(values.attrs["flag_meanings"]).split()


def _row(name: str, values: xr.DataArray) -> tuple[str, str, str, str]:
    unit = "UTC" if values.dtype.kind == "M" else str(values.attrs.get("units", ""))
    return f"`{name}`", ", ".join(map(str, values.dims)), unit, str(values.attrs.get("long_name", ""))


def _table(path: Path, known: set[str]) -> str:
    """Say what the columns are that the netCDF file of the same name does not have, in the words of the table's own first lines."""
    lines = [line.removeprefix("#") for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    columns = pd.read_csv(path, comment="#", sep="\t" if path.suffix == ".tsv" else ",", nrows=0).columns
    said = {name: meaning for names, meaning in _said(lines) for name in names}
    new = [name for name in columns if name not in known]
    shared = f"Columns of the same names as variables of `{path.stem}.nc`" if len(new) < len(columns) else ""
    if not new:
        return f"{shared}.\n"
    if not any(said.get(name) for name in new):
        return f"{shared}{', and ' if shared else 'Columns: '}{', '.join(_code(new))}.\n"
    rows = table(["column", "meaning"], [(f"`{name}`", said.get(name, "")) for name in new])
    return f"{shared}, and:\n\n{rows}\n" if shared else f"{rows}\n"


def _said(lines: list[str]) -> Iterator[tuple[list[str], str]]:
    """Give names and meaning from lines such as "   tau [days]: e-folding time"; one line can be of several columns."""
    for line in lines:
        if line.startswith("   ") and ":" in line:
            names, meaning = line.strip().split(":", 1)
            unit = f" ({names[names.index('[') + 1 : names.index(']')]})" if "[" in names and "]" in names else ""
            yield [one.strip() for one in names.split("[")[0].split(",")], meaning.strip() + unit


def _code(names: Iterable[object]) -> list[str]:
    return [f"`{name}`" for name in names]


if __name__ == "__main__":
    PAGE.write_text(page(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT), encoding="utf-8")
