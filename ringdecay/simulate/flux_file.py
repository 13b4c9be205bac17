"""One simulated daily file in the layout of RBSPICE level 3 PAP TOFxEH.

Names, sizes, units and fills of the variables are those of the SPASE record RBSP-A-RBSPICE_LEV-3-PAP_TOFXEH. Not in that record,
so chosen here: the type of the flux (4-byte floats), the DEPEND_1 and DEPEND_2 names, the meaning of quality flags other than
10 = OK. Left out: moments (pressures, density, integral flux), extremes over the spin, weights, Position_GSM, I, and the virtual
variables that CDAWeb adds.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from cdflib import cdfepoch
from cdflib.cdfwrite import CDF

from ringdecay.simulate.instrument import (
    PITCH_ANGLE,
    PITCH_ANGLE_RANGE,
    SOLID_ANGLE,
    SPIN_NANOSECONDS,
    SPINS_A_RECORD,
    bin_average,
    exposure,
)
from ringdecay.simulate.orbit import Ephemeris, ephemeris, field_ratio
from ringdecay.simulate.truth import ENERGY, Truth, log_flux
from ringdecay.store import written_whole

FILL, QUALITY_FILL = -1.0e31, -32768
GOOD_QUALITY, BAD_QUALITY = 10, 20
_FIRST_RECORD_NS = {"a": 0, "b": 37_000_000_000}  # after the begin of the world, so that the probes' records do not coincide
_PROBE_NUMBER = {"a": 0, "b": 1}
# Shares of records that are spoiled on purpose.
_BAD_RECORDS, _BAD_CHANNELS, _FILL_RECORDS, _BAD_POSITIONS = 0.004, 0.003, 0.003, 0.001

_CODES = {
    "CDF_INT2": 2,
    "CDF_INT4": 4,
    "CDF_UINT4": 14,
    "CDF_REAL4": 21,
    "CDF_TIME_TT2000": 33,
    "CDF_DOUBLE": 45,
    "CDF_CHAR": 51,
}


@dataclass(frozen=True)
class _Variable:
    """A variable of the file: CDF type, unit, fill, valid range, description, names of the axes after the record."""

    type: str
    units: str
    fill: float | None
    valid: tuple[float, float] | None
    description: str
    axes: tuple[str, ...] = ()
    varies: bool = True
    role: str = "support_data"


_AXES = ("FPDU_Energy", "PA_Midpoint")
_FLUX_UNITS = "Counts/(MeV-cm^2-s-sr)"
_ET = "Ephemeris Time, {} of the Spin Group Observation Interval"
_VARIABLES: dict[str, _Variable] = {
    "Epoch": _Variable("CDF_TIME_TT2000", "ns", -(2**63), None, "Epoch Time, Start of the Measurement Accumulation Interval"),
    "UTC": _Variable("CDF_CHAR", "s", None, None, "Measurement Start Time, UTC Time String Format, CCYY-DOYTHH:MM:SS.hhh"),
    "ET": _Variable("CDF_DOUBLE", "s", FILL, (3.15576e8, 7.88962e8), _ET.format("Start Time")),
    "MidET": _Variable("CDF_DOUBLE", "s", FILL, (3.15576e8, 7.88962e8), _ET.format("Midpoint Time")),
    "StopET": _Variable("CDF_DOUBLE", "s", FILL, (3.15576e8, 7.88962e8), _ET.format("End Time")),
    "Duration": _Variable("CDF_DOUBLE", "s", FILL, (0.0, 1e6), "Time Duration, Spin Group Observation Interval"),
    "Spin": _Variable("CDF_UINT4", " ", 2**32 - 1, (0, 65535), "Spin Number at the Beginning of the Measurement, cyclical"),
    "FPDU": _Variable("CDF_REAL4", _FLUX_UNITS, FILL, None, "Proton Differential Flux Intensity, Unidirectional", _AXES, role="data"),
    "FPDU_Error": _Variable("CDF_REAL4", "%", FILL, None, "Percentage Error of FPDU, 100*sqrt(Counts)^-1", _AXES, role="data"),
    "FPDU_Quality": _Variable("CDF_INT2", "(10=OK)", QUALITY_FILL, None, "Data Quality Flag of FPDU", _AXES),
    "FPDU_OmniFlux": _Variable(
        "CDF_REAL4", "(cm^2 s MeV)^-1", FILL, (0.0, 6e12), "Proton Flux Intensity, Omnidirectional", _AXES[:1], role="data"
    ),
    "FPDU_Energy": _Variable("CDF_DOUBLE", "MeV", FILL, (0.04, 0.7), "Proton Channel, Midpoint Energy", ("",), varies=False),
    "FPDU_EnergyRange": _Variable("CDF_DOUBLE", "MeV", FILL, None, "Proton Channel, Energy Range", ("", "FPDU_Energy"), varies=False),
    "PA_Midpoint": _Variable("CDF_DOUBLE", "deg", FILL, (0.0, 180.0), "Pitch Angle Bin Midpoint", ("",), varies=False),
    "PA_Range": _Variable("CDF_DOUBLE", "deg", FILL, None, "Pitch Angle Bin Range Limits", ("", "PA_Midpoint"), varies=False),
    "Position": _Variable("CDF_DOUBLE", "Earth radii", FILL, (-10.0, 10.0), "Spacecraft Position Vector, Geographic, GEO", ("",)),
    "Position_SM": _Variable("CDF_DOUBLE", "Earth radii", FILL, (-10.0, 10.0), "Spacecraft Position Vector at MidET, SM", ("",)),
    "Position_Quality": _Variable("CDF_INT2", " ", QUALITY_FILL, (0, 1), "Data Quality Flag, Position, 0=Good, 1=Bad"),
    "OrbitNumber": _Variable("CDF_INT4", " ", -(2**31), (0, 5000), "Orbit Number, at the Time of the Measurement"),
    "L": _Variable("CDF_DOUBLE", "Earth radii", FILL, (0.0, 10.0), "Dipole L Value, SM Coordinates"),
    "L_Eq": _Variable("CDF_DOUBLE", "Earth radii", FILL, (0.0, 1000.0), "McIlwain L Value, Equatorial; here the dipole L"),
    "L_Star": _Variable("CDF_DOUBLE", "Earth radii", FILL, (0.0, 1000.0), "Roederer L* Value; here the dipole L"),
    # The real record says degrees too, with a valid range of 0 to 24: the values are hours.
    "MLT": _Variable("CDF_DOUBLE", "Degrees", FILL, (0.0, 24.0), "Spacecraft Position, Magnetic Local Time, MLT"),
}


def write_day(
    truth: Truth,
    probe: str,
    day: np.datetime64,
    path: Path,
    *,
    version: str,
    compression: int,
    spoiled: bool,
    flux_factor: float = 1.0,
    spins_per_record: int = SPINS_A_RECORD,
    sensitivity: float = 1.0,
) -> None:
    """Simulate a day of a probe and write its file.

    Parameters
    ----------
    truth : Truth
        The world.
    probe : {"a", "b"}
        The spacecraft.
    day : datetime64
        The UTC day; a record belongs to the day in which it starts.
    path : Path
        The file.
    version : str
        Data_version of the global attributes.
    compression : int
        Level of GZIP, 0 to 9.
    spoiled : bool
        Whether some records have a bad quality or are fill.
    flux_factor : float
        Factor by which the flux is wrong, for a superseded file.
    spins_per_record : int
        Length of a record, in spins of 10.87 s.
    sensitivity : float
        Factor on the assumed sensitivity of the instrument.
    """
    data = simulate_day(truth, probe, day, spoiled=spoiled, spins_per_record=spins_per_record, sensitivity=sensitivity)
    if flux_factor != 1.0:
        good = data["FPDU"] > FILL
        data["FPDU"] = np.where(good, data["FPDU"] * np.float32(flux_factor), data["FPDU"])
        data["FPDU_OmniFlux"] = np.where(data["FPDU_OmniFlux"] > FILL, data["FPDU_OmniFlux"] * flux_factor, FILL)
    with written_whole(path) as beside:
        cdf = CDF(beside, cdf_spec={"Majority": "row_major", "Encoding": 6})
        cdf.write_globalattrs(_global_attributes(truth, probe, path.stem, version, spins_per_record))
        for name, variable in _VARIABLES.items():
            _write_variable(cdf, name, variable, data[name], compression)
        # All attributes at once: one by one, the writer walks through its whole list for each.
        cdf.write_variableattrs(_variable_attributes())
        cdf.close()


def simulate_day(
    truth: Truth, probe: str, day: np.datetime64, *, spoiled: bool, spins_per_record: int = SPINS_A_RECORD, sensitivity: float = 1.0
) -> dict[str, npt.NDArray[Any]]:
    """Simulate the variables of one day's file, by name."""
    day = day.astype("datetime64[D]")
    begin, end, origin = (_tt2000(d.astype("datetime64[D]")) for d in (day, day + 1, truth.start))
    origin += _FIRST_RECORD_NS[probe]
    length = SPIN_NANOSECONDS * spins_per_record
    start = origin + length * np.arange(-((origin - begin) // length), -((origin - end) // length), dtype=np.int64)
    middle = start + length // 2
    # Within a leap second this folds into the next day's first second; the physics does not mind.
    time = day.astype("datetime64[ns]") + (middle - begin).astype("timedelta64[ns]")
    where = ephemeris(probe, time)

    number = int((day - truth.start.astype("datetime64[D]")) / np.timedelta64(1, "D"))
    random = np.random.default_rng([truth.seed, 6, _PROBE_NUMBER[probe], number])
    # An isotropic floor is added to a flux of sin^n of the equatorial pitch angle: sin2(equatorial) = sin2(local) B_eq / B.
    power = truth.pitch_angle_power
    equatorial = np.exp(log_flux(truth, time, where.L)) * (field_ratio(where.MLAT) ** (power / 2.0))[:, None]
    mean = equatorial[:, :, None] * bin_average(power) + truth.floor[:, None]
    counts_per_flux = sensitivity * exposure(spins_per_record)[:, None]
    counts = random.poisson(mean * counts_per_flux).astype(np.float32)
    flux = counts * (1000.0 / counts_per_flux).astype(np.float32)  # per MeV
    with np.errstate(divide="ignore"):
        error = np.where(counts > 0, np.float32(100.0) / np.sqrt(counts), np.float32(FILL))
    data = _record_variables(start, begin, day, where, (start - origin) // length * spins_per_record, length) | {
        "FPDU": flux,
        "FPDU_Error": error,
        "FPDU_Quality": np.full(flux.shape, GOOD_QUALITY, dtype=np.int16),
        "FPDU_OmniFlux": (flux @ (4.0 * np.pi * SOLID_ANGLE).astype(np.float32)).astype(np.float32),
        "FPDU_Energy": ENERGY / 1000.0,
        "FPDU_EnergyRange": _energy_range() / 1000.0,
        "PA_Midpoint": PITCH_ANGLE,
        "PA_Range": PITCH_ANGLE_RANGE,
    }
    if spoiled:
        _spoil(data, random)
    return data


def _record_variables(
    start: npt.NDArray[np.int64], begin: int, day: np.datetime64, where: Ephemeris, spin: npt.NDArray[np.int64], length: int
) -> dict[str, npt.NDArray[Any]]:
    """List the times and positions of the records."""
    n = start.size
    milliseconds = (start - begin) // 1_000_000
    # The last minute of a day with a leap second has 61 seconds.
    hour = np.minimum(milliseconds // 3_600_000, 23)
    minute = np.minimum((milliseconds - hour * 3_600_000) // 60_000, 59)
    rest = milliseconds - hour * 3_600_000 - minute * 60_000
    year = int(str(day)[:4])
    day_of_year = int((day - np.datetime64(f"{year}-01-01", "D")) / np.timedelta64(1, "D")) + 1
    text = [
        f"{year:04d}-{day_of_year:03d}T{h:02d}:{m:02d}:{r // 1000:02d}.{r % 1000:03d}"
        for h, m, r in zip(hour.tolist(), minute.tolist(), rest.tolist(), strict=True)
    ]
    return {
        "Epoch": start,
        "UTC": np.array(text, dtype="U21"),
        "ET": start / 1e9,
        "MidET": (start + length // 2) / 1e9,
        "StopET": (start + length) / 1e9,
        "Duration": np.full(n, length / 1e9),
        "Spin": (spin % 65536).astype(np.uint32),
        "Position": where.position,
        "Position_SM": where.position_SM,
        "Position_Quality": np.zeros(n, dtype=np.int16),
        "OrbitNumber": where.orbit.astype(np.int32),
        "L": where.L,
        "L_Eq": where.L.copy(),
        "L_Star": where.L.copy(),
        "MLT": where.MLT,
    }


def _spoil(data: dict[str, npt.NDArray[Any]], random: np.random.Generator) -> None:
    """Spoil some records in place: absurd values with a bad quality, fills, bad positions."""
    n = data["Epoch"].size
    bad, channel, fill, position = random.random((4, n)) < np.array([_BAD_RECORDS, _BAD_CHANNELS, _FILL_RECORDS, _BAD_POSITIONS])[:, None]
    rows = np.flatnonzero(channel)
    energies = random.integers(ENERGY.size, size=rows.size)
    for where in (bad, (rows, energies)):
        data["FPDU"][where] = 1e12
        data["FPDU_Error"][where] = 0.01
        data["FPDU_Quality"][where] = BAD_QUALITY
        data["FPDU_OmniFlux"][where] = 5e12
    data["FPDU"][fill] = data["FPDU_Error"][fill] = data["FPDU_OmniFlux"][fill] = FILL
    data["FPDU_Quality"][fill] = QUALITY_FILL
    data["Position_Quality"][position] = 1
    for name in ("L", "L_Eq", "L_Star", "MLT", "Position", "Position_SM"):
        data[name][position] = FILL


def _energy_range() -> npt.NDArray[np.float64]:
    """Lower and upper edges of the channels in keV: the geometric means of neighbouring centres."""
    inner = np.sqrt(ENERGY[:-1] * ENERGY[1:])
    edges = np.r_[ENERGY[0] ** 2 / inner[0], inner, ENERGY[-1] ** 2 / inner[-1]]
    return np.array([edges[:-1], edges[1:]])


def _tt2000(day: np.datetime64) -> int:
    year, month, date = (int(part) for part in str(day).split("-"))
    return int(cdfepoch.compute_tt2000([year, month, date, 0, 0, 0, 0, 0, 0]))


def _global_attributes(truth: Truth, probe: str, logical_file_id: str, version: str, spins: int) -> dict[str, dict[int, str]]:
    name = f"RBSP-{probe.upper()}"
    attributes = {
        "Project": "SIMULATED>in the layout of Van Allen Probes data; not a measurement",
        "Source_name": f"{name}>Radiation Belt Storm Probe {probe.upper()} (SIMULATED)",
        "Discipline": "Space Physics>Magnetospheric Science",
        "Data_type": "LEV-3-PAP_TOFXEH>Level 3 Pitch Angle and Pressure, TOFxE Proton",
        "Descriptor": "RBSPICE>Radiation Belt Storm Probes Ion Composition Experiment (SIMULATED)",
        "Data_version": version,
        "TITLE": "SIMULATED RBSPICE Level 3 Pitch Angle and Pressure TOFxEH",
        "TEXT": "SIMULATED by ringdecay from a ring current whose decay times are known. The sensitivity is assumed. Not a measurement.",
        "Logical_source": f"{name}-RBSPICE_LEV-3-PAP_TOFXEH",
        "Logical_file_id": logical_file_id,
        "Logical_source_description": "SIMULATED protons 45-598 keV by pitch angle, records of {}".format(
            {1: "one spin", 10: "ten spins"}.get(spins, f"{spins} spins")
        ),
        "Mission_group": "RBSP",
        "Instrument_type": "Particles (space)",
        "Generated_by": "ringdecay.simulate",
        "MODS": f"seed {truth.seed}",
        "SIMULATED": "yes",
    }
    return {key: {0: value} for key, value in attributes.items()}


def _variable_attributes() -> dict[str, dict[str, Any]]:
    """Give for each attribute its value for each variable that has it."""
    table: dict[str, dict[str, Any]] = {}
    for name, variable in _VARIABLES.items():
        attributes: dict[str, Any] = {
            "CATDESC": variable.description,
            "FIELDNAM": name,
            "LABLAXIS": name,
            "UNITS": variable.units,
            "VAR_TYPE": variable.role,
        }
        if variable.fill is not None:
            attributes["FILLVAL"] = [variable.fill, variable.type]
        if variable.valid is not None:
            attributes["VALIDMIN"], attributes["VALIDMAX"] = ([limit, variable.type] for limit in variable.valid)
        if variable.varies and name != "Epoch":
            attributes["DEPEND_0"] = "Epoch"
        attributes |= {f"DEPEND_{i}": axis for i, axis in enumerate(variable.axes, start=1) if axis}
        if name == "Epoch":
            attributes |= {"MONOTON": "INCREASE", "TIME_BASE": "J2000", "TIME_SCALE": "Terrestrial Time"}
            attributes["Bin_location"] = [0.0, "CDF_REAL4"]  # the time is the start of the record
        for attribute, value in attributes.items():
            table.setdefault(attribute, {})[name] = value
    return table


def _write_variable(cdf: Any, name: str, variable: _Variable, values: npt.NDArray[Any], compression: int) -> None:
    spec = {
        "Variable": name,
        "Data_Type": _CODES[variable.type],
        "Num_Elements": 21 if variable.type == "CDF_CHAR" else 1,
        "Rec_Vary": variable.varies,
        "Dim_Sizes": list(values.shape[1:] if variable.varies else values.shape),
        "Compress": compression if variable.varies else 0,
    }
    cdf.write_var(spec, var_data=values)
