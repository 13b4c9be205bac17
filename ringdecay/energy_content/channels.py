"""Energy density and pressure from the flux of energy channels, as one number a channel and band to multiply the flux with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import constants

from ringdecay.errors import InputError
from ringdecay.theory import ION_MASSES, speed

Floats = NDArray[np.float64]

# 1 keV cm-3 in nPa.
NANOPASCAL = constants.e * 1e3 * 1e6 * 1e9
# The integrand over a channel, E/v, is close to sqrt(E): five points are exact to 1e-9 even over a decade.
_NODES, _NODE_WEIGHTS = np.polynomial.legendre.leggauss(5)


def channel_edges(energy: ArrayLike) -> Floats:
    """Edges of energy channels of which only the centres are known: geometric means of neighbours, mirrored at both ends.

    Parameters
    ----------
    energy : array_like, shape (m,)
        Channel energies, keV, rising; two or more.

    Returns
    -------
    ndarray of float64, shape (m + 1,)
        keV.

    Raises
    ------
    InputError
        If there are fewer than two energies, or they do not rise.
    """
    energy = np.asarray(energy, dtype=np.float64)
    if energy.ndim != 1 or energy.size < 2 or not (energy[0] > 0 and (np.diff(energy) > 0).all()):
        raise InputError("the widths of channels can only be told from two or more positive, rising energies")
    middle = np.sqrt(energy[:-1] * energy[1:])
    return np.concatenate([[energy[0] ** 2 / middle[0]], middle, [energy[-1] ** 2 / middle[-1]]])


def bands_within(channels: Floats, band_edges: Sequence[float]) -> Floats:
    """Edges of the energy bands: the channels' edges nearest to the wanted ones, and the ends of the channels as the outermost.

    A channel is in one band only. Where a band's edge divides it, how much of it lies on which side would depend on how the spectrum
    falls within it, of which the channel says nothing: with a flux taken as constant over it, the bands of RBSPICE's channels and edges
    at 50, 100 and 200 keV would be wrong by up to 8 % for a flux that falls as E^-5, and by more for a steeper one.

    Parameters
    ----------
    channels : ndarray, shape (m + 1,)
        From `channel_edges`, keV.
    band_edges : sequence of float
        Where bands should part, keV; what lies beyond the channels parts nothing.

    Raises
    ------
    InputError
        If the edges do not rise or are not positive.
    """
    inner = np.asarray(band_edges, dtype=np.float64)
    if inner.ndim != 1 or not ((inner > 0).all() and (np.diff(inner) > 0).all()):
        raise InputError(f"the edges of the energy bands must be positive and rising, not {list(band_edges)}")
    inner = inner[(inner > channels[0]) & (inner < channels[-1])]
    nearest = np.abs(np.log(inner[:, None] / channels)).argmin(axis=1)
    found: Floats = channels[np.unique([0, *nearest.tolist(), len(channels) - 1])]
    return found


def energy_weights(energy: ArrayLike, bands: ArrayLike, species: str = "H+") -> tuple[Floats, Floats]:
    """Find what the flux of each channel adds to the energy density and to the pressure of each energy band.

    The flux is taken as constant over a channel; a channel that a band's edge divides adds to both bands.

    Parameters
    ----------
    energy : array_like, shape (m,)
        Channel energies, keV.
    bands : array_like, shape (b + 1,)
        Edges of the bands, keV.
    species : {"H+", "He+", "O+"}
        The ion.

    Returns
    -------
    energy_density, pressure : ndarray of float64, shape (m, b)
        keV cm-3 and nPa for each unit of omnidirectional flux (cm-2 s-1 sr-1 keV-1): 4 pi times the integral of E/v, and 4 pi/3 times
        that of the momentum p, over what a channel and a band share. For p v = 2 E, slow ions, the pressure is 2/3 of the energy
        density. The pressure is that of an isotropic distribution.

    Raises
    ------
    InputError
        If the species is not known or the energies do not rise.
    """
    channels, bands = channel_edges(energy), np.asarray(bands, dtype=np.float64)
    low = np.maximum(channels[:-1, None], bands[None, :-1])
    high = np.maximum(np.minimum(channels[1:, None], bands[None, 1:]), low)
    half = (high - low) / 2
    at = low[..., None] + half[..., None] * (1.0 + _NODES)
    slowness = 4.0 * np.pi / speed(at, species)  # checks the species
    gamma = 1.0 + at * constants.e * 1e3 / (ION_MASSES[species] * constants.c**2)
    weights = half[..., None] * _NODE_WEIGHTS
    # p v = E (gamma + 1) / gamma.
    return (weights * slowness * at).sum(axis=-1), (weights * slowness * at * (gamma + 1.0) / gamma).sum(axis=-1) / 3.0 * NANOPASCAL
