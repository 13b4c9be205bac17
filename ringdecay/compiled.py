"""Compiling the innermost loops, and keeping what was compiled for the next process where there is a folder for it."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any

from numba import njit

logger = logging.getLogger(__name__)


def compiled(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Compile a function with numba's `njit`, without Python's lock.

    The compiled code is kept beside the source, in the user's cache folder, or in $NUMBA_CACHE_DIR. Where none of them can be written
    (a container, a user without a home) numba refuses to keep it; then each process compiles anew, and says so once.

    Parameters
    ----------
    **options
        Further options of `njit`.
    """

    def compile_(function: Callable[..., Any]) -> Any:
        try:
            return njit(function, cache=True, nogil=True, **options)
        except RuntimeError:
            _warn()
            return njit(function, nogil=True, **options)

    return compile_


@functools.cache
def _warn() -> None:
    logger.warning("no folder to keep compiled code in can be written, so every process compiles anew; set NUMBA_CACHE_DIR to one")
