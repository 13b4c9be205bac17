"""The energy that the measured ions of the ring current hold, the magnetic depression that it makes, and how fast both decay.

`channels` turns flux into energy density and pressure, `dipole` energy density into energy and energy into Dst
(Dessler-Parker-Sckopke), `content` does both for binned flux; `dst_star` takes the magnetopause out of the index, `decay` fits the
recoveries of energy and index side by side, `table` writes all of it.
"""

from ringdecay.energy_content.channels import channel_edges, energy_weights
from ringdecay.energy_content.content import channel_floor, energy_content
from ringdecay.energy_content.decay import energy_decays, recovery_windows
from ringdecay.energy_content.dipole import dst_dps, shell_volume
from ringdecay.energy_content.dst_star import dst_recovery_rate, pressure_corrected
from ringdecay.energy_content.table import (
    content_header,
    content_table,
    decay_header,
    decay_table,
    pressure_header,
    pressure_table,
    with_index,
)

__all__ = [
    "channel_edges",
    "channel_floor",
    "content_header",
    "content_table",
    "decay_header",
    "decay_table",
    "dst_dps",
    "dst_recovery_rate",
    "energy_content",
    "energy_decays",
    "energy_weights",
    "pressure_corrected",
    "pressure_header",
    "pressure_table",
    "recovery_windows",
    "shell_volume",
    "with_index",
]
