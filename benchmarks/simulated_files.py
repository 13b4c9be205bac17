"""Simulated daily files at the cadences of the real ones, for the benchmark of speed.

`python benchmarks/simulated_files.py spin FOLDER` writes an archive of level 3 PAP with a record a spin (10.87 s, 4-byte floats), and
`... telescopes FOLDER` adds files by telescope with a record a twelfth of a spin (0.906 s, 8-byte floats). The folder is laid out like
SPDF's /pub/data. What the sizes of real files are is not known: those of these files are the noise of counting at a sensitivity that is
assumed (`--sensitivity` is a factor on it), which gzip cannot pack.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click
import numba
import numpy as np
import pandas as pd
from cdflib import cdfepoch
from cdflib.cdfwrite import CDF

from ringdecay import simulate
from ringdecay.products import get_product
from ringdecay.simulate.instrument import PITCH_ANGLE, SPIN_NANOSECONDS, exposure
from ringdecay.simulate.orbit import ephemeris, field_ratio
from ringdecay.simulate.truth import ENERGY, Truth, log_flux, make_truth
from ringdecay.store import written_whole

PRODUCT = "rbspice-tofxeh"
VERSION = "1.2.4-03"
START, MISSION_DAYS = "2012-10-01", 2556
#: At the full assumed sensitivity a mission by spin takes 28 GB, more than the memory of a small machine can keep.
SENSITIVITY = 0.1
RECORDS_A_SPIN = 12
# Six telescopes in a fan of 180 degrees that holds the spin axis.
ELEVATION = np.deg2rad([15.0, 45.0, 75.0, 105.0, 135.0, 165.0])
FILL, BAD_SHARE, FILL_SHARE = -1.0e31, 0.004, 0.003
_TYPES = {"CDF_INT4": 4, "CDF_UINT4": 14, "CDF_TIME_TT2000": 33, "CDF_DOUBLE": 45}
_FLUX_AXES = {"DEPEND_1": "Telescope", "DEPEND_2": "FPDU_Energy"}
# Type, unit and further attributes of each variable.
_VARIABLES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "Epoch": ("CDF_TIME_TT2000", "ns", {}),
    "FPDU": ("CDF_DOUBLE", "1/(MeV-cm^2-s-sr)", {"VAR_TYPE": "data", **_FLUX_AXES}),
    "FPDU_Error": ("CDF_DOUBLE", "%", {"VAR_TYPE": "data", **_FLUX_AXES}),
    "FPDU_Quality": ("CDF_INT4", "(10=OK)", _FLUX_AXES),
    "FPDU_Energy": ("CDF_DOUBLE", "MeV", {}),
    "FPDU_Alpha": ("CDF_DOUBLE", "Degrees", {"DEPEND_1": "Telescope"}),
    "Telescope": ("CDF_INT4", " ", {}),
    "Alpha_Quality": ("CDF_INT4", "(0=good)", {}),
    "Spin": ("CDF_UINT4", " ", {}),
    "Duration": ("CDF_DOUBLE", "Seconds", {}),
    "Position": ("CDF_DOUBLE", "EarthRadii", {}),
    "Position_SM": ("CDF_DOUBLE", "EarthRadii", {}),
    "Position_Quality": ("CDF_INT4", " ", {}),
    "L": ("CDF_DOUBLE", "EarthRadii", {}),
    "L_Eq": ("CDF_DOUBLE", "EarthRadii", {}),
    "L_Star": ("CDF_DOUBLE", "EarthRadii", {}),
    "MLT": ("CDF_DOUBLE", "Degrees", {}),
}


def spin_files(folder: Path, start: str, days: int, probes: tuple[str, ...] = ("a",), sensitivity: float = SENSITIVITY) -> list[Path]:
    """Write level 3 PAP with a record a spin, and the index, in the layout of the archive; give the newest file of each day.

    The archive has the faults of the demonstration's: a day is missing, and two files have an older version beside them.
    """
    simulate.archive(folder, start=start, days=days, probes=probes, sensitivity=sensitivity, spins_per_record=1, workers=1)
    return newest_spin_files(folder)


def newest_spin_files(folder: Path) -> list[Path]:
    """Give the newest file of each day of an archive that `spin_files` wrote; none if there is no such archive."""
    if not (folder / "manifest.tsv").is_file():
        return []
    manifest = pd.read_csv(folder / "manifest.tsv", sep="\t")
    wanted = (manifest["product"] == "rbspice-pap-tofxeh") & (manifest["status"] == "newest")
    return [folder / name for name in manifest.loc[wanted, "file"]]


def telescope_files(folder: Path, start: str, days: int, probe: str = "a", sensitivity: float = SENSITIVITY) -> list[Path]:
    """Write level 3 by telescope in the layout of the archive, but for files that are there; give their paths."""
    truth = make_truth(start=start, days=days)
    directory = get_product(PRODUCT).directory
    paths = []
    for day in np.datetime64(start, "D") + np.arange(days):
        date = str(day).replace("-", "")
        paths.append(folder / directory.format(probe=probe, year=date[:4]) / f"rbsp-{probe}-rbspice_lev-3_tofxeh_{date}_v{VERSION}.cdf")
        if not paths[-1].is_file():
            write_telescope_day(truth, probe, day, paths[-1], sensitivity=sensitivity)
    return paths


def write_telescope_day(truth: Truth, probe: str, day: np.datetime64, path: Path, *, sensitivity: float = SENSITIVITY) -> None:
    """Simulate what the six telescopes of a probe count in a day, and write it as the product's file."""
    data = telescope_day(truth, probe, day, sensitivity)
    name = f"RBSP-{probe.upper()}"
    of_file = {
        "Project": "SIMULATED>in the layout of Van Allen Probes data; not a measurement",
        "Source_name": f"{name}>Radiation Belt Storm Probe {probe.upper()} (SIMULATED)",
        "Logical_source": f"{name}-RBSPICE_LEV-3_TOFXEH",
        "Logical_file_id": path.stem,
        "SIMULATED": "yes",
    }
    table: dict[str, dict[str, Any]] = {}
    with written_whole(path) as beside:
        cdf = CDF(beside, cdf_spec={"Majority": "row_major", "Encoding": 6})
        cdf.write_globalattrs({key: {0: value} for key, value in of_file.items()})
        for variable, (kind, units, more) in _VARIABLES.items():
            values = data[variable]
            varies = variable not in ("FPDU_Energy", "Telescope")
            spec = {"Variable": variable, "Data_Type": _TYPES[kind], "Num_Elements": 1, "Rec_Vary": varies, "Var_Type": "zVariable",
                    "Dim_Sizes": list(values.shape[varies:]), "Compress": int(varies)}  # fmt: skip
            cdf.write_var(spec, var_data=values)
            attributes = {"FIELDNAM": variable, "UNITS": units, "VAR_TYPE": "support_data", **more}
            if kind == "CDF_DOUBLE":
                attributes["FILLVAL"] = [FILL, kind]
            if varies and variable != "Epoch":
                attributes["DEPEND_0"] = "Epoch"
            for attribute, value in attributes.items():
                table.setdefault(attribute, {})[variable] = value
        cdf.write_variableattrs(table)
        cdf.close()


def telescope_day(truth: Truth, probe: str, day: np.datetime64, sensitivity: float) -> dict[str, Any]:
    """Simulate the variables of one day's file, by name."""
    begin, end, origin = (_tt2000(date) for date in (day, day + 1, truth.start.astype("datetime64[D]")))

    def number(at: int) -> int:  # of the first record from then on
        return -((origin - at) * RECORDS_A_SPIN // SPIN_NANOSECONDS)

    record = np.arange(number(begin), number(end))
    start = origin + record * SPIN_NANOSECONDS // RECORDS_A_SPIN
    spin = record // RECORDS_A_SPIN
    spins = np.arange(spin[0], spin[-1] + 1)
    middle = origin + spins * SPIN_NANOSECONDS + SPIN_NANOSECONDS // 2
    utc = day.astype("datetime64[ns]") + (middle - begin).astype("timedelta64[ns]")
    where = ephemeris(probe, utc)
    # The field turns against the spin axis as the spacecraft goes round.
    tilt = np.deg2rad(75.0 + 10.0 * where.position_SM[:, 1] / where.radius)
    alpha = _pitch_angles(tilt[spin - spins[0]], record)
    at_90 = np.exp(log_flux(truth, utc, where.L)) * (field_ratio(where.MLAT) ** (truth.pitch_angle_power / 2.0))[:, None]
    # A bin of the PAP product gets its share of the records of a spin.
    counts_per_flux = sensitivity * exposure(1) * PITCH_ANGLE.size / (RECORDS_A_SPIN * ELEVATION.size)
    seed = np.random.SeedSequence([truth.seed, 7, ord(probe), int(day.astype(int))]).generate_state(1, np.uint64)[0]
    errors = np.r_[FILL, 100.0 / np.sqrt(np.arange(1, 10_000))]
    shape_90 = np.sin(np.deg2rad(alpha)) ** truth.pitch_angle_power
    flux, error = _counted(
        at_90 * counts_per_flux, truth.floor * counts_per_flux, spin - spins[0], shape_90, 1000.0 / counts_per_flux, errors, seed
    )

    def at_records(values: Any) -> Any:
        return _single(np.interp(start, middle, values))

    random = np.random.default_rng(int(seed))
    bad, fill = random.random((2, record.size)) < [[BAD_SHARE], [FILL_SHARE]]
    quality = np.full(flux.shape, 10, dtype=np.int32)
    flux[bad], quality[bad] = 1e12, 20
    flux[fill], error[fill], quality[fill] = FILL, FILL, -32768
    position_SM = np.stack([at_records(column) for column in where.position_SM.T], axis=-1)
    L = at_records(where.L)
    return {
        "Epoch": start,
        "FPDU": flux,
        "FPDU_Error": error,
        "FPDU_Quality": quality,
        "FPDU_Energy": np.tile(ENERGY / 1000.0, (ELEVATION.size, 1)),
        "FPDU_Alpha": alpha,
        "Telescope": np.arange(ELEVATION.size, dtype=np.int32),
        "Alpha_Quality": np.zeros(record.size, dtype=np.int32),
        "Spin": (spin % 65536).astype(np.uint32),
        "Duration": np.full(record.size, SPIN_NANOSECONDS / RECORDS_A_SPIN / 1e9),
        "Position": np.stack([at_records(column) for column in where.position.T], axis=-1),
        "Position_SM": position_SM,
        "Position_Quality": np.zeros(record.size, dtype=np.int32),
        "L": L,
        "L_Eq": L,
        "L_Star": L,
        "MLT": _single(np.mod(12.0 + np.arctan2(position_SM[:, 1], position_SM[:, 0]) * 12.0 / np.pi, 24.0)),
    }


def _pitch_angles(tilt: Any, record: Any) -> Any:
    """Pitch angle of each record and telescope in degrees, the field `tilt` from the spin axis."""
    phase = 2.0 * np.pi * (record % RECORDS_A_SPIN + 0.5)[:, None] / RECORDS_A_SPIN
    cosine = np.cos(ELEVATION) * np.cos(tilt)[:, None] + np.sin(ELEVATION) * np.sin(tilt)[:, None] * np.cos(phase)
    return _single(np.rad2deg(np.arccos(np.clip(cosine, -1.0, 1.0))))


def _single(values: Any) -> Any:
    """Round to single precision: what doubles hold beyond it is, in values made up here, noise that gzip cannot pack."""
    return values.astype(np.float32).astype(np.float64)


@numba.njit(cache=True)
def _counted(at_90, floor, spin, shape_90, flux_of_one, errors, state):  # type: ignore[no-untyped-def]
    """Draw the counts of each record, telescope and energy, and give flux and error in percent.

    At most some tens are expected, for which the inverse of the distribution, step by step, is the quickest way.
    """
    n, n_energies = shape_90.shape, at_90.shape[1]
    flux = np.empty((n[0], n[1], n_energies))
    error = np.empty((n[0], n[1], n_energies))
    for i in range(n[0]):
        for j in range(n[1]):
            for k in range(n_energies):
                expected = at_90[spin[i], k] * shape_90[i, j] + floor[k]
                # splitmix64
                state += np.uint64(0x9E3779B97F4A7C15)
                mixed = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
                mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
                left = (mixed ^ (mixed >> np.uint64(31))) / 18446744073709551616.0
                share, count = np.exp(-expected), 0
                while left > share and count < errors.size - 1:
                    left -= share
                    count += 1
                    share *= expected / count
                    if share < 1e-12 and count > expected:
                        break
                flux[i, j, k] = count * flux_of_one[k]
                error[i, j, k] = errors[count]
    return flux, error


def _tt2000(day: np.datetime64) -> int:
    return int(cdfepoch.compute_tt2000([*map(int, str(day).split("-")), 0, 0, 0, 0, 0, 0]))


@click.command()
@click.argument("kind", type=click.Choice(["spin", "telescopes"]))
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--start", default=START, help="First day.")
@click.option("--days", type=int, help="Default: the mission by spin, 250 days by telescope.")
@click.option("--probes", default="ab", type=click.Choice(["a", "b", "ab"]))
@click.option("--sensitivity", default=SENSITIVITY, help="Factor on the assumed sensitivity.")
def main(kind: str, folder: Path, start: str, days: int | None, probes: str, sensitivity: float) -> None:
    """Write simulated files of a KIND to FOLDER."""
    begin = time.perf_counter()
    if kind == "spin":
        files = spin_files(folder, start, days or MISSION_DAYS, tuple(probes), sensitivity)
    else:
        files = [file for probe in probes for file in telescope_files(folder, start, days or 250, probe, sensitivity)]
    size = sum(file.stat().st_size for file in files)
    click.echo(f"{len(files)} files, {size / 1e9:.2f} GB, {time.perf_counter() - begin:.0f} s")


if __name__ == "__main__":
    main()
