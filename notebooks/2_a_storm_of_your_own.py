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
# # 2 A storm of your own
#
# Every stage takes what you give it: any index, your own list of storms, your own windows, your own series of flux.
# Each section stands alone.
#
# The files are those of the **SIMULATED** archive of notebook 1; it is made if it is not there.

# %%
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

import ringdecay as rd
from ringdecay.binned import mean_flux, sample_time, select_flux
from ringdecay.errors import InputError
from ringdecay.storms import read_storms

# %matplotlib inline
archive, span = Path("simulated_archive"), ("2015-04-15", "2015-05-19")
if not (archive / "truth.nc").exists():  # written last, so that the archive is whole
    rd.simulate.archive(archive, start=span[0], days=34, workers=1)

# %% [markdown]
# ## Any index
#
# `open_index` sees the format from the content: Kyoto Dst, IAGA-2002, OMNI (CDF and text), GFZ and CelesTrak. The
# same storms, found in SYM-H of 5 minutes and in Dst of an hour:

# %%
sym_h = rd.open_index(rd.fetch("omni-hro-5min", None, *span, archive=archive).files, "SYM-H")
dst = rd.open_index(rd.fetch("omni2-yearly", None, *span, archive=archive).files, "Dst")
for index, threshold in ((sym_h, -80), (dst, -50)):
    storms = rd.find_storms(index, threshold=threshold)
    print(index.name, index.attrs["cadence"], "threshold", threshold, "nT")
    print(storms[["onset", "minimum", "depth", "storm_class"]].to_string(), "\n")

# %% [markdown]
# The threshold is yours. The depths differ, because an hourly mean is not as deep as its lowest five minutes.
#
# Kp can be opened, too, and serves the regression over storms and the plasmapause. It is no measure of the ring
# current in nT, so it is refused where storms are sought, in a sentence:

# %%
hours = np.arange("2015-04-15", "2015-05-19", dtype="datetime64[3h]").astype("datetime64[ns]")
kp = xr.DataArray(np.full(hours.size, 2.0), {"time": hours}, name="Kp", attrs={"units": "1"})
try:
    rd.find_storms(kp)
except InputError as error:
    print(error)

# %% [markdown]
# An index that no file holds is a series over time in nT, no more. This one is drawn by hand: a fall of 120 nT
# within 10 hours and a recovery of 2 days.

# %%
hours = np.arange("2015-04-15", "2015-05-19", dtype="datetime64[h]").astype("datetime64[ns]")
since = (hours - np.datetime64("2015-04-20T12:00")) / np.timedelta64(1, "D")
values = np.where(since < 0, np.clip(-120 * (since + 10 / 24) / (10 / 24), -120, 0), -120 * np.exp(-since / 2))
mine = xr.DataArray(values, {"time": hours}, name="my index", attrs={"units": "nT"})
rd.summary(rd.find_storms(mine, threshold=-80))

# %% [markdown]
# ## A table of your own storms
#
# Four columns are needed: `onset`, `minimum`, `recovery_end` (UTC) and `depth`. The rest follows from them, or can
# be given.

# %%
Path("my_storms.csv").write_text(
    "onset,minimum,recovery_end,depth\n"
    "2015-04-20T00:00Z,2015-04-20T12:00Z,2015-04-24T00:00Z,-140\n"
    "2015-05-03T00:00Z,2015-05-03T12:00Z,2015-05-07T00:00Z,-110\n"
)
my_storms = read_storms("my_storms.csv")
rd.summary(my_storms)

# %% [markdown]
# ## Windows of your own
#
# A fit begins and ends where the storm index says, if nothing else is given: a day after the last minimum, and
# before whatever comes between. A table says otherwise, for all cells or for some. What the table has no window for
# is not fitted.

# %%
files = rd.fetch("rbspice-pap-tofxeh", "b", *span, archive=archive).files
binned = select_flux(rd.bin_flux(files, product="rbspice-pap-tofxeh"))
storms = rd.find_storms(sym_h, threshold=-80)
first = storms.iloc[0]
start, stop = first.last_minimum + np.timedelta64(36, "h"), first.last_minimum + np.timedelta64(9, "D")
Path("my_windows.csv").write_text(f"start,stop,storm,energy_min,energy_max,L_min,L_max\n{start},{stop},{first.storm},45,120,3,5\n")
windows = rd.choose_windows(binned, storms, sym_h, source="table", table="my_windows.csv")
by_table = rd.fit_decays(binned, storms, windows=windows, index=sym_h)
by_index = rd.fit_decays(binned, storms, index=sym_h)
rd.summary(by_table)

# %% [markdown]
# The same cell in both windows. Blue is what was fitted, orange the decay.

# %%
figure, axes = plt.subplots(1, 2, figsize=(9, 3), sharey=True, layout="constrained")
both = {"window from the index": by_index, "window from the table": by_table}
for ax, (name, decays) in zip(axes, both.items(), strict=True):
    rd.plots.fit_panel(binned, decays, int(first.storm), 99.4, 4.05, ax=ax)
    ax.set_title(name, loc="left")

# %% [markdown]
# A window that was chosen by looking at the flux chooses its own decay. Notebook 3 shows what that does.
#
# For one start and one stop without files and tables, take what lies between and fit it:

# %%
cell = binned.sel(probe="b").sel(energy=99.4, L=4.05, method="nearest")
cell = cell[["n_samples", "sum_flux", "sum_time", "counts"]].sel(time=slice("2015-04-22", "2015-05-01"))
cell = cell.where(cell["n_samples"] > 0, drop=True)
# The mean time of the samples, not the middle of the bin: a bin holds two short passes.
time = cell["time"] + (1e9 * sample_time(cell)).astype("timedelta64[ns]")
one = rd.fit_decay(time, mean_flux(cell), counts=cell["counts"])
rd.summary(one.assign_attrs(simulated="yes"))

# %% [markdown]
# ## A series of your own
#
# `fit_decay` takes any series: another spacecraft, another particle, a digitised figure. Times can be dates or days,
# the flux can be in any unit. All of the series is fitted, so cut it to the recovery first.
#
# This series is **SIMULATED**: a decay of 9 days, a fluctuation of 15 % that lasts for half a day, counts that are
# Poisson numbers.

# %%
random = np.random.default_rng(20150317)
days = np.arange(0.2, 14, 8.97 / 24)
wave = np.zeros(days.size)
for k in range(days.size):
    wave[k] = random.normal() if k == 0 else 0.5 * wave[k - 1] + np.sqrt(0.75) * random.normal()
counts = random.poisson(800 * np.exp(-days / 9 + 0.15 * wave))
flux = 12.5 * counts  # in any unit

time = np.datetime64("2015-03-19", "ns") + (days * 86_400e9).astype("timedelta64[ns]")
fit = rd.fit_decay(time, flux, counts=counts, compare=True)
rd.summary(fit.assign_attrs(simulated="yes"))  # two arrays cannot say so themselves

# %% [markdown]
# One series cannot tell how long its own fluctuation lasts, so every possibility is integrated over: the interval is
# a wide one, and the flag `not_pooled` says so. Without counts, counting noise is taken for fluctuation
# (`counts_unknown`); with `flux_error` instead of `counts` it is known as well.

# %%
figure, ax = plt.subplots(figsize=(7, 3), layout="constrained")
ax.errorbar(days, flux, flux / np.sqrt(counts), fmt="o", markersize=3, label="SIMULATED flux, counting error")
fitted = np.exp(float(fit.log_flux_start) - float(fit.rate) * (days - days[0]))
ax.plot(days, fitted, label=f"fit: {float(fit.tau):.1f} days")
ax.plot(days, 12.5 * 800 * np.exp(-days / 9), "--", color="0.4", label="truth: 9 days")
ax.set(yscale="log", xlabel="days", ylabel="flux (any unit)")
_ = ax.legend()

# %%
for given in ({"counts": counts}, {"flux_error": flux / np.sqrt(counts)}, {}):
    one = rd.fit_decay(days, flux, **given)
    ends = f"{float(one.tau_low):.2f} to {float(one.tau_high):.2f}"
    print(f"{', '.join(given) or 'neither':>10}: tau {float(one.tau):.2f} days, 95 % interval {ends}")
