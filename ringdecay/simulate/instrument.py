"""The simulated instrument: its pitch-angle bins and its sensitivity.

The sensitivity is ASSUMED, not that of RBSPICE: counts per flux are a power law of energy through two points, chosen so that at
the peak of a storm (L = 4, at the equator, 90 deg) one flux value of a record of ten spins has 2500 counts (2 %) at 50 keV and
11 counts (30 %) at 598 keV.
"""

from __future__ import annotations

import numpy as np

from ringdecay.simulate.truth import ENERGY, Array, peak_flux

SPIN_NANOSECONDS = 10_870_000_000
SPINS_A_RECORD = 10  # of the demonstration; a real PAP file has a record a spin
RECORD_SECONDS = 108.7  # ten spins
#: Pitch-angle bins of the RBSPICE PAP product, deg.
PITCH_ANGLE_RANGE: Array = np.array([np.r_[0.0, np.arange(15.0, 170.0, 10.0)], np.r_[np.arange(15.0, 170.0, 10.0), 180.0]])
PITCH_ANGLE: Array = PITCH_ANGLE_RANGE.mean(axis=0)
#: Share of each bin in the sphere. Written apart from `ringdecay.flux.solid_angle`, as all of the instrument is: a mistake in a shared
#: formula would cancel between the simulated files and their analysis, and no test would see it.
SOLID_ANGLE: Array = -np.diff(np.cos(np.deg2rad(PITCH_ANGLE_RANGE)), axis=0)[0] / 2.0

_POINTS = ((50.0, 2500.0), (598.0, 11.0))  # keV, counts at the peak


def exposure(spins: int = SPINS_A_RECORD) -> Array:
    """Give the counts per flux (cm-2 s-1 sr-1 keV-1) in a record of so many spins and one pitch-angle bin, shape (energy,); ASSUMED."""
    (low, low_counts), (high, high_counts) = _POINTS
    at_low, at_high = low_counts / peak_flux(low), high_counts / peak_flux(high)
    ten_spins = at_low * (ENERGY / low) ** (np.log(at_high / at_low) / np.log(high / low))
    return np.asarray(ten_spins * (spins / SPINS_A_RECORD))


def bin_average(power: float) -> Array:
    """Average of sin^power over the solid angle of each pitch-angle bin, shape (pitch_angle,)."""
    nodes, weights = np.polynomial.legendre.leggauss(16)
    low, high = np.deg2rad(PITCH_ANGLE_RANGE)
    sine = np.sin(low[:, None] + (high - low)[:, None] * (nodes + 1.0) / 2.0)
    return np.asarray((sine ** (power + 1.0) @ weights) / (sine @ weights))


def omnidirectional_factor(power: float) -> float:
    """Average of sin^power over the sphere."""
    return float(SOLID_ANGLE @ bin_average(power))


def omnidirectional_exposure(power: float) -> Array:
    """Give the counts of one record in all pitch-angle bins per omnidirectional flux, shape (energy,)."""
    return np.asarray(exposure() * bin_average(power).sum() / omnidirectional_factor(power))
