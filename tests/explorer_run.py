"""A small run with known decay times, fitted by the real functions; for the tests of the explorer."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import fake_results as fake
import numpy as np
import xarray as xr

from ringdecay.beside_theory import compare_with_theory, predicted_rates, with_prediction
from ringdecay.binned import with_merged_probe
from ringdecay.config import check_config
from ringdecay.decays import fit_decays
from ringdecay.explorer.running import paper_decays
from ringdecay.lifetime import lifetimes
from ringdecay.provenance import provenance, write_provenance
from ringdecay.store import write_dataset
from ringdecay.storms import write_storms

N_STORMS = 13
SPACING = 10.0
CONFIG = {"run": "small", "archive": "demo", "start": "2015-04-15", "stop": "2015-09-01", "fit": {"compare": True}}


def storms() -> Any:
    """Give storms every ten days."""
    table = fake.storms(N_STORMS)
    onset = 5.0 + SPACING * np.arange(N_STORMS)
    for name, after in (("onset", 0.0), ("minimum", 0.5), ("last_minimum", 0.5), ("recovery_end", 3.0)):
        table[name] = fake.days(onset + after)
    table["depth"] = -100.0 - np.arange(N_STORMS)
    table["complete"] = True
    return table


def index() -> xr.DataArray:
    t = np.arange(0, 5 + SPACING * N_STORMS, 1 / 24)
    values = np.full(t.size, -5.0)
    for k in range(N_STORMS):
        since = t - 5.5 - SPACING * k
        values += (-95.0 - k) * np.where(since < 0, np.exp(-((since / 0.2) ** 2)), np.exp(-np.maximum(since, 0) / 0.4))
    return xr.DataArray(values, coords={"time": fake.days(t)}, dims="time", name="SYM-H", attrs={"units": "nT", "simulated": "yes"})


def binned(simulated: str = "yes") -> xr.Dataset:
    """Give sums of flux whose decay time is 2 + energy number + L number / 2 days.

    At 269 keV it is so long that it is a limit, in the last L the flux grows; at (54.7 keV, 3.05) nothing was ever measured.
    """
    n = int((5 + SPACING * N_STORMS) * 24 / fake.HOURS)
    centre = (np.arange(n) + 0.5) * fake.HOURS / 24
    rng = np.random.default_rng(7)
    shape = (2, n, fake.SHELLS.size, fake.ENERGY.size)
    offset = rng.uniform(-0.1, 0.1, (2, n, 5, 1)) * np.ones(4)
    since = ((centre[:, None, None] + offset) - 5.5) % SPACING
    tau = 2.0 + np.arange(4) + np.arange(5)[:, None] / 2
    tau[:, 3], tau[4, 3] = 400.0, -20.0
    flux = 1e4 / (1 + np.arange(4)) * np.exp(-since / tau) * np.exp(0.1 * rng.standard_normal(shape))
    samples = np.full(shape, 5.0)
    samples[:, 3] = 0.0
    samples[:, :, 0, 0] = 0.0
    exposure = samples * 2.0
    counts = rng.poisson(flux * exposure).astype(float)
    values = {
        "n_samples": samples,
        "sum_flux": np.divide(counts, 2.0),
        "counts": counts,
        "exposure": exposure,
        "sum_time": samples * offset * 86_400,
    }
    dataset = fake.binned(simulated)
    coords = {"probe": ["a", "b"], "time": fake.days(centre), "L": fake.SHELLS, "energy": fake.ENERGY}
    made = xr.Dataset(
        {name: (("probe", "time", "L", "energy"), value) for name, value in values.items()}, coords=coords, attrs=dataset.attrs
    )
    made["sum_flux"].attrs["units"] = "cm-2 s-1 sr-1 keV-1"
    return made


@cache
def run() -> dict[str, Any]:
    """Give the arguments of `write_explorer`: fits with three estimators side by side, and those of mode paper."""
    config = check_config(dict(CONFIG))
    merged, table, symh = with_merged_probe(binned()), storms(), index()
    decays = fit_decays(merged, table, index=symh, compare=("gls", "ols", "theil_sen"), joint=True, two_stages=False, floor=None)
    mean = with_prediction(lifetimes(decays, resamples=20), predicted_rates(decays))
    return {
        "binned": merged,
        "all_decays": [decays, paper_decays(merged, table, symh, config, joint=True)],
        "lifetimes": mean,
        "theory": compare_with_theory(decays, mean),
        "index": symh,
        "storms": table,
    }


def write_run(folder: Path) -> Path:
    """Write the files of the run, as the workflow does, and give the folder of its results."""
    made, results, resources = run(), folder / "results/small", folder / "resources/small"
    write_dataset(made["binned"].drop_sel(probe="merged"), resources / "binned.nc")
    write_dataset(made["index"].to_dataset(), resources / "index.nc")
    write_dataset(made["all_decays"][0], results / "decays.nc")
    for name in ("lifetimes", "theory"):
        write_dataset(made[name], results / f"{name}.nc")
    write_storms(made["storms"], results / "storms.csv")
    write_provenance(provenance(check_config(dict(CONFIG))), results / "provenance.json")
    return results
