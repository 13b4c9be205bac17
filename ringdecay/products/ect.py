"""ECT, the energetic particle, composition and thermal plasma suite: HOPE.

Source of names, sizes, units and fills: NASA's SPASE records RBSP{A,B}_REL04_ECT-*.
"""

from ringdecay.products.description import Product, Variable
from ringdecay.products.naming import VERSION

_FILL = -1.0e31

PRODUCTS = (
    Product(
        name="hope-pa",
        title="ECT HOPE level 3 pitch angle: protons 1 eV-52 keV",
        kind="flux",
        directory="rbsp/rbsp{probe}/l3/ect/hope/pitchangle/rel04/{year}",
        filename=r"rbsp{probe}_rel04_ect-hope-pa-l3_(?P<date>\d{{8}})_" + VERSION + r"\.cdf",
        period="day",
        probes=("a", "b"),
        format="cdf",
        dataset="RBSP{PROBE}_REL04_ECT-HOPE-PA-L3",
        span={"a": ("2012-10-25T00:00:23", "2019-10-18T16:30:00"), "b": ("2012-10-26T00:00:20", "2019-10-18T16:30:00")},
        variables={
            "time": Variable("Epoch_Ion", quantity="time", required=True),
            "flux": Variable("FPDU", ("pitch_angle", "energy"), "flux", required=True, fill=_FILL),
            "energy": Variable("HOPE_ENERGY_Ion", ("energy",), "energy", required=True, fill=_FILL),
            "pitch_angle": Variable("PITCH_ANGLE", ("pitch_angle",), "angle", required=True, record_varying=False, fill=_FILL),
            "counts": Variable("Counts_P", ("pitch_angle", "energy"), fill=_FILL),
            "L": Variable("L_Ion", fill=_FILL),
            "L_star": Variable("L_star_Ion", fill=_FILL),
            "MLT": Variable("MLT_Ion", quantity="hours", fill=_FILL),
            "position": Variable("Position_Ion", ("component",), "length", fill=_FILL),
        },
        sizes={"energy": 72, "pitch_angle": 11, "component": 3},
        ion="H+",
        time_is="centre",
    ),
)
