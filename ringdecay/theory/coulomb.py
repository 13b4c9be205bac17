"""Energy that a ring-current ion loses to the thermal plasma by Coulomb collisions, and what that does to the flux."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import constants
from scipy.special import erf

from ringdecay.theory.ions import CM_PER_M, ION_MASSES, speed
from ringdecay.theory.ranges import Floats, positive

SECONDS_PER_DAY = 86400.0
COULOMB_LOGARITHM = 21.5
TEMPERATURE = 1.0
"""kT of the thermal plasma, eV, the same for all its species."""

# Thermal plasma: mass in kg and share of the electron density; charges are one. Logarithm, temperature and shares as in RAM-SCB.
PLASMA = {
    "e-": (constants.m_e, 1.0),
    "H+": (ION_MASSES["H+"], 0.77),
    "He+": (ION_MASSES["He+"], 0.20),
    "O+": (ION_MASSES["O+"], 0.03),
}

# `flux_loss_rate` needs an energy loss that goes as 1 / speed, which holds for ions much faster than the thermal electrons. At 2.3 times
# their thermal speed (protons of 10 keV at 1 eV) g + 1 is too large by 0.07, at twice by 0.17.
SLOWEST = 2.3


def chandrasekhar(x: ArrayLike) -> Floats:
    """Chandrasekhar function G(x) = (erf x - x erf' x) / 2x^2.

    Parameters
    ----------
    x : array_like
        Speed over thermal speed, above zero, any shape.
    """
    x = np.asarray(x, dtype=np.float64)
    # The difference cancels for small x, where the series is 2x/(3 sqrt(pi)) (1 - 3x^2/5 + 3x^4/14); its next term is below 1e-13.
    small = np.abs(x) < 0.01
    # Beyond 1e100 the function is zero to every digit, but the square of x would overflow.
    safe = np.where(small, 1.0, np.clip(x, -1e100, 1e100))
    near = np.where(small, x, 0.0)
    exact = (erf(safe) - safe * 2.0 / np.sqrt(np.pi) * np.exp(-(safe**2))) / (2.0 * safe**2)
    series = 2.0 * near / (3.0 * np.sqrt(np.pi)) * (1.0 - 0.6 * near**2 + 3.0 / 14.0 * near**4)
    return np.asarray(np.where(small, series, exact), dtype=np.float64)


def thermal_speed_ratio(energy: ArrayLike, species: str = "H+") -> Floats:
    """Speed of an ion of `energy` keV over the thermal speed of the plasma's electrons, sqrt(2kT/m)."""
    thermal = np.sqrt(2.0 * TEMPERATURE * constants.e / constants.m_e)
    return np.asarray(speed(energy, species) / (CM_PER_M * thermal), dtype=np.float64)


def energy_loss(energy: ArrayLike, electron_density: ArrayLike, species: str = "H+") -> Floats:
    """Energy that an ion loses to the thermal plasma in a day.

    The sum over electrons, H+, He+ and O+ at 1 eV of q^4 lnLambda / (4 pi eps0^2) n v G(v/v_th) / kT.

    Parameters
    ----------
    energy : array_like
        Kinetic energy in keV.
    electron_density : array_like
        In cm-3, broadcast against `energy`; NaN is given where it is below zero.
    species : {"H+", "He+", "O+"}
        The ion that loses energy.

    Returns
    -------
    ndarray of float64
        Loss in keV/day, above zero.

    Raises
    ------
    InputError
        If the species is not known.
    """
    v = speed(energy, species) / CM_PER_M
    kT = TEMPERATURE * constants.e
    total = sum(share * chandrasekhar(v / np.sqrt(2.0 * kT / mass)) for mass, share in PLASMA.values())
    strength = constants.e**4 * COULOMB_LOGARITHM / (4.0 * np.pi * constants.epsilon_0**2)
    density = np.asarray(electron_density, dtype=np.float64)
    watts = strength * np.where(density >= 0.0, density, np.nan) * CM_PER_M**3 * v * total / kT
    return np.asarray(watts * SECONDS_PER_DAY / (constants.e * 1e3))


def flux_loss_rate(energy: ArrayLike, loss: ArrayLike, spectral_index: ArrayLike) -> Floats:
    """Rate at which energy loss lowers the flux at a fixed energy.

    Ions that leave an energy are replaced by those from above. For a flux that falls as energy to the power -g and a loss that goes
    as 1 / speed the flux decays at ``(g + 1) |dE/dt| / E``. With g below -1 (a flux that rises steeply with energy) it grows.

    Parameters
    ----------
    energy : array_like
        In keV.
    loss : array_like
        ``|dE/dt|`` in keV/day.
    spectral_index : array_like
        g; all three are broadcast against each other.

    Returns
    -------
    ndarray of float64
        Rate in 1/day, negative for growth.
    """
    g = np.asarray(spectral_index, dtype=np.float64)
    return np.asarray((g + 1.0) * np.asarray(loss, dtype=np.float64) / positive(energy))
