"""Compiled loops where nothing can be kept of them: a system's installation, and a user without a home."""

from __future__ import annotations

import os
import subprocess
import sys

from ringdecay.compiled import compiled

USED = """
import numpy as np
from ringdecay.binned import kernels
from ringdecay.decays import kernels
from ringdecay.flux import kernels
print(kernels.count_missing(np.array([[0.0, 1.0, np.nan]])))
"""


def test_without_a_folder_to_keep_them_in_they_are_compiled_anew():
    # Tests may run as root, who can write everywhere; so numba is told to look for a folder in IPython's alone.
    nowhere = os.environ | {"NUMBA_CACHE_LOCATOR_CLASSES": "IPythonCacheLocator"}
    done = subprocess.run([sys.executable, "-c", USED], capture_output=True, text=True, check=True, env=nowhere)
    assert done.stdout.split() == ["1"]
    assert "NUMBA_CACHE_DIR" in done.stderr
    assert done.stderr.count("\n") == 1


def test_with_one_they_are_kept():
    @compiled()
    def plus_one(x):
        return x + 1

    assert plus_one(1) == 2
    assert sum(plus_one.stats.cache_misses.values()) + sum(plus_one.stats.cache_hits.values()) == 1
