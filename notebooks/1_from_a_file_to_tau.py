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
# # 1 From a file to tau in ten lines
#
# Ten lines lead from files, as the archive has them, to decay times. Below, what each line gave is looked at.
#
# The archive of this notebook is **SIMULATED**. It is made here, without a network, and its decay times are known,
# so that at the end we can see whether they were found. With real data the third line goes, and `archive` is
# `"https://spdf.gsfc.nasa.gov/pub/data"`; notebook 5 does that. Nothing here needs Snakemake.

# %%
import ringdecay as rd

archive, span = "simulated_archive", ("2015-04-15", "2015-05-19")
rd.simulate.archive(archive, start=span[0], days=34, workers=1)
flux = rd.fetch("rbspice-pap-tofxeh", "b", *span, archive=archive)
index = rd.open_index(rd.fetch("omni-hro-5min", None, *span, archive=archive).files, "SYM-H")
storms = rd.find_storms(index, threshold=-80)
binned = rd.bin_flux(flux.files, product="rbspice-pap-tofxeh")
decays = rd.fit_decays(binned, storms, index=index)
lifetimes = rd.lifetimes(decays, probe="b")
rd.summary(lifetimes)

# %% [markdown]
# `rd.summary` shows what a result says. The results themselves are plain xarray Datasets and pandas tables;
# `lifetimes.tau.sel(L=4.05)` is all it takes to get at the numbers. In a terminal, `print(rd.summary(lifetimes))`
# gives the same page as text.
#
# The message above is that of `fetch`: the archive lacks a day, as real ones do. Three storms, the last with two days to
# its end, and one probe are few. So most cells are limits, and that is what they should be.
#
# ## Files
#
# `fetch` finds the newest version of every file of a span. Here the archive is a folder; from a server the same call
# downloads. The lock says exactly which bytes were used.

# %%
print("days without a file:", [str(day.date()) for day in flux.missing])
print("older versions that were left aside:", flux.superseded)
flux.lock[["date", "version", "size", "sha256"]].head(3)

# %% [markdown]
# ## Flux
#
# One file, opened with canonical names and units: per keV, bad quality masked, UTC. The figure shows one day at 99
# keV; the probe passes through the ring current twice an orbit.

# %%
# %matplotlib inline
day = rd.open_flux(flux.files[8], "rbspice-pap-tofxeh")
day

# %%
one_channel = rd.omnidirectional(day).sel(energy=99.4)
(line,) = one_channel.where(one_channel > 0).plot(yscale="log", figsize=(8, 2.5))
_ = line.axes.set_title("SIMULATED, 99.4 keV")

# %% [markdown]
# ## Storms
#
# Storms come from an index, never from the flux.

# %%
rd.summary(storms)

# %% [markdown]
# ## Bins
#
# Additive sums in bins of one orbit (8.97 h), 0.1 in L, and energy. Days, months and probes add up. Two probes are
# two looks at one storm: their sums are added, they are not counted as two storms.

# %%
from ringdecay.binned import select_flux

files = rd.fetch("rbspice-pap-tofxeh", "a", *span, archive=archive).files
other = rd.bin_flux(files, product="rbspice-pap-tofxeh")
both = rd.merge_probes(select_flux(rd.merge_binned([binned, other])))
rd.summary(both)

# %%
rd.plots.overview(index, both, storms, [54.7, 99.4, 269.0])

# %% [markdown]
# ## Fits
#
# One fit a storm, energy and L-shell, with an interval that knows that fluctuations last. A fit without decay is a
# result, too: it is a limit, and it counts. Flags say what a reader should know.

# %%
decays = rd.fit_decays(both, storms, index=index)
rd.summary(decays)

# %%
rd.plots.storm_fits(both, decays, index, storms, storm=1, energies=[54.7, 99.4, 269.0], L=[3.05, 4.05, 5.05])

# %% [markdown]
# A single fit says more: how large the fluctuation is, how long it lasts, whether the decay bends.

# %%
rd.summary(decays.sel(storm=1, probe="merged").sel(energy=99.4, L=4.05, method="nearest"))

# %% [markdown]
# ## Decay times
#
# The mean over storms is a mean of rates. Dashed is the truth of the simulation.

# %%
lifetimes = rd.lifetimes(decays)
truth = rd.open_dataset(f"{archive}/truth.nc")
rd.plots.lifetime_curves(lifetimes, [54.7, 99.4, 148.0], [3.05, 4.05, 5.05], truth=truth)

# %% [markdown]
# ## Was the truth found?
#
# The share of fits whose 95 % interval holds that storm's own rate. All cells of a storm share their fluctuations,
# so this is one draw and not a measurement of the coverage; that is in `docs/validation.md`.

# %%
fits = decays.sel(probe="merged")
own = truth["storm_rate"].sel(storm=fits["storm"], energy=fits["energy"])
own = own.sel(L=fits["L"], method="nearest").assign_coords(L=fits["L"].to_numpy())
fitted = fits["rate_low"].notnull()
inside = (fits["rate_low"] <= own) & (own <= fits["rate_high"])
print(f"{float(inside.where(fitted).mean()):.2f} of {int(fitted.sum())} fits")
