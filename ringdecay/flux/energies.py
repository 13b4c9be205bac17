"""Which energies the channels of a file have, and which of its channels are the ion's."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ringdecay.cdf import CdfVariable
from ringdecay.errors import FileError
from ringdecay.flux.expected import order_of_axes, unit_factor
from ringdecay.products import PRODUCTS, EnergyTable, Product

logger = logging.getLogger(__name__)

# Two energy tables are the same if they differ by less than this; it is far below the width of a channel and far above float32.
_SAME_ENERGY = 1e-4
_REPORT = "check that the file is of this product; if it is, report it"


@dataclass(frozen=True)
class Channels:
    """The ion's channels of a file.

    Attributes
    ----------
    energy : ndarray, shape (m,)
        Their energies, keV, rising.
    index : ndarray of int, shape (m,)
        Their places in the file's energy axis.
    size : int
        Length of that axis, with the channels of other ions and the unused ones.
    other_table : ndarray of bool, shape (n,)
        Which records were taken with another energy table.
    """

    energy: npt.NDArray[np.float64]
    index: npt.NDArray[np.int64]
    size: int
    other_table: npt.NDArray[np.bool_]


def find_channels(path: Path, found: Mapping[str, CdfVariable], product: Product, time: npt.NDArray[np.datetime64]) -> Channels:
    """Read the energy table of most records, and compare it with the description.

    The file's own table decides which channels are the ion's: those that have an energy. RBSPICE gives -1 to channels of another ion
    and to unused ones.

    Parameters
    ----------
    path : Path
        For messages.
    found : mapping of str to CdfVariable
        The file's variables by role, of the shapes that `check_shapes` lets pass.
    product : Product
        What is expected.
    time : ndarray of datetime64, shape (n,)
        Record times; a table holds for a time.

    Raises
    ------
    FileError
        If the unit is none of energy, the telescopes differ, the energies do not rise, or are not those of the product at that time.
    """
    variable = found["energy"]
    factor = unit_factor(path, variable, "energy")
    tables = _one_a_record(path, variable, product) * factor
    records = time.size
    # Five digits: float32 MeV to keV would otherwise leave 44.70000118. What has no energy is -1, so that tables can be compared.
    tables = np.where(tables > 0, _significant(tables, 5), -1.0)
    kinds, which, often = np.unique(tables, axis=0, return_inverse=True, return_counts=True)
    table = kinds[int(np.argmax(often))]
    other = np.any(np.abs(kinds / table - 1.0) > _SAME_ENERGY, axis=1)[which.ravel()]
    other = np.broadcast_to(other, (records,)).copy() if tables.shape[0] == 1 else other
    index = np.flatnonzero(table > 0)
    energy = table[index]
    if energy.size == 0 or np.any(np.diff(energy) <= 0):
        raise FileError(path, "rising positive channel energies", f"{variable.name} = {table.tolist()} keV", "report this file")
    if product.energy_tables:
        other |= ~_valid(path, energy, index, product, time)
    elif index.size < table.size:
        logger.info("%s: %d of %d channels have an energy", path.name, index.size, table.size)
    if other.any():
        logger.warning("%s: %d of %d records have another energy table and are left out", path.name, other.sum(), records)
    return Channels(energy, index, table.size, other)


def same_energies(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> bool:
    """Tell whether two energy tables are the same but for rounding."""
    return one.size == other.size and bool(np.allclose(one, other, rtol=_SAME_ENERGY, atol=0))


def dates_of_change(product: str) -> str:
    """Say when the energy tables of a product changed, for advice; empty if they never did or the product is not known."""
    tables = PRODUCTS[product].energy_tables if product in PRODUCTS else ()
    return ", ".join(sorted({table.start for table in tables if table.start is not None}))


def _one_a_record(path: Path, variable: CdfVariable, product: Product) -> npt.NDArray[np.float64]:
    """Energies as they stand, of all telescopes at once, shape (records or 1, channels); what is fill is not above zero.

    The valid range is not applied: NASA's record of helium ends it at 0.7 MeV, below the highest channel.
    """
    values = variable.values.astype(np.float64)
    fill = variable.attributes.get("FILLVAL")
    missing = ~np.isfinite(values) | (np.abs(values) >= 1e30)
    if fill is not None and np.ndim(fill) == 0 and np.asarray(fill).dtype.kind in "fiu":
        missing |= variable.values == fill
    values = np.where(missing, -1.0, values)
    values = values if variable.record_varying else values[None]
    if "telescope" not in product.variables["energy"].axes:
        return values.reshape(values.shape[0], -1)
    if values.ndim == 2 and values.shape[1] == product.sizes["energy"]:
        return values  # one table for all telescopes, as CDAWeb's FPDU_Energy_Fixed
    telescopes = product.sizes["telescope"]
    order = order_of_axes(path, variable, [("the telescopes", telescopes), ("the channels", product.sizes["energy"])])
    values = np.transpose(values, (0, *(axis + 1 for axis in order)))
    first = values[:, :1]
    differ = np.abs(values - first) > _SAME_ENERGY * np.abs(first)
    if differ.any():
        _, telescope, channel = (int(place[0]) for place in np.nonzero(differ))
        raise FileError(
            path,
            f"the same {variable.name} for all {telescopes} telescopes",
            f"{values[:, telescope, channel][0]:g} {variable.units} of telescope {telescope} in channel {channel}, where telescope 0 has "
            f"{values[:, 0, channel][0]:g}",
            "report this file",
        )
    return np.ascontiguousarray(values[:, 0])


def _valid(
    path: Path, energy: npt.NDArray[np.float64], index: npt.NDArray[np.int64], product: Product, time: npt.NDArray[np.datetime64]
) -> npt.NDArray[np.bool_]:
    """Check the table against the nominal ones, and tell at which times it holds."""
    known = product.energy_tables
    at_that_time = [table for table in known if _holds(table, time).any()] or list(known)
    wanted = " or ".join(str(list(table.energies)) for table in at_that_time)
    like = [table for table in known if len(table.energies) == energy.size]
    if not like:
        sizes = " or ".join(str(len(table.energies)) for table in at_that_time)
        raise FileError(path, f"{sizes} energy channels of {product.ion}", f"{energy.size}: {energy.tolist()} keV", _REPORT)
    like = [table for table in like if np.allclose(energy, table.energies, rtol=product.energy_tolerance, atol=0)]
    if not like:
        raise FileError(
            path, f"channel energies {wanted} keV within {product.energy_tolerance:.0%}", f"{energy.tolist()} keV",
            "check that the file is of this product; if it is, its energy table has changed: report it",
        )  # fmt: skip
    valid = np.any([_holds(table, time) for table in like], axis=0)
    if not valid.any():
        when = str(time[~np.isnat(time)][0])[:19] if (~np.isnat(time)).any() else "no time"
        raise FileError(path, f"the energies of {when} ({wanted} keV)", f"those of another time ({energy.tolist()} keV)", _REPORT)
    matched = next(table for table in like if _holds(table, time).any())
    expected = matched.channels or product.channels
    if expected is not None and index.tolist() != list(range(*expected)):
        raise FileError(
            path,
            f"{product.ion} in channels {expected[0]} to {expected[1] - 1} (counted from 0)",
            f"energies in the channels {index.tolist()}",
            "report this file: the description of the product rests on NASA's text, not on a file",
        )
    return np.asarray(valid)


def _holds(table: EnergyTable, time: npt.NDArray[np.datetime64]) -> npt.NDArray[np.bool_]:
    """Which times a table is valid at; a record without a time is dropped elsewhere."""
    early = time < np.datetime64(table.start, "ns") if table.start is not None else np.zeros(time.shape, dtype=bool)
    late = time >= np.datetime64(table.stop, "ns") if table.stop is not None else np.zeros(time.shape, dtype=bool)
    return np.asarray(~early & ~late)


def _significant(values: npt.NDArray[np.float64], digits: int) -> npt.NDArray[np.float64]:
    with np.errstate(divide="ignore", invalid="ignore"):
        power = 10.0 ** (digits - 1 - np.floor(np.log10(np.abs(values))))
    # Dividing by an exact power of ten gives the double nearest to the decimal number.
    return np.where(np.isfinite(power), np.round(values * power) / power, values)
