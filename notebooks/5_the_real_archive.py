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
# # 5 The real archive
#
# List, load, check and bin real files: three days of RBSPICE protons of probe B, round the storm of 17 March 2015,
# from NASA's SPDF.
#
# This needs a network. Without one the notebook says so and ends without an error. `RINGDECAY_ARCHIVE` names another
# server or a folder of the same layout (a mirror, or a simulated archive).
#
# **No real RBSPICE file had been read when this was written**: none could be had there. The reader compares every
# file with NASA's description of it. Please paste the report of the check below into an issue; it is the most useful
# thing that you can send us.

# %%
import os
from pathlib import Path

import requests
from IPython.display import display

import ringdecay as rd
from ringdecay.binned import select_flux
from ringdecay.check import one_line, report

# %matplotlib inline
archive = os.environ.get("RINGDECAY_ARCHIVE", "https://spdf.gsfc.nasa.gov/pub/data")
product, probe, span = "rbspice-pap-tofxeh", "b", ("2015-03-16", "2015-03-19")
online = True
if archive.startswith("http"):
    try:
        requests.head(archive, timeout=10)
    except requests.RequestException as error:
        online = False
        print(f"NO NETWORK: {archive} does not answer ({type(error).__name__}).")
        print("Nothing can be loaded, so the cells below do nothing. Run this notebook again where there is a network.")

# %% [markdown]
# ## What would be loaded
#
# A plan lists the files and their sizes, as far as the server says them, and loads none. Look at it before you load
# years.

# %%
if online:
    plan = rd.archive.plan(product, probe, *span, archive)
    for prospect in rd.archive.preview(plan):
        size = "size not known" if prospect.sizes is None else f"{prospect.sizes[1] / 1e6:.1f} MB"
        print(Path(prospect.file.path).name, size, "here already" if prospect.local else "to be loaded", sep="   ")

# %% [markdown]
# ## Load
#
# Files come whole or not at all, and are kept: the next call finds them here. `RINGDECAY_CACHE` or `cache=` says
# where, `offline=True` uses only what is here. The lock names the very bytes; with `lock=` a later call takes the
# same ones, or says that they have changed.

# %%
if online:
    fetched = rd.fetch(product, probe, *span, archive=archive)
    index_files = rd.fetch("omni-hro-5min", None, *span, archive=archive).files
    print("days without a file:", [str(day.date()) for day in fetched.missing] or "none")
    print(fetched.lock[["date", "version", "size", "sha256"]].to_string())

# %% [markdown]
# ## Check
#
# Is a file what it should be? Each expectation is compared with what was found: axes, units, energies, times, flags,
# and the flux against the file's own average. The verdict is that of the reader itself.

# %%
if online:
    checked = [rd.check_file(file) for file in fetched.files]
    for table in checked:
        print(one_line(table))

# %% [markdown]
# The whole report of the first file, to be pasted into an issue:

# %%
if online and checked:
    print(report(checked[0]))

# %% [markdown]
# ## Bin
#
# A file that cannot be read is refused and counted; one bad day does not stop the others. The summary says how many,
# and why.

# %%
if online and fetched.files:
    binned = rd.bin_flux(fetched.files, product=product, probe=probe)
    display(rd.summary(binned))

# %%
if online and fetched.files and binned.sizes["time"]:
    index = rd.open_index(index_files, "SYM-H").sel(time=slice(*span))
    storms = rd.find_storms(index, threshold=-80)
    display(rd.plots.overview(index, select_flux(binned), storms, [54.7, 99.4, 269.0]))

# %% [markdown]
# ## From here
#
# Three days are too few for a decay. For the storm, 36 days of both probes: `make run
# CONFIG=config/storm_2015_03.yaml`; for the mission `config/mission.yaml`. Or take the ten lines of notebook 1 with
# this `archive` and a longer span. Your own mirror, working offline, and locks: `docs/files.md`.

# %%
print("done" if online else "done: without a network there was nothing to do")
