"""How fast physics removes ring-current ions: charge exchange with the geocorona and Coulomb drag in the plasmasphere.

`loss_rate` gives both rates, their sum and the band over all model choices; `dominant_process` says which of the two is the faster.
The parts that `loss_rate` is made of (cross sections, hydrogen and electron densities, the bounce average, the energy loss) are
functions of their own. Each model says in which range it holds; outside it gives NaN unless it is told to extrapolate.
"""

from ringdecay.theory.bounce import bounce_average, loss_cone, mirror_latitude
from ringdecay.theory.coulomb import chandrasekhar, energy_loss, flux_loss_rate
from ringdecay.theory.cross_sections import CROSS_SECTIONS, janev_smith_1993, lindsay_stebbings_2005, ram_scb
from ringdecay.theory.geocorona import GEOCORONAS, ostgaard_2003, rairden_1986, zoennchen_2011
from ringdecay.theory.ions import ION_MASSES, speed
from ringdecay.theory.loss import loss_rate
from ringdecay.theory.over_range import loss_rate_over
from ringdecay.theory.plasmasphere import electron_density, plasmapause, saturated, trough
from ringdecay.theory.processes import PROCESSES, dominant_process

__all__ = [
    "CROSS_SECTIONS",
    "GEOCORONAS",
    "ION_MASSES",
    "PROCESSES",
    "bounce_average",
    "chandrasekhar",
    "dominant_process",
    "electron_density",
    "energy_loss",
    "flux_loss_rate",
    "janev_smith_1993",
    "lindsay_stebbings_2005",
    "loss_cone",
    "loss_rate",
    "loss_rate_over",
    "mirror_latitude",
    "ostgaard_2003",
    "plasmapause",
    "rairden_1986",
    "ram_scb",
    "saturated",
    "speed",
    "trough",
    "zoennchen_2011",
]
