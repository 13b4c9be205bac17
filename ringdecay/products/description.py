"""The words in which a product is described."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Period = Literal["day", "month", "half-year", "year"]
#: What a variable's unit must be a unit of; the spelling differs from file to file. "hours" is magnetic local time, whose unit real
#: files give as degrees. A "number" has no unit that matters.
Quantity = Literal["flux", "energy", "angle", "length", "hours", "percent", "seconds", "time", "number"]
#: Axes beyond the record. "bound" has two values, lower and upper; "component" has the three of a vector.
Axis = Literal["telescope", "energy", "pitch_angle", "bound", "component"]


@dataclass(frozen=True)
class Variable:
    """What is expected of one variable of a file.

    Attributes
    ----------
    name : str
        Its name in the file.
    axes : tuple of str
        Axes beyond the record, in the order of NASA's description. A file's own order counts if it says another.
    quantity : str
        What its unit must be a unit of.
    required : bool
        Whether a file without it is refused.
    record_varying : bool
        Whether it has a value a record; a file may do it the other way round.
    fill : float or None
        Its fill value in NASA's description; None if there is none.
    """

    name: str
    axes: tuple[Axis, ...] = ()
    quantity: Quantity = "number"
    required: bool = False
    record_varying: bool = True
    fill: float | None = None


@dataclass(frozen=True)
class EnergyTable:
    """Channel energies, and for how long they hold.

    Attributes
    ----------
    energies : tuple of float
        Nominal energies of the ion's own channels, keV, rising.
    start, stop : str or None
        UTC from which (inclusive) and until which (exclusive) the table holds; None for always.
    source : str
        Where the table is written.
    channels : (int, int) or None
        As in `Product`, where the ion's channels are not the same at all times; None takes those of the product.
    dataset : str
        NASA's identifier of the data set of that time, with `{PROBE}`, where it has one of its own.
    """

    energies: tuple[float, ...]
    start: str | None = None
    stop: str | None = None
    source: str = ""
    channels: tuple[int, int] | None = None
    dataset: str = ""


#: What an ion is called in titles and long names. RBSPICE tells the element, not the charge; the names of the ions follow the
#: design's words.
ION_NAMES = {"H+": "proton", "He+": "helium", "O+": "oxygen"}


def ion_name(attributes: Mapping[Any, Any]) -> str:
    """Name the ion of a dataset by its attribute `ion`, for titles; data from before that attribute are of protons."""
    return ION_NAMES.get(str(attributes.get("ion", "H+")), "particle")


@dataclass(frozen=True)
class Caveat:
    """Something a user of the data must know, and where that is written."""

    text: str
    source: str


@dataclass(frozen=True)
class Product:
    """One data product: where its files lie and what they hold.

    Attributes
    ----------
    name, title : str
        Our name and a line for people.
    kind : {"flux", "ephemeris", "index"}
        Which reader opens it: `open_flux`, `open_ephemeris` or `open_index`.
    directory : str
        Directory below the root of the archive; `{probe}` and `{year}` are filled in.
    filename : str
        Regular expression (matched without regard to case) with `{probe}` and the named groups `date` (YYYYMMDD or YYYY) and
        `version`.
    period : {"day", "month", "half-year", "year"}
        How much time one file holds.
    probes : tuple of str
        Probes that have it; empty for a product without a probe, such as an index.
    format : {"cdf", "text"}
        What a file must begin like.
    dataset : str
        NASA's identifier of the data set, with `{PROBE}`; empty if it has none.
    span : mapping of str to (str, str)
        First and last time (UTC) for each probe, from NASA's record.
    caveats : tuple of Caveat
        Known gaps and faults of the data.
    variables : mapping of str to Variable
        The variables that are read, by their role: `time`, `flux`, `energy`, `pitch_angle`, ...
    sizes : mapping of str to int
        Length of each axis, by its name. Where it changed with the energy table, that of the last table.
    ion : {"H+", "He+", "O+"} or None
        The ion of a flux product.
    time_is : {"start", "centre"}
        Whether the record time is the start or the centre of the accumulation.
    good_quality : tuple of int
        Values of the quality flag with which a flux is used.
    channels : (int, int) or None
        First channel of the ion and the one after its last, of an array that holds several ions; None for all.
    energy_tables : tuple of EnergyTable
        Nominal channel energies; compared with the file's own table, which is the one that is used. Of several that hold at one
        time, the file's must be one.
    energy_tolerance : float
        Largest relative difference between the file's table and the nominal one.
    """

    name: str
    title: str
    kind: Literal["flux", "ephemeris", "index"]
    directory: str
    filename: str
    period: Period
    probes: tuple[str, ...]
    format: Literal["cdf", "text"]
    dataset: str = ""
    span: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    caveats: tuple[Caveat, ...] = ()
    variables: Mapping[str, Variable] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    ion: Literal["H+", "He+", "O+"] | None = None
    time_is: Literal["start", "centre"] = "centre"
    good_quality: tuple[int, ...] = ()
    channels: tuple[int, int] | None = None
    energy_tables: tuple[EnergyTable, ...] = ()
    energy_tolerance: float = 0.05
