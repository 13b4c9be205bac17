"""A small file with the variables of RBSPICE's level 3 PAP product, with whatever is wrong with it that a test needs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from cdflib import cdfwrite

from ringdecay.products import PRODUCTS

ENERGIES_MEV = np.array(PRODUCTS["rbspice-pap-tofxeh"].energy_tables[0].energies, dtype=np.float32) / 1000
CENTRES = np.array([7.5, *range(20, 161, 10), 172.5], dtype=np.float32)


def pap_file(
    path: Path,
    *,
    energies=ENERGIES_MEV,
    units="Counts/(MeV-cm^2-s-sr)",
    swap=False,
    leave_out=(),
    quality=None,
    start="2015-06-30",
    records=20,
    step=108_700_000_000,
    source=None,
    flux_name="FPDU",
):
    """Write a small file with the variables of RBSPICE's level 3 PAP product."""
    rng = np.random.default_rng(3)
    flux = rng.uniform(1e4, 1e6, size=(records, energies.size, CENTRES.size)).astype(np.float32)
    epoch = np.array([tt2000(start) + i * step for i in range(records)], dtype=np.int64)
    flags = np.full(flux.shape, 10, dtype=np.int16) if quality is None else quality
    attributes = {"UNITS": units, "FILLVAL": np.float32(-1e31), "DEPEND_1": f"{flux_name}_Energy", "DEPEND_2": "PA_Midpoint"}
    data = {
        "Epoch": (33, [], True, epoch, {}),
        f"{flux_name}_Energy": (44, [energies.size], False, energies.astype(np.float32), {"UNITS": "MeV"}),
        "PA_Midpoint": (44, [CENTRES.size], False, CENTRES, {"UNITS": "deg"}),
        flux_name: (44, list(flux.shape[1:]), True, flux, attributes),
        f"{flux_name}_Error": (44, list(flux.shape[1:]), True, np.full(flux.shape, 5, dtype=np.float32), {"UNITS": "%"}),
        f"{flux_name}_Quality": (2, list(flags.shape[1:]), True, flags, {}),
        "Position_SM": (44, [3], True, np.tile(np.array([3.0, 0.0, 1.0], dtype=np.float32), (records, 1)), {"UNITS": "Earth radii"}),
        "L": (44, [], True, np.full(records, 4.05, dtype=np.float32), {}),
        "MLT": (44, [], True, np.full(records, 13.0, dtype=np.float32), {"UNITS": "Degrees"}),
    }  # fmt: skip
    if swap:
        kind, sizes, vary, values, attributes = data["FPDU"]
        data["FPDU"] = (
            kind,
            sizes[::-1],
            vary,
            values.transpose(0, 2, 1).copy(),
            attributes | {"DEPEND_1": "PA_Midpoint", "DEPEND_2": "FPDU_Energy"},
        )
        for name in ("FPDU_Error", "FPDU_Quality"):
            kind, sizes, vary, values, attributes = data[name]
            data[name] = (kind, sizes[::-1], vary, values.transpose(0, 2, 1).copy(), attributes)
    writer = cdfwrite.CDF(path, cdf_spec={"Majority": "row_major"})
    for name, (kind, sizes, vary, values, attributes) in data.items():
        if name not in leave_out:
            spec = {
                "Variable": name,
                "Data_Type": kind,
                "Num_Elements": 1,
                "Rec_Vary": vary,
                "Var_Type": "zVariable",
                "Dim_Sizes": sizes,
                "Compress": 1,
            }
            writer.write_var(spec, var_attrs=attributes, var_data=values)
    if source is not None:
        writer.write_globalattrs({"Logical_source": {0: source}})
    writer.close()
    return path, flux


def tt2000(day: str) -> int:
    """Nanoseconds of TT2000 at a UTC time between the leap seconds of 2012 and 2015, and near enough for others."""
    # Seconds from J2000 TT: 2015-06-30 lies after the leap second of 2012 (TAI - UTC = 35 s), 32.184 s more to TT.
    offset = np.timedelta64(35_000_000_000 + 32_184_000_000, "ns")
    return int((np.datetime64(day, "ns") - np.datetime64("2000-01-01T12:00", "ns") + offset).astype(np.int64))
