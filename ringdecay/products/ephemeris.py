"""ECT MagEphem: position and magnetic coordinates of the probes in four models of the Earth's field.

Source of directories and names: the loaders of SPEDAS and pySPEDAS, which name the files at SPDF. Source of the variables: the header
of a real MagEphem text file of 2012, and LANLGeoMag, the program that wrote the later ones (CDMAG_MLT where the text file has CD_MLT,
and in degrees by its word). No real CDF file was at hand, so nothing but the time is required: the reader says what a file lacks.
"""

from ringdecay.products.description import Caveat, Product, Variable
from ringdecay.products.naming import VERSION

_FILL = -1.0e31

# The model's letters at SPDF -> cadence and what it is. The files of TS04D come every 5 min, the others every minute.
_MODELS = {
    "op77q": ("1min", "Olson and Pfitzer 1977, quiet"),
    "t89d": ("1min", "Tsyganenko 1989, with the Kp of the time"),
    "t89q": ("1min", "Tsyganenko 1989, quiet"),
    "ts04d": ("5min", "Tsyganenko and Sitnov 2005 (TS04), with the solar wind of the time"),
}

_VARIABLES = {
    "time": Variable("Epoch", quantity="time", required=True),
    "pitch_angle": Variable("Alpha", ("pitch_angle",), "angle", record_varying=False, fill=_FILL),
    "L_star": Variable("Lstar", ("pitch_angle",), fill=_FILL),
    "L_m": Variable("L", ("pitch_angle",), fill=_FILL),
    "L_eq": Variable("Lm_eq", fill=_FILL),
    "I": Variable("I", ("pitch_angle",), fill=_FILL),
    "K": Variable("K", ("pitch_angle",), fill=_FILL),
    "MLT": Variable("CDMAG_MLT", quantity="hours", fill=_FILL),
    "MLAT": Variable("CDMAG_MLAT", quantity="angle", fill=_FILL),
    "position": Variable("Rgeo", ("component",), "length", fill=_FILL),
    "position_SM": Variable("Rsm", ("component",), "length", fill=_FILL),
    # Three components and the magnitude.
    "B": Variable("Bsc_gsm", ("component",), fill=_FILL),
}

PRODUCTS = tuple(
    Product(
        name=f"magephem-{model}",
        title=f"ECT MagEphem: L*, MLT and position; field model {model.upper()} ({meaning})",
        kind="ephemeris",
        directory=f"rbsp/rbsp{{probe}}/ephemeris/ect-mag-ephem/cdf/def-{cadence}-{model}/{{year}}",
        filename=rf"rbsp-{{probe}}_mag-ephem_def-{cadence}-{model}_(?P<date>\d{{{{8}}}})_" + VERSION + r"\.cdf",
        period="day",
        probes=("a", "b"),
        format="cdf",
        caveats=(
            Caveat(
                "Lengths are in Earth radii of 6378.137 km, those of RBSPICE and of the IGRF in 6371.2 km.",
                "Rgeo against Rgeod_Height in the real text file of 2013-02-18",
            ),
        ),
        variables=_VARIABLES,
        sizes={"pitch_angle": 18},
    )
    for model, (cadence, meaning) in _MODELS.items()
)
