"""A small file with the variables of RBSPICE's level 3 by telescope, as the spacecraft turns in a known distribution of pitch angles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from cdflib import cdfwrite
from pap_file import tt2000

from ringdecay.products import PRODUCTS

SPIN = 10.872  # s
RECORDS_A_SPIN = 12
# Six telescopes in a fan of 180 degrees that holds the spin axis.
ELEVATION = np.deg2rad([15.0, 45.0, 75.0, 105.0, 135.0, 165.0])
COUNTS_PER_FLUX = 1e-4  # of a record of full length, with flux per MeV


def pitch_angles(spins: int, tilt=75.0) -> np.ndarray:
    """Pitch angle of each record and telescope, degrees, with the field `tilt` (one, or one a spin) degrees from the spin axis."""
    phase = np.deg2rad((np.arange(spins * RECORDS_A_SPIN) % RECORDS_A_SPIN + 0.5) * 360 / RECORDS_A_SPIN)[:, None]
    field = np.deg2rad(np.repeat(np.broadcast_to(tilt, spins), RECORDS_A_SPIN))[:, None]
    cosine = np.cos(ELEVATION) * np.cos(field) + np.sin(ELEVATION) * np.sin(field) * np.cos(phase)
    return np.rad2deg(np.arccos(np.clip(cosine, -1, 1)))


def telescope_file(
    path: Path,
    product="rbspice-tofxeh",
    *,
    spins=20,
    start="2015-06-30T00:00:00",
    distribution=np.ones_like,
    level=1e6,
    tilt=75.0,
    first_spin=100,
    change=None,
    table=None,
    channels=None,
    leave_out=(),
):
    """Write a file; `change` may alter the arrays by name before that. The flux of channel k is level * distribution / (k + 1)."""
    described = PRODUCTS[product]
    flux = described.variables["flux"].name
    n = spins * RECORDS_A_SPIN
    if table is None:
        holds = [t for t in described.energy_tables if (t.start or "") <= start < (t.stop or "9")]
        table = np.array(holds[0].energies)
        channels = channels or holds[0].channels or described.channels
    low, high = channels or (0, len(table))
    energy = np.full((6, described.sizes["energy"]), -1.0)
    energy[:, low:high] = np.asarray(table) / 1000
    alpha = pitch_angles(spins, tilt)
    values = np.full((n, 6, energy.shape[1]), -1e31)
    values[:, :, low:high] = (level * distribution(alpha))[:, :, None] / (np.arange(high - low) + 1)
    counts = np.where(values > 0, values, 0) * COUNTS_PER_FLUX
    with np.errstate(divide="ignore"):
        error = np.where(counts > 0, 100 / np.sqrt(counts), -1e31)
    record = np.arange(n)
    data = {
        "Epoch": tt2000(start) + np.round(record * SPIN / RECORDS_A_SPIN * 1e9).astype(np.int64),
        flux: values,
        f"{flux}_Error": error,
        f"{flux}_Quality": np.full(values.shape, 10, dtype=np.int32),
        f"{flux}_Energy": energy,
        f"{flux}_Alpha": alpha,
        "Alpha_Quality": np.zeros(n, dtype=np.int32),
        "Spin": ((first_spin + record // RECORDS_A_SPIN) % 65536).astype(np.uint32),
        "Duration": np.full(n, SPIN / RECORDS_A_SPIN),
        "Position_SM": np.tile([3.0, 0.0, 1.0], (n, 1)),
        "Position_Quality": np.zeros(n, dtype=np.int32),
        "L": np.full(n, 4.05),
        "MLT": (23.9 + 0.4 * (record % 2)) % 24,
    }
    if change is not None:
        change(data)
    units = {flux: "1/(MeV-cm^2-s-sr)", f"{flux}_Energy": "MeV", f"{flux}_Alpha": "Degrees", "Duration": "Seconds", "L": "EarthRadii",
             "MLT": "Degrees", "Position_SM": "EarthRadii", f"{flux}_Quality": "(10=OK)", "Alpha_Quality": "(0=good)"}  # fmt: skip
    writer = cdfwrite.CDF(path, cdf_spec={"Majority": "row_major"})
    for name, array in data.items():
        if name in leave_out:
            continue
        varies = array.shape[0] == data["Epoch"].size
        kind = 33 if name == "Epoch" else {"f": 45, "i": 4, "u": 14}[array.dtype.kind]
        spec = {"Variable": name, "Data_Type": kind, "Num_Elements": 1, "Rec_Vary": varies, "Var_Type": "zVariable",
                "Dim_Sizes": list(array.shape[1:] if varies else array.shape), "Compress": 1}  # fmt: skip
        attributes = {"UNITS": units.get(name, " ")} | ({"FILLVAL": np.float64(-1e31)} if kind == 45 else {})
        writer.write_var(spec, var_attrs=attributes, var_data=array)
    writer.close()
    return path
