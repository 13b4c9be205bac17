"""Units compared by dimension, because the spelling differs from file to file.

Spellings met: NASA's SPASE records write "EarthRadii", "Earth radii" and "Re", "Degrees" and "°", "s", "seconds" and "Seconds",
"1/(MeV-cm^2-s-sr)", "1/(Mev-cm^2-s-sr)" and "(cm^2 s sr MeV)^-1"; the HAPI copy of an RBSPICE file "Counts/(MeV-cm^2-s-sr)"; a HOPE
file "s!E-1!Ncm!E-2!Nster!E-1!NkeV!E-1!N"; MagEphem "Deg." and "R!BE!N".
"""

from __future__ import annotations

import re

from ringdecay.products import Quantity

#: What a unit of each quantity must be, in words; that of a time or a number does not matter.
IN_WORDS: dict[Quantity, str] = {
    "flux": "counts or particles per cm2, s, sr and energy",
    "energy": "MeV, keV or eV",
    "length": "Earth radii or km",
    "angle": "degrees",
    "hours": "hours (real files say degrees)",
    "percent": "percent",
    "seconds": "seconds",
}
_TO_KEV = {"mev": 1000.0, "kev": 1.0, "ev": 0.001}
_TO_EARTH_RADII = {
    "re": 1.0,
    "r_e": 1.0,
    "earth radii": 1.0,
    "earth radius": 1.0,
    "earthradii": 1.0,
    "km": 1.0 / 6371.2,
}  # 6371.2 km: the radius of the IGRF, used by the mission's ephemeris
_DEGREES = {"deg", "degree", "degrees", "°"}
_HOURS = {"h", "hr", "hour", "hours"}
_TO_SECONDS = {"s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0, "ms": 1e-3, "ns": 1e-9}
_PERCENT = {"%", "percent", "percentage"}
_NO_UNIT = {"", "none", "unitless", "dimensionless", "1", "n/a"}


def energy_to_kev(units: str) -> float | None:
    """Factor from an energy unit to keV, or None if `units` is not one."""
    return _TO_KEV.get(_plain(units))


def length_to_earth_radii(units: str) -> float | None:
    """Factor from a length unit to Earth radii (6371.2 km), or None if `units` is not one."""
    return _TO_EARTH_RADII.get(_plain(units))


def flux_to_per_kev(units: str) -> float | None:
    """Factor from a unit of differential directional flux to cm-2 s-1 sr-1 keV-1.

    Accepts every spelling of "per area, time, solid angle and energy" met in the mission's files and metadata, such as
    ``Counts/(MeV-cm^2-s-sr)``, ``(cm^2 s sr MeV)^-1``, ``s!E-1!Ncm!E-2!Nster!E-1!NkeV!E-1!N``.

    Returns
    -------
    float or None
        None if a dimension is missing or one too many is there, for example the steradian of RBSPICE's omnidirectional flux or of
        MagEIS's spin average.
    """
    # IDL's !E...!N marks superscripts; what is left of words are the units themselves.
    words = re.findall(r"[a-z]+", re.sub(r"![a-z]", " ", units.strip(), flags=re.IGNORECASE).lower())
    energies = [word for word in words if word in _TO_KEV]
    same = {"ster": "sr", "steradian": "sr", "sec": "s", "second": "s", "seconds": "s"}
    no_unit = {"counts", "count", "particles", "protons", "ions", "per"}
    others = sorted(same.get(word, word) for word in words if word not in _TO_KEV and word not in no_unit)
    if len(energies) != 1 or others != ["cm", "s", "sr"]:
        return None
    return 1.0 / _TO_KEV[energies[0]]


def factor_of(quantity: Quantity, units: str) -> float | None:
    """Factor from a unit to the one we use for a quantity, or None if `units` is not a unit of that quantity.

    Parameters
    ----------
    quantity : str
        As in a product's description: "flux" (to cm-2 s-1 sr-1 keV-1), "energy" (keV), "length" (Earth radii), "angle" (degrees),
        "hours" (magnetic local time), "percent", "seconds", "time" or "number".
    units : str
        The UNITS attribute of a file, or a unit of NASA's records.

    Returns
    -------
    float or None
        1.0 for a time, whose values say themselves what they are, and for a number.
    """
    plain = _plain(units)
    if quantity == "flux":
        return flux_to_per_kev(units)
    if quantity == "energy":
        return energy_to_kev(units)
    if quantity == "length":
        return length_to_earth_radii(units)
    if quantity == "seconds":
        return _TO_SECONDS.get(plain)
    # RBSPICE calls the hours of magnetic local time degrees, with a valid range of 0 to 24; so do its NASA records.
    # Pitch angles of real HOPE files have no unit, and their values leave no doubt.
    known = {"angle": _DEGREES | _NO_UNIT, "hours": _HOURS | _DEGREES, "percent": _PERCENT | _NO_UNIT}.get(quantity)
    return 1.0 if known is None or plain in known else None


def _plain(units: str) -> str:
    # MagEphem writes "Deg.", and "R!BE!N" with IDL's marks of an index.
    return " ".join(re.sub(r"![a-z]", "", units.lower()).split()).rstrip(".")
