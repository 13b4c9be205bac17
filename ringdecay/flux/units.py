"""Units compared by dimension, because the spelling differs from file to file."""

from __future__ import annotations

import re

_TO_KEV = {"mev": 1000.0, "kev": 1.0, "ev": 0.001}
_TO_EARTH_RADII = {
    "re": 1.0,
    "r_e": 1.0,
    "earth radii": 1.0,
    "km": 1.0 / 6371.2,
}  # 6371.2 km: the radius of the IGRF, used by the mission's ephemeris


def energy_to_kev(units: str) -> float | None:
    """Factor from an energy unit to keV, or None if `units` is not one."""
    return _TO_KEV.get(units.strip().lower())


def length_to_earth_radii(units: str) -> float | None:
    """Factor from a length unit to Earth radii (6371.2 km), or None if `units` is not one."""
    return _TO_EARTH_RADII.get(units.strip().lower())


def flux_to_per_kev(units: str) -> float | None:
    """Factor from a unit of differential directional flux to cm-2 s-1 sr-1 keV-1.

    Accepts every spelling of "per area, time, solid angle and energy" met in the mission's files and metadata, such as
    ``Counts/(MeV-cm^2-s-sr)``, ``(cm^2 s sr MeV)^-1``, ``s!E-1!Ncm!E-2!Nster!E-1!NkeV!E-1!N``.

    Returns
    -------
    float or None
        None if a dimension is missing or one too many is there, for example the steradian of RBSPICE's omnidirectional flux.
    """
    # IDL's !E...!N marks superscripts; what is left of words are the units themselves.
    words = re.findall(r"[a-z]+", re.sub(r"![a-z]", " ", units.strip(), flags=re.IGNORECASE).lower())
    energies = [word for word in words if word in _TO_KEV]
    others = sorted(
        {"ster": "sr", "sec": "s"}.get(word, word) for word in words if word not in _TO_KEV and word not in {"counts", "particles"}
    )
    if len(energies) != 1 or others != ["cm", "s", "sr"]:
        return None
    return 1.0 / _TO_KEV[energies[0]]
