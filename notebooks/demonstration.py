# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # From files to decay times
#
# This notebook walks the whole way once: from files as the archive has them over flux, bins, storms and fits to decay times. The archive is
# **SIMULATED**: its decay times are known, so at the end we can see whether they were found. With real files only the first cell changes.
#
# Every step is one function from data to data. Nothing here needs Snakemake.

# %%
import tempfile
from pathlib import Path

import numpy as np

import ringdecay as rd

folder = Path(tempfile.mkdtemp())
manifest = rd.simulate.archive(folder, start="2015-04-15", days=34, workers=2)
manifest.groupby("product")[["bytes"]].agg(["count", "sum"])

# %% [markdown]
# ## Files
#
# `fetch` finds the newest version of every file of a span. Here the archive is a folder; with
# `archive="https://spdf.gsfc.nasa.gov/pub/data"` the same call downloads from NASA. The lock says exactly which bytes were used.

# %%
span = ("2015-04-15", "2015-05-19")
fetched = {probe: rd.fetch("rbspice-pap-tofxeh", probe, *span, archive=folder) for probe in "ab"}
print("missing:", {probe: list(map(str, found.missing.date)) for probe, found in fetched.items()})
fetched["a"].lock[["date", "version", "size", "sha256"]].head(3)

# %% [markdown]
# ## Flux
#
# One file, opened with canonical names and units: per keV, quality applied, UTC.

# %%
flux = rd.open_flux(fetched["a"].files[8], "rbspice-pap-tofxeh")
flux

# %%
day = rd.omnidirectional(flux).sel(energy=99.4)
day.where(day > 0).plot(yscale="log", figsize=(8, 2.5))
# %% [markdown]
# ## Storms
#
# Storms come from an index, never from the flux. Any format that `open_index` knows will do: Kyoto Dst, SYM-H, OMNI.

# %%
index = rd.open_index(rd.fetch("omni-hro-5min", None, *span, archive=folder).files, "SYM-H")
storms = rd.find_storms(index, threshold=-80)
storms[["onset", "minimum", "depth", "storm_class", "n_dips"]]

# %% [markdown]
# ## Bins
#
# Additive sums in bins of one orbit, 0.1 in L, and energy. Probes, days and months add up; two probes are two looks at one storm.

# %%
binned = rd.merge_binned(rd.bin_flux(fetched[probe].files, product="rbspice-pap-tofxeh", probe=probe) for probe in "ab")
merged = rd.merge_probes(rd.binned.select_flux(binned))
rd.plots.overview(index, merged, storms, [54.7, 99.4, 269.0])

# %% [markdown]
# ## Fits and decay times
#
# One fit a storm, energy and L-shell, with an interval that knows that fluctuations last. Where no decay is resolved there is a limit.

# %%
decays = rd.fit_decays(merged, storms, index=index)
rd.plots.storm_fits(merged, decays, index, storms, storm=1, energies=[54.7, 99.4, 269.0], L=[3.05, 4.05, 5.05])

# %%
lifetimes = rd.lifetimes(decays)
truth = rd.open_dataset(folder / "truth.nc")
rd.plots.lifetime_curves(lifetimes, [54.7, 99.4, 148.0], [3.05, 4.05, 5.05], truth=truth)

# %% [markdown]
# ## Was the truth found?
#
# The share of fits whose 95 % interval holds that storm's own rate. Two storms are few, and cells share their fluctuations, so this is one
# draw, not a measurement of coverage; that is in `docs/validation.md`.

# %%
fits = decays.isel(probe=0)
own = truth["storm_rate"].sel(storm=fits["storm"], energy=fits["energy"]).sel(L=fits["L"], method="nearest")
fitted = np.isfinite(fits["rate_low"])
inside = (fits["rate_low"] <= own.values) & (own.values <= fits["rate_high"])
share = float(inside.where(fitted).mean())
print(f"{share:.2f} of {int(fitted.sum())} fits")
