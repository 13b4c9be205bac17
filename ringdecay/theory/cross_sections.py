"""Charge-exchange cross sections of ring-current ions on atomic hydrogen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.polynomial.polynomial import polyval
from numpy.typing import ArrayLike

from ringdecay.errors import unknown
from ringdecay.theory.ranges import Floats, Range, positive

LINDSAY_STEBBINGS_RANGE = Range(0.005, 250.0)
# The IAEA dataset D108115 states errors of 10 % (below 0.01 keV/u), 15 % (to 1), 10 % (to 100), 20 % (to 2000) and 40 % above.
JANEV_SMITH_RANGE = Range(0.01, 2000.0)
# The polynomials come without a range. The lower ends are the clip of RAM-SCB (0.01 keV) and, for He+, the lowest energy of the data
# of Barnett (1990; 0.25 keV/u). Above 400 keV they fall away from the evaluated fits: H+ is within 35 % of Janev and Smith up to
# 400 keV, at 0.59 of it at 500 keV and at 0.41 at 598 keV; He+ is within 25 % of Barnett from 2 to 400 keV, at 0.52 at 598 keV.
# For O+ nothing independent was at hand, so it is given the same end.
RAM_SCB_RANGES = {"H+": Range(0.01, 400.0), "He+": Range(1.0, 400.0), "O+": Range(0.01, 400.0)}

# log10(cross section in m2) as a polynomial of log10(energy in keV), constant term first; RAM-SCB, ModRamLoss, the same in CIMI/CRCM.
_RAM_SCB_POLYNOMIALS = {
    "H+": (-18.767, -0.11017, -0.038173, -0.1232, -0.050488),
    "He+": (-20.789, 0.92316, -0.68017, 0.66153, -0.20998),
    "O+": (-18.987, -0.10613, -5.4841e-3, -1.6262e-2, -7.0554e-3),
}
_CM2_PER_M2 = 1e4


def lindsay_stebbings_2005(energy: ArrayLike, *, extrapolate: bool = False) -> Floats:
    """Cross section of H+ on H after Lindsay and Stebbings (2005, J. Geophys. Res. 110, A12213).

    Parameters
    ----------
    energy : array_like
        Proton energy in keV, any shape.
    extrapolate : bool
        Give values outside 0.005 to 250 keV too, which are NaN otherwise. The formula reaches zero at about 2480 keV and rises again
        beyond, where this function stays zero.

    Returns
    -------
    ndarray of float64
        Cross section in cm2.
    """
    energy = positive(energy)
    root = np.maximum(4.15 - 0.531 * np.log(energy), 0.0)
    # expm1 keeps 1 - exp(-67.3/E) exact at high energy.
    sigma = 1e-16 * root**2 * (-np.expm1(-67.3 / energy)) ** 4.5
    return LINDSAY_STEBBINGS_RANGE.keep(sigma, energy, extrapolate=extrapolate)


def janev_smith_1993(energy: ArrayLike, *, extrapolate: bool = False) -> Floats:
    """Cross section of H+ on H (1s) after Janev and Smith (1993), as the IAEA gives it (dataset D108115).

    Parameters
    ----------
    energy : array_like
        Proton energy in keV, any shape.
    extrapolate : bool
        Give values outside 0.01 to 2000 keV too, which are NaN otherwise.

    Returns
    -------
    ndarray of float64
        Cross section in cm2; the stated error is 10 % from 1 to 100 keV and 20 % from 100 to 2000 keV.
    """
    energy = positive(energy)
    numerator = 3.235 * np.log(235.9 / energy + 2.371)
    sigma = 1e-16 * numerator / (1.0 + 0.03837 * energy + 3.807e-6 * energy**3.5 + 1.183e-10 * energy**5.4)
    return JANEV_SMITH_RANGE.keep(sigma, energy, extrapolate=extrapolate)


def ram_scb(energy: ArrayLike, species: str = "H+", *, extrapolate: bool = False) -> Floats:
    """Cross section on H by the polynomials that the ring-current models RAM-SCB and CIMI use.

    Parameters
    ----------
    energy : array_like
        Energy of the ion in keV (not per nucleon), any shape.
    species : {"H+", "He+", "O+"}
        The ion.
    extrapolate : bool
        Give values outside the range too (H+ and O+ 0.01 to 400 keV, He+ 1 to 400 keV), which are NaN otherwise. Below 0.01 keV the
        value at 0.01 keV is held, as in RAM-SCB.

    Returns
    -------
    ndarray of float64
        Cross section in cm2.

    Raises
    ------
    InputError
        If the species is not known.
    """
    if species not in list(_RAM_SCB_POLYNOMIALS):
        raise unknown("species", species, _RAM_SCB_POLYNOMIALS)
    energy = positive(energy)
    logarithm = np.maximum(np.log10(energy), -2.0)
    sigma = _CM2_PER_M2 * 10.0 ** polyval(logarithm, _RAM_SCB_POLYNOMIALS[species])
    return RAM_SCB_RANGES[species].keep(sigma, energy, extrapolate=extrapolate)


@dataclass(frozen=True)
class CrossSection:
    """A cross section to choose: the function of the energy in keV that gives cm2, its range in keV and its source."""

    function: Callable[..., Floats]
    range: Range
    source: str


_RAM_SCB_SOURCE = "RAM-SCB ModRamLoss polynomial, after Barnett (1990)"

# Species -> name of the model -> the model. The first of a species is its default.
CROSS_SECTIONS: dict[str, dict[str, CrossSection]] = {
    "H+": {
        "lindsay_stebbings_2005": CrossSection(
            lindsay_stebbings_2005, LINDSAY_STEBBINGS_RANGE, "Lindsay and Stebbings (2005), J. Geophys. Res. 110, A12213"
        ),
        "janev_smith_1993": CrossSection(janev_smith_1993, JANEV_SMITH_RANGE, "Janev and Smith (1993), IAEA dataset D108115"),
        "ram_scb": CrossSection(ram_scb, RAM_SCB_RANGES["H+"], _RAM_SCB_SOURCE),
    },
    "He+": {"ram_scb": CrossSection(partial(ram_scb, species="He+"), RAM_SCB_RANGES["He+"], _RAM_SCB_SOURCE)},
    "O+": {"ram_scb": CrossSection(partial(ram_scb, species="O+"), RAM_SCB_RANGES["O+"], _RAM_SCB_SOURCE)},
}
