"""RBSPICE, the ion composition experiment: protons, helium and oxygen above 7 keV.

Source of names, sizes, units, fills and energies: NASA's SPASE records RBSP-{A,B}-RBSPICE_LEV-3*.
"""

from ringdecay.products.description import EnergyTable, Product, Variable
from ringdecay.products.naming import VERSION

_FILL = -1.0e31

PRODUCTS = (
    Product(
        name="rbspice-pap-tofxeh",
        title="RBSPICE level 3 pitch-angle and pressure: protons 45-598 keV by time of flight and energy",
        kind="flux",
        directory="rbsp/rbsp{probe}/l3/rbspice/pap_tofxeh/{year}",
        # SPDF separates "lev-3-pap" with a hyphen, the team site writes PAP and TOFxEH in mixed case.
        filename=r"rbsp-{probe}-rbspice_lev-3[-_]pap_tofxeh_(?P<date>\d{{8}})_" + VERSION + r"\.cdf",
        period="day",
        probes=("a", "b"),
        format="cdf",
        dataset="RBSP-{PROBE}-RBSPICE_LEV-3-PAP_TOFXEH",
        span={"a": ("2013-01-26T10:04:21", "2019-10-18T16:30:00"), "b": ("2012-11-14T16:59:50", "2019-10-18T16:30:00")},
        variables={
            "time": Variable("Epoch", quantity="time", required=True),
            "flux": Variable("FPDU", ("energy", "pitch_angle"), "flux", required=True, fill=_FILL),
            "energy": Variable("FPDU_Energy", ("energy",), "energy", required=True, record_varying=False, fill=_FILL),
            "pitch_angle": Variable("PA_Midpoint", ("pitch_angle",), "angle", required=True, record_varying=False, fill=_FILL),
            "pitch_angle_range": Variable("PA_Range", ("bound", "pitch_angle"), record_varying=False, fill=_FILL),
            "counting_error": Variable("FPDU_Error", ("energy", "pitch_angle"), "percent", fill=_FILL),
            # Flux without the flags that its product has would be used unfiltered.
            "quality": Variable("FPDU_Quality", ("energy", "pitch_angle"), required=True, fill=-32768),
            "L": Variable("L", quantity="length", fill=_FILL),
            "L_eq": Variable("L_Eq", quantity="length", fill=_FILL),
            "L_star": Variable("L_Star", quantity="length", fill=_FILL),
            "MLT": Variable("MLT", quantity="hours", fill=_FILL),
            "position_SM": Variable("Position_SM", ("component",), "length", fill=_FILL),
            "position": Variable("Position", ("component",), "length", fill=_FILL),
            "position_quality": Variable("Position_Quality", fill=-32768),
        },
        sizes={"energy": 14, "pitch_angle": 17, "bound": 2, "component": 3},
        ion="H+",
        time_is="start",
        # The L3 record says "10=OK"; what other values mean is not documented where we could read it.
        good_quality=(10,),
        energy_tables=(
            EnergyTable(
                (44.7, 54.7, 67.1, 81.6, 99.4, 121.0, 148.0, 181.0, 220.0, 269.0, 328.0, 400.0, 489.0, 598.0),
                source="SPASE record of RBSP-A-RBSPICE_LEV-3-PAP_TOFXEH, bin centres",
            ),
        ),
    ),
)
