"""The ions of the ring current: their masses and speeds."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import constants

from ringdecay.errors import unknown
from ringdecay.theory.ranges import Floats, positive

# Mass in kg: the atom's standard atomic weight (CIAAW) less one electron; the proton from CODATA as scipy gives it.
ION_MASSES = {
    "H+": constants.m_p,
    "He+": 4.002602 * constants.atomic_mass - constants.m_e,
    "O+": 15.999 * constants.atomic_mass - constants.m_e,
}

CM_PER_M = 100.0


def speed(energy: ArrayLike, species: str = "H+") -> Floats:
    """Relativistic speed of an ion.

    Parameters
    ----------
    energy : array_like
        Kinetic energy in keV (of the ion, not per nucleon), any shape.
    species : {"H+", "He+", "O+"}
        The ion.

    Returns
    -------
    ndarray of float64
        Speed in cm/s, of the shape of `energy`.

    Raises
    ------
    InputError
        If the species is not known.
    """
    if species not in list(ION_MASSES):
        raise unknown("species", species, ION_MASSES)
    rest_energy = ION_MASSES[species] * constants.c**2 / constants.e / 1e3
    gamma_less_one = positive(energy) / rest_energy
    # sqrt(1 - 1/gamma^2) written without the difference of near-equal numbers, so that slow ions lose no digits.
    beta = np.sqrt(gamma_less_one * (gamma_less_one + 2.0)) / (gamma_less_one + 1.0)
    return np.asarray(constants.c * CM_PER_M * beta, dtype=np.float64)
