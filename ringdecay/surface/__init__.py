"""Surface: the decay time as a smooth function of energy and L, with its uncertainty and the range it is known in, for modellers.

`fit_surface` makes it from the decays of all storms, `tau` evaluates it at any energies and L, `surface_table` writes it out.
"""

from ringdecay.surface.evaluation import tau
from ringdecay.surface.fitting import FLAGS, NoSurfaceError, fit_surface, surface_or_reason
from ringdecay.surface.table import surface_header, surface_table

__all__ = ["FLAGS", "NoSurfaceError", "fit_surface", "surface_header", "surface_or_reason", "surface_table", "tau"]
