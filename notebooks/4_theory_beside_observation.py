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
# # 4 Theory beside observation
#
# What physics takes from the ring current at the least: charge exchange with the hydrogen of the geocorona, and
# Coulomb drag in the plasmasphere. Both are computed from published models, with the band over all of them, and put
# beside observed rates. Waves, transport and scattering are in none of it. How each lifetime is made is in
# `docs/theory.md`.
#
# The predictions are of nature. The observations at the end are **SIMULATED**.

# %%
import matplotlib.pyplot as plt
import numpy as np

import ringdecay as rd

# %matplotlib inline
energy, L = np.array([20.0, 45.0, 99.4, 148.0, 269.0, 598.0]), np.array([3.0, 4.0, 5.0, 6.0])
rates = rd.theory.loss_rate(energy, L, spectral_index=3.0)
rd.summary(rates)

# %% [markdown]
# `loss_rate` gives a plain Dataset: rates in 1/day with `_low`, `_median` and `_high` over the models, lifetimes,
# and a flag that says which model is outside of its range. Rates are what is added and compared; a lifetime is one
# over a rate, where the rate is positive.
#
# `spectral_index` is g of a flux that falls as energy to the power -g. Drag moves ions to lower energy, so what it
# does to the flux depends on the slope. The default is a flat spectrum, which is a convention only: take g from the
# flux.
#
# ## Two processes and their bands

# %%
fine = rd.theory.loss_rate(np.geomspace(10, 600, 60), 4.0, spectral_index=3.0)
figure, ax = plt.subplots(figsize=(7, 3.4), layout="constrained")
for name, label, colour in (
    ("rate_charge_exchange", "charge exchange", "#0072B2"),
    ("rate_coulomb", "Coulomb drag", "#E69F00"),
    ("rate", "both", "#000000"),
):
    ax.fill_between(fine.energy, fine[f"{name}_low"], fine[f"{name}_high"], color=colour, alpha=0.2, linewidth=0)
    ax.plot(fine.energy, fine[name], color=colour, label=label)
ax.set(xscale="log", yscale="log", ylim=(1e-4, 10), xlabel="energy (keV)", ylabel="loss rate (1/day)")
ax.set_title("THEORY: protons at L = 4, 90 degrees", loc="left")
_ = ax.legend()

# %% [markdown]
# Lines are the default models, bands go over all of them: cross sections, geocoronas, plasmaspheres. **A band is no
# confidence interval**: models can share an error. Single models can be chosen by name (`models={"geocorona":
# "ostgaard_2003_day"}`), and the known names are in `rd.theory.GEOCORONAS` and `rd.theory.CROSS_SECTIONS`.

# %%
for name in rd.theory.GEOCORONAS:
    one = rd.theory.loss_rate(99.4, 4.0, spectral_index=3.0, models={"geocorona": name})
    print(f"{name:>22}: {float(one.lifetime):.1f} days at 99.4 keV and L = 4")

# %% [markdown]
# ## Pitch angle, slope, and the plasmapause
#
# Ions that mirror far from the equator go through denser hydrogen and are lost sooner. The slope of the spectrum
# moves the Coulomb rate, even to growth. With `kp_max`, the highest Kp of the day before, there is a plasmapause,
# and outside of it hardly any drag.

# %%
angles = np.arange(10.0, 91.0, 2.0)
by_angle = rd.theory.loss_rate(99.4, 4.0, equatorial_pitch_angle=angles, spectral_index=3.0)
slopes = np.linspace(-3, 6, 10)
by_slope = [rd.theory.loss_rate(269.0, 4.0, spectral_index=float(g)) for g in slopes]
shells = np.linspace(2.5, 6.5, 60)
by_kp = {kp: rd.theory.loss_rate(269.0, shells, spectral_index=3.0, kp_max=kp) for kp in (2.0, 5.0)}

figure, axes = plt.subplots(1, 3, figsize=(11, 3.1), layout="constrained")
axes[0].fill_between(angles, by_angle.lifetime_low, by_angle.lifetime_high, alpha=0.2, linewidth=0)
axes[0].plot(angles, by_angle.lifetime)
axes[0].set(xlabel="equatorial pitch angle (degrees)", ylabel="lifetime (days)", title="99 keV, L = 4")
axes[1].plot(slopes, [float(one.rate_coulomb) for one in by_slope], color="#E69F00")
axes[1].axhline(0, color="0.6", linewidth=0.8)
axes[1].set(xlabel="spectral index g", ylabel="Coulomb rate (1/day)", title="269 keV, L = 4; below zero: growth")
for (kp, one), style in zip(by_kp.items(), ("-", "--"), strict=True):
    axes[2].plot(shells, one.rate_coulomb, style, color="#E69F00", label=f"Kp {kp:g}")
axes[2].set(xlabel="L", ylabel="Coulomb rate (1/day)", yscale="log", title="269 keV, with a plasmapause")
_ = axes[2].legend()

# %% [markdown]
# An omnidirectional flux is a mean over pitch angles: for a flux as sin^2 of the pitch angle charge exchange is 12
# to 15 % faster than at 90 degrees, which is the rate at 57 degrees.
#
# ## Which process is the faster one?
#
# `dominant_process` names one only where it is the faster in **every** choice of models; elsewhere it says
# `not_sure`.

# %%
grid = rd.theory.loss_rate(np.geomspace(10, 600, 50), np.linspace(2.5, 6.0, 40), spectral_index=3.0)
process = rd.theory.dominant_process(grid)["dominant_process"]
names = dict(zip(process.attrs["flag_values"].tolist(), process.attrs["flag_meanings"].split(), strict=True))
for number, count in zip(*np.unique(process, return_counts=True), strict=True):
    print(f"{names[int(number)]:>16}: {100 * count / process.size:.0f} % of the map")
rd.plots.theory_map(grid)

# %% [markdown]
# ## Beside an observation
#
# A **SIMULATED** mission: ten storms, both probes, every fifth L-shell. Its decay times were **made up**, not taken
# from theory. So the ratios below say nothing of nature; they show what the comparison says.

# %%
world = rd.simulate.make_truth()
binned = rd.merge_probes(rd.simulate.binned_series(world)).isel(L=slice(0, None, 5))
decays = rd.fit_decays(binned, rd.simulate.storms(world), index=rd.simulate.index(world))
lifetimes = rd.lifetimes(decays)
comparison = rd.compare_with_theory(decays, lifetimes)
rd.summary(comparison)

# %% [markdown]
# The slope of the spectrum is that of the run itself. The verdict of a cell is careful: `agrees` only if the
# interval overlaps the band and does not reach more than a factor of three beyond it; otherwise it `cannot tell`.
# `faster` means that something else is needed; `slower` that the models take too much, or that something feeds the
# flux. Each verdict is of its cell alone: with 95 % intervals about one cell in forty is outside by chance on each
# side, and neighbours together.
#
# The two factors a and b ask more of the models: are all rates together charge exchange times a and drag times b?

# %%
rd.plots.theory_ratio(comparison, L=[3.05, 4.05, 5.05])

# %%
beside = rd.beside_theory.with_prediction(lifetimes, rd.beside_theory.predicted_rates(decays))
figure, ax = plt.subplots(figsize=(7, 3.4), layout="constrained")
_ = rd.plots.tau_against_energy(beside, [3.05, 4.05, 5.05], rd.simulate.truth_dataset(world), ax=ax)

# %% [markdown]
# Points and bars: the simulated observation. Dashed: its truth. Shaded: what theory predicts. Of your own decays the
# same three lines give the same figure: `compare_with_theory(decays, lifetimes)`, and with a Kp series
# `compare_with_theory(decays, lifetimes, kp=kp)` has a plasmapause.
