"""From files of one product to flux with canonical names and units, quality applied."""

from ringdecay.ephemeris.dipole import dipole_L, magnetic_latitude
from ringdecay.flux.coordinates import with_traced
from ringdecay.flux.pitch_angle import MIN_COVERAGE, equatorial_pitch_angle, omnidirectional, solid_angle
from ringdecay.flux.read import date_and_probe, open_flux, same_energies

__all__ = [
    "MIN_COVERAGE",
    "date_and_probe",
    "dipole_L",
    "equatorial_pitch_angle",
    "magnetic_latitude",
    "omnidirectional",
    "open_flux",
    "same_energies",
    "solid_angle",
    "with_traced",
]
