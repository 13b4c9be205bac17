"""ECT, the energetic particle, composition and thermal plasma suite: HOPE and MagEIS.

Source of names, sizes, units and fills: NASA's SPASE records RBSP{A,B}_REL04_ECT-*.
"""

from ringdecay.products.description import Caveat, Product, Variable
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
            # NASA's record calls it McIlwain's L; our L is that of the dipole, which comes from the position.
            "L_eq": Variable("L_Ion", fill=_FILL),
            "L_star": Variable("L_star_Ion", fill=_FILL),
            "MLT": Variable("MLT_Ion", quantity="hours", fill=_FILL),
            "position": Variable("Position_Ion", ("component",), "length", fill=_FILL),
        },
        sizes={"energy": 72, "pitch_angle": 11, "component": 3},
        ion="H+",
        time_is="centre",
        caveats=(
            Caveat(
                "Before September 2013 neighbouring channels were sent as one (36 energies) and expanded to 72 on the ground, and so were "
                "spin angles: neighbours are not independent.",
                "SPASE record of RBSPA_REL04_ECT-HOPE-PA-L3, FPDU and HOPE_ENERGY_Ion",
            ),
            Caveat(
                "Near perigee (Mode_Ion = 1) the lowest channels are raised: records with another energy table than most of the "
                "file are left out and counted.",
                "SPASE record of RBSPA_REL04_ECT-HOPE-PA-L3, Mode_Ion",
            ),
            Caveat(
                "The eight flags of Flags_Ion are not applied: what each stands for is written only in the file's FLAGS.",
                "SPASE record of RBSPA_REL04_ECT-HOPE-PA-L3, Flags_Ion",
            ),
        ),
    ),
    Product(
        name="mageis-l3",
        title="ECT MagEIS level 3: protons about 60 keV-1.3 MeV by pitch angle",
        kind="flux",
        directory="rbsp/rbsp{probe}/l3/ect/mageis/sectors/rel04/{year}",
        filename=r"rbsp{probe}_rel04_ect-mageis-l3_(?P<date>\d{{8}})_" + VERSION + r"\.cdf",
        period="day",
        probes=("a", "b"),
        format="cdf",
        dataset="RBSP{PROBE}_REL04_ECT-MAGEIS-L3",
        span={"a": ("2012-09-07T02:29:48", "2019-10-18T16:30:00"), "b": ("2012-09-07T00:00:10", "2019-10-18T16:30:00")},
        variables={
            "time": Variable("FPDU_Epoch", quantity="time", required=True),
            # Place and field are given at the electrons' times.
            "ephemeris_time": Variable("Epoch", quantity="time", required=True),
            # 32 pitch angles, of which 15 are used; the others are fill.
            "flux": Variable("FPDU", ("pitch_angle", "energy"), "flux", required=True, fill=_FILL),
            "energy": Variable("FPDU_Energy", ("energy",), "energy", required=True, record_varying=False, fill=_FILL),
            "pitch_angle": Variable("FPDU_Alpha", ("pitch_angle",), "angle", required=True, record_varying=False, fill=_FILL),
            "L_eq": Variable("L", fill=_FILL),
            "L_star": Variable("L_star", fill=_FILL),
            "MLT": Variable("MLT", quantity="hours", fill=_FILL),
            # The latitude comes from the position, as for the other products: which dipole the file's MLAT is of is not said.
            "position": Variable("Position", ("component",), "length", fill=_FILL),
        },
        # The energies of the 31 channels are not in NASA's record: those of the file are used as they are.
        sizes={"energy": 31, "pitch_angle": 32, "component": 3},
        ion="H+",
        time_is="centre",
        caveats=(
            Caveat("The background of the protons cannot be corrected.", "MagEIS release 3 notes"),
            Caveat("Light contaminates the protons; level 2 is not corrected for it, level 3 is.", "MagEIS release 3 notes"),
            Caveat("From about March 2013 the lowest channels are noisy, and the noise grows to higher ones.", "MagEIS release 3 notes"),
            Caveat(
                "There is neither a quality flag nor a counting error of the protons in these files.",
                "SPASE record of RBSPA_REL04_ECT-MAGEIS-L3",
            ),
        ),
    ),
)
