"""Surface: the decay time as a smooth function of energy and L, with its uncertainty and the range it is known in, for modellers.

`fit_surface` makes it from the decays of all storms, `tau` evaluates it at any energies and L, `surface_table` writes it out.
"""

from ringdecay.surface.evaluation import tau
from ringdecay.surface.fitting import FLAGS, fit_surface, no_surface
from ringdecay.surface.table import surface_header, surface_table

__all__ = ["FLAGS", "fit_surface", "no_surface", "surface_header", "surface_table", "tau"]
