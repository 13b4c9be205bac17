"""Whether a file is what its product's description says: each expectation is one function that raises FileError, or gives what it found."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ringdecay.cdf import CdfFile, CdfVariable, StoredVariable
from ringdecay.errors import FileError
from ringdecay.flux.units import IN_WORDS, factor_of
from ringdecay.products import Product, Quantity

#: Roles of coordinates that a file may give at times of their own, which have the role "ephemeris_time".
EPHEMERIS_ROLES = ("L_eq", "L_star", "MLT", "position")
# Roles that a file may give once for all records, or for each.
_TABLES = ("energy", "pitch_angle", "pitch_angle_range")
# Roles that a file may give once for all values of a record.
_FLAGS = ("quality",)


def unit_factor(path: Path, variable: CdfVariable | StoredVariable, quantity: Quantity) -> float:
    """Factor from the variable's unit to ours.

    Raises
    ------
    FileError
        If its unit is not one of that quantity.
    """
    factor = factor_of(quantity, variable.units)
    if factor is None:
        raise FileError(path, f"{variable.name} in {IN_WORDS[quantity]}", f"the unit {variable.units!r}", "check the product")
    return factor


def order_of_axes(
    path: Path, variable: CdfVariable | StoredVariable, wanted: Sequence[tuple[str, int]], advice: str = "report this file"
) -> tuple[int, ...]:
    """Find where the wanted axes of a variable are: by the file's own DEPEND attributes, else by their lengths.

    Parameters
    ----------
    variable : CdfVariable
        With one axis more than `wanted`, that of the record, if it varies with the record.
    wanted : sequence of (str, int)
        Of each axis, in the order in which they are wanted: the name of the variable it depends on, and its length.

    Returns
    -------
    tuple of int
        Number of each wanted axis, counted without the record's: (1, 0) if the file has the two the other way round.

    Raises
    ------
    FileError
        If the variable has other axes.
    """
    sizes = variable.shape[1:] if variable.record_varying else variable.shape
    depends = [str(variable.attributes.get(f"DEPEND_{axis + 1}", "")) for axis in range(len(wanted))]
    names, lengths = [name for name, _ in wanted], [size for _, size in wanted]
    if sorted(depends) == sorted(names) and len(set(names)) == len(names):
        order = tuple(depends.index(name) for name in names)
    elif sizes == tuple(lengths) and len(set(lengths)) == len(lengths):
        order = tuple(range(len(lengths)))
    elif sorted(sizes) == sorted(lengths) and len(set(lengths)) == len(lengths):
        order = tuple(sizes.index(length) for length in lengths)
    else:
        order = ()
    if not order or len(sizes) != len(wanted) or [sizes[axis] for axis in order] != lengths:
        words = " and ".join(f"{size} of {name}" for name, size in wanted)
        raise FileError(path, f"{variable.name} over {words}", f"sizes {sizes} that depend on {depends}", advice)
    return order


def check_sizes(path: Path, variable: CdfVariable | StoredVariable, *allowed: tuple[int, ...]) -> None:
    """Check that a variable has one of the allowed shapes, records included.

    Raises
    ------
    FileError
        If it has another.
    """
    if variable.shape not in allowed:
        words = " or ".join(" x ".join(map(str, shape)) for shape in allowed)
        raise FileError(path, f"{variable.name} of {words} values", f"sizes {variable.shape}", "report this file")


def check_shapes(path: Path, found: Mapping[str, CdfVariable | StoredVariable], product: Product) -> None:
    """Check that every variable holds numbers, has the axes of its description and as many records as the flux.

    Lengths of axes are not compared here: which channels and angles a file has is found out from its own tables.

    Raises
    ------
    FileError
        If a variable has not.
    """
    records = {role: found[role].shape[:1] for role in ("flux", "ephemeris_time") if role in found}
    for role, variable in found.items():
        described = product.variables[role]
        if variable.dtype.kind not in "fiuc":
            raise FileError(path, f"numbers in {variable.name}", f"{variable.type}", "report this file")
        if variable.record_varying:
            own_time = role == "ephemeris_time" or (role in EPHEMERIS_ROLES and "ephemeris_time" in found)
            base = "ephemeris_time" if own_time else "flux"
            if variable.shape[:1] != records[base]:
                expected = f"as many records of {variable.name} as of {found[base].name} ({records[base]})"
                raise FileError(path, expected, f"sizes {variable.shape}", "report this file")
        elif described.record_varying and role not in _TABLES:
            raise FileError(path, f"a value of {variable.name} a record", "one for all", "report this file")
        sizes = variable.shape[1:] if variable.record_varying else variable.shape
        least = 0 if role in _FLAGS else 1 if role in _TABLES else len(described.axes)
        # An axis of length one changes nothing.
        if sizes != (1,) and not least <= len(sizes) <= len(described.axes):
            axes = " and ".join(described.axes) or "no axis but that of the records"
            raise FileError(path, f"{variable.name} over {axes}", f"sizes {sizes}", "report this file")
        if described.axes == ("component",) and variable.shape[-1:] != (3,):
            raise FileError(path, f"three components of {variable.name}", f"sizes {variable.shape}", "report this file")


def no_good_flags(path: Path, name: str, flags: Iterable[int], product: Product) -> FileError:
    """Make the error for a file none of whose measured values has a good flag: another convention must not lose it in silence.

    Parameters
    ----------
    flags : iterable of int
        Which flags the measured values have.
    """
    return FileError(
        path,
        f"{name} with values of {product.good_quality} for good data",
        f"only {sorted(flags)[:10]}: every record would be refused",
        "look up what these flags mean and report this file",
    )


def date_and_probe(path: str | Path, product: Product) -> tuple[str | None, str | None]:
    """Date (YYYYMMDD) and probe that a file's name says, or None each if it is not named like the product's files."""
    name = Path(path).name
    for probe in product.probes or ("",):
        match = re.fullmatch(product.filename.format(probe=probe), name, flags=re.IGNORECASE)
        if match:
            return match["date"], probe or None
    return None, None


def check_origin(content: CdfFile, product: Product, time: npt.NDArray[np.datetime64]) -> None:
    """Refuse a file whose records are not of the day, or whose own attributes not of the probe, that its name says.

    Raises
    ------
    FileError
        If they differ.
    """
    date, probe = date_and_probe(content.path, product)
    middle = time[time.size // 2].astype("datetime64[D]")
    if date is not None and product.period == "day" and str(middle).replace("-", "") != date:
        raise FileError(content.path, f"records of {date}", f"records of {middle}", "see whether the file has a wrong name")
    found = probes_named(content.attributes)
    if probe is not None and found and found != [probe]:
        raise FileError(
            content.path, f"data of probe {probe}", f"data of probe {', '.join(found)}", "see whether the file has a wrong name"
        )


def probes_named(attributes: Mapping[str, list[Any]]) -> list[str]:
    """Probes that the global attributes of a file name: none, one, or a contradiction."""
    text = " ".join(str(entry) for key in ("Logical_source", "Logical_file_id", "Source_name") for entry in attributes.get(key, []))
    return sorted({letter.lower() for letter in re.findall(r"rbsp[-_]?([ab])(?![a-z])", text, flags=re.IGNORECASE)})
