"""RBSPICE, the ion composition experiment: protons above 7 keV, helium and oxygen above 65 keV.

Two forms of level 3: by telescope, several records a spin, and PAP ("pitch angle and pressure"), one record a spin by pitch angle.

Source of names, sizes, units, fills, spans and energies: NASA's SPASE records RBSP-{A,B}-RBSPICE_LEV-3*. The records of the files by
telescope have no fills; -1.0E31 is that of FPDU in CDAWeb's HAPI metadata, and the integers' is that of the PAP records.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ringdecay.products.description import Axis, Caveat, EnergyTable, Product, Variable
from ringdecay.products.naming import VERSION

_FILL, _INTEGER_FILL, _SPIN_FILL = -1.0e31, -32768, 4294967295
_END = "2019-10-18T16:30:00"
_SPASE = "SPASE record of RBSP-{{A,B}}-RBSPICE_LEV-3{}".format
# The L3 records say "(10=OK)"; what other values mean is not documented where we could read it.
_GOOD = (10,)

# -- energies, keV: the bin centres that the PAP records print; the arrays by telescope hold the same channels -------------------------

_TOFXEH = EnergyTable(
    (44.7, 54.7, 67.1, 81.6, 99.4, 121.0, 148.0, 181.0, 220.0, 269.0, 328.0, 400.0, 489.0, 598.0),
    # Its labels of single channels say 0.048, 0.145, 0.180 and 0.596 MeV; its column of bins is what the CDF holds.
    source="SPASE record of RBSP-A-RBSPICE_LEV-3-PAP_TOFXEH, bin centres",
)
_TOFXPHHHELT = EnergyTable(
    (7.22, 8.17, 9.02, 9.97, 11.0, 12.2, 13.4, 14.8, 16.4, 18.1, 20.0, 22.1, 24.4, 26.9, 29.8, 32.9, 36.3, 40.1, 44.3, 48.9),
    source="SPASE record of RBSP-A-RBSPICE_LEV-3-PAP_TOFXPHHHELT, bin centres",
)
_TOFXPHHLEHT = EnergyTable(
    (8.34, 11.2, 17.4, 24.7, 31.4, 40.9, 50.0), source="SPASE record of RBSP-A-RBSPICE_LEV-3-PAP_TOFXPHHLEHT, bin centres"
)
# "He extension" of TOFxEnonH: RBSPICE calibration tables, revision 15 (2016), front sheet. NASA splits the PAP records at the end of
# that day, because a daily file has one table.
_HE_EXTENSION = "2015-01-14T23:45:00"
_NINE = (65.0, 85.0, 110.0, 142.0, 184.0, 238.0, 309.0, 400.0, 518.0)
_HELIUM = (
    EnergyTable(
        _NINE,
        stop=_HE_EXTENSION,
        source="SPASE record of RBSP-A-RBSPICE_LEV-3-PAP_TOFXEHE-0, bin centres",
        dataset="RBSP-{PROBE}-RBSPICE_LEV-3-PAP_TOFXEHE-0",
    ),
    EnergyTable((*_NINE, 671.0, 870.0), start=_HE_EXTENSION, source="SPASE record of RBSP-A-RBSPICE_LEV-3-PAP_TOFXEHE, bin centres"),
)
# The record of oxygen before the extension contradicts itself: its bin centres are helium's (65 to 518 keV), its text says 0.14 to
# 1.1 MeV and 125 to 1260 keV. Which of the two a file holds is not known, so both are taken and the file's own table is used.
_OXYGEN = (
    EnergyTable(
        _NINE,
        stop=_HE_EXTENSION,
        source="SPASE record of RBSP-A-RBSPICE_LEV-3-PAP_TOFXEO-0, bin centres",
        dataset="RBSP-{PROBE}-RBSPICE_LEV-3-PAP_TOFXEO-0",
    ),
    EnergyTable(
        (142.0, 184.0, 238.0, 309.0, 400.0, 518.0, 671.0, 870.0, 1130.0),
        stop=_HE_EXTENSION,
        source="our inference: nine channels from 0.14 to 1.1 MeV (text of the same record) in the later table's steps of 1.30",
        dataset="RBSP-{PROBE}-RBSPICE_LEV-3-PAP_TOFXEO-0",
    ),
    EnergyTable(
        (142.0, 184.0, 238.0, 309.0, 400.0, 518.0, 671.0, 870.0),
        start=_HE_EXTENSION,
        source="SPASE record of RBSP-A-RBSPICE_LEV-3-PAP_TOFXEO, bin centres",
    ),
)

# -- caveats ---------------------------------------------------------------------------------------------------------------------------

_CAVEATS = (
    Caveat(
        "Processing changed: accidental coincidences at high rates, and the rates into and out of the instrument (v2.11). Files of "
        "versions before and after are not to be mixed.",
        "RBSPICE Science Data Handbook, document change log, revisions e (2018) and f (2019)",
    ),
    Caveat("Early in the mission the instrument was switched off below about L = 3.", "Gerrard et al. (2014), slides"),
    Caveat("The quality flag is good at 10; what its other values mean is not stated.", _SPASE("*")),
)
_PROTON_CAVEATS = (
    Caveat(
        "RCPANN leaves out probe A before 2016-11-01, probe B from 2016-11-01 to 2018-01-01, and L below 2.5; its reason is not stated. "
        "config/mission.yaml excludes the same of rbspice-pap-tofxeh.",
        "github.com/jinxingli87/RCPANN, rcpann_v1.0.ipynb, commit e4888e8",
    ),
)
_NOISY = Caveat("The file's own pressures and densities leave out noisy channels; which these are is not stated.", _SPASE("-PAP_*"))
_HELIUM_CAVEATS = (
    Caveat("Channels changed at 2015-01-14T23:45: nine before, eleven after.", "RBSPICE calibration tables, revision 15 (2016)"),
)
_OXYGEN_CAVEATS = (
    Caveat("Channels changed at 2015-01-14T23:45: nine before, eight after.", "RBSPICE calibration tables, revision 15 (2016)"),
    Caveat(
        "Before the change NASA's record gives bin centres of 65 to 518 keV and a text of 0.14 to 1.1 MeV; look at the energies of the "
        "file before you use them.",
        _SPASE("-PAP_TOFXEO-0"),
    ),
)


# -- variables -------------------------------------------------------------------------------------------------------------------------


def _where() -> Mapping[str, Variable]:
    """Time and place, which all files have alike."""
    return {
        "time": Variable("Epoch", quantity="time", required=True),
        "L": Variable("L", quantity="length", fill=_FILL),
        "L_eq": Variable("L_Eq", quantity="length", fill=_FILL),
        "L_star": Variable("L_Star", quantity="length", fill=_FILL),
        "MLT": Variable("MLT", quantity="hours", fill=_FILL),
        "position_SM": Variable("Position_SM", ("component",), "length", fill=_FILL),
        "position": Variable("Position", ("component",), "length", fill=_FILL),
        "position_quality": Variable("Position_Quality", fill=_INTEGER_FILL),
    }


def _pap(flux: str) -> Mapping[str, Variable]:
    """Variables of a PAP file: energy first, pitch angle second."""
    both: tuple[Axis, ...] = ("energy", "pitch_angle")
    return {
        **_where(),
        "flux": Variable(flux, both, "flux", required=True, fill=_FILL),
        "energy": Variable(f"{flux}_Energy", ("energy",), "energy", required=True, record_varying=False, fill=_FILL),
        "pitch_angle": Variable("PA_Midpoint", ("pitch_angle",), "angle", required=True, record_varying=False, fill=_FILL),
        "pitch_angle_range": Variable("PA_Range", ("bound", "pitch_angle"), record_varying=False, fill=_FILL),
        "counting_error": Variable(f"{flux}_Error", both, "percent", fill=_FILL),
        # Flux without the flags that its product has would be used unfiltered.
        "quality": Variable(f"{flux}_Quality", both, required=True, fill=_INTEGER_FILL),
    }


def _by_telescope(flux: str) -> Mapping[str, Variable]:
    """Variables of a file by telescope, each of which looks along its own pitch angle."""
    both: tuple[Axis, ...] = ("telescope", "energy")
    return {
        **_where(),
        "flux": Variable(flux, both, "flux", required=True, fill=_FILL),
        "energy": Variable(f"{flux}_Energy", both, "energy", required=True, record_varying=False),
        "pitch_angle": Variable(f"{flux}_Alpha", ("telescope",), "angle", required=True, fill=_FILL),
        "pitch_angle_quality": Variable("Alpha_Quality", required=True, fill=_INTEGER_FILL),
        "counting_error": Variable(f"{flux}_Error", both, "percent", fill=_FILL),
        "quality": Variable(f"{flux}_Quality", both, required=True, fill=_INTEGER_FILL),
        # Which records belong together; without it they cannot be combined.
        "spin": Variable("Spin", required=True, fill=_SPIN_FILL),
        "duration": Variable("Duration", quantity="seconds", fill=_FILL),
    }


# -- products --------------------------------------------------------------------------------------------------------------------------

_PAP = Product(
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
    span={"a": ("2013-01-26T10:04:21", _END), "b": ("2012-11-14T16:59:50", _END)},
    caveats=(*_CAVEATS, *_PROTON_CAVEATS, _NOISY),
    variables=_pap("FPDU"),
    sizes={"energy": 14, "pitch_angle": 17, "bound": 2, "component": 3},
    ion="H+",
    time_is="start",
    good_quality=_GOOD,
    energy_tables=(_TOFXEH,),
)


def _pap_product(array: str, **changed: object) -> Product:
    """Describe another PAP product by what differs."""
    return replace(
        _PAP,
        name=f"rbspice-pap-{array}",
        directory=_PAP.directory.replace("tofxeh", array),
        filename=_PAP.filename.replace("tofxeh", array),
        dataset=_PAP.dataset.replace("TOFXEH", array.upper()),
        **changed,  # type: ignore[arg-type]
    )


_TELESCOPES = replace(
    _PAP,
    name="rbspice-tofxeh",
    title="RBSPICE level 3 by telescope: protons 45-598 keV by time of flight and energy",
    directory="rbsp/rbsp{probe}/l3/rbspice/tofxeh/{year}",
    filename=r"rbsp-{probe}-rbspice_lev-3_tofxeh_(?P<date>\d{{8}})_" + VERSION + r"\.cdf",
    dataset="RBSP-{PROBE}-RBSPICE_LEV-3_TOFXEH",
    span={"a": ("2013-01-26T10:04:16", _END), "b": ("2012-11-14T16:59:44", _END)},
    caveats=(*_CAVEATS, *_PROTON_CAVEATS),
    variables=_by_telescope("FPDU"),
    sizes={"telescope": 6, "energy": 14, "bound": 2, "component": 3},
)


def _telescope_product(array: str, name: str, **changed: object) -> Product:
    """Describe another product by telescope by what differs."""
    return replace(
        _TELESCOPES,
        name=name,
        directory=_TELESCOPES.directory.replace("tofxeh", array),
        filename=_TELESCOPES.filename.replace("tofxeh", array),
        dataset=_TELESCOPES.dataset.replace("TOFXEH", array.upper()),
        **changed,  # type: ignore[arg-type]
    )


def _sizes(of: Product, energies: int) -> Mapping[str, int]:
    return {**of.sizes, "energy": energies}


_NON_H_SPAN = {"a": ("2012-10-29T00:01:17", _END), "b": ("2012-10-29T00:01:17", _END)}

PRODUCTS = (
    _PAP,
    _pap_product(
        "tofxphhhelt",
        title="RBSPICE level 3 pitch-angle and pressure: protons 7-49 keV by time of flight and pulse height, fine in energy",
        span={"a": ("2012-10-29T00:02:12", "2016-05-30T23:59:30"), "b": ("2012-10-29T00:01:15", _END)},
        sizes=_sizes(_PAP, 20),
        energy_tables=(_TOFXPHHHELT,),
        caveats=(*_CAVEATS, _NOISY, Caveat("Probe A ends on 2016-05-30; the reason is not stated.", _SPASE("-PAP_TOFXPHHHELT"))),
    ),
    _pap_product(
        "tofxphhleht",
        title="RBSPICE level 3 pitch-angle and pressure: protons 8-50 keV by time of flight and pulse height, fast",
        span={"a": ("2013-01-26T10:04:21", "2014-10-02T20:59:13"), "b": ("2012-12-02T02:12:01", "2014-10-03T16:51:42")},
        sizes=_sizes(_PAP, 7),
        energy_tables=(_TOFXPHHLEHT,),
        caveats=(*_CAVEATS, _NOISY, Caveat("Both probes end in October 2014; the reason is not stated.", _SPASE("-PAP_TOFXPHHLEHT"))),
    ),
    _pap_product(
        "tofxehe",
        title="RBSPICE level 3 pitch-angle and pressure: helium 65-870 keV by time of flight and energy",
        span={"a": ("2013-01-26T10:04:21", _END), "b": ("2012-11-14T16:59:50", _END)},
        variables=_pap("FHeDU"),
        sizes=_sizes(_PAP, 11),
        ion="He+",
        energy_tables=_HELIUM,
        caveats=(
            *_CAVEATS,
            *_HELIUM_CAVEATS,
            _NOISY,
            # The record of the eleven channels begins there, that of probe A in 2015: a misprint, or files processed anew.
            Caveat("For probe B the record of eleven channels begins on 2012-11-15 already.", _SPASE("-PAP_TOFXEHE")),
        ),
    ),
    _pap_product(
        "tofxeo",
        title="RBSPICE level 3 pitch-angle and pressure: oxygen 142-870 keV by time of flight and energy",
        span={"a": ("2013-01-26T10:04:21", _END), "b": ("2012-11-14T16:59:50", _END)},
        variables=_pap("FODU"),
        sizes=_sizes(_PAP, 8),
        ion="O+",
        energy_tables=_OXYGEN,
        caveats=(*_CAVEATS, *_OXYGEN_CAVEATS, _NOISY),
    ),
    _TELESCOPES,
    _telescope_product(
        "tofxphhhelt",
        "rbspice-tofxphhhelt",
        title="RBSPICE level 3 by telescope: protons 7-49 keV by time of flight and pulse height, fine in energy",
        span={"a": ("2012-10-29T00:01:17", _END), "b": ("2012-10-29T00:00:20", _END)},
        sizes=_sizes(_TELESCOPES, 32),
        # The record says "last 20 channels" and also that the first 11 and the last one are unused. Both at once leave 20 of 32 only if
        # "last" is taken before the unused one: 11 + 20 + 1. The PAP record has 20 energies, and oxygen's has 11.
        channels=(11, 31),
        energy_tables=(_TOFXPHHHELT,),
        caveats=_CAVEATS,
    ),
    _telescope_product(
        "tofxphhleht",
        "rbspice-tofxphhleht",
        title="RBSPICE level 3 by telescope: protons 8-50 keV by time of flight and pulse height, fast",
        span={"a": ("2013-01-26T10:04:16", _END), "b": ("2012-12-02T02:11:56", _END)},
        sizes=_sizes(_TELESCOPES, 10),
        channels=(3, 10),  # "the last 7 channels ... the first 3 have a default value"
        energy_tables=(_TOFXPHHLEHT,),
        caveats=_CAVEATS,
    ),
    _telescope_product(
        "tofxenonh",
        "rbspice-tofxenonh-he",
        title="RBSPICE level 3 by telescope: helium 65-870 keV by time of flight and energy",
        span=_NON_H_SPAN,
        variables=_by_telescope("FHeDU"),
        sizes=_sizes(_TELESCOPES, 20),
        ion="He+",
        energy_tables=(
            replace(_HELIUM[0], channels=(0, 9), dataset=""),  # "the first 9 channels", a note of 2013 in the record
            replace(_HELIUM[1], channels=(0, 11)),  # SPEDAS (IDL, 2017): 0 to 10, both included
        ),
        caveats=(*_CAVEATS, *_HELIUM_CAVEATS),
    ),
    _telescope_product(
        "tofxenonh",
        "rbspice-tofxenonh-o",
        title="RBSPICE level 3 by telescope: oxygen 142-870 keV by time of flight and energy",
        span=_NON_H_SPAN,
        variables=_by_telescope("FODU"),
        sizes=_sizes(_TELESCOPES, 20),
        ion="O+",
        energy_tables=(
            # Which nine of the twenty channels these were is not known.
            replace(_OXYGEN[0], dataset=""),
            replace(_OXYGEN[1], dataset=""),
            # SPEDAS (IDL, 2017): 11 to 18, both included; its Python port leaves out the last.
            replace(_OXYGEN[2], channels=(11, 19)),
        ),
        caveats=(*_CAVEATS, *_OXYGEN_CAVEATS),
    ),
)
