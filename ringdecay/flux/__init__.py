"""From files of one product to flux with canonical names and units, quality applied."""

from ringdecay.flux.coordinates import with_traced
from ringdecay.flux.energies import dates_of_change, same_energies
from ringdecay.flux.expected import date_and_probe
from ringdecay.flux.pitch_angle import MIN_COVERAGE, equatorial_bin, equatorial_pitch_angle, omnidirectional, solid_angle
from ringdecay.flux.read import FluxFile, open_flux, reading_flux
from ringdecay.flux.values import Piece

__all__ = [
    "MIN_COVERAGE",
    "FluxFile",
    "Piece",
    "date_and_probe",
    "dates_of_change",
    "equatorial_bin",
    "equatorial_pitch_angle",
    "omnidirectional",
    "open_flux",
    "reading_flux",
    "same_energies",
    "solid_angle",
    "with_traced",
]
