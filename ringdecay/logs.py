"""Where messages go when a stage runs as a job."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path

from ringdecay.errors import RingdecayError

_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


@contextmanager
def logged_to(path: str | PathLike[str]) -> Iterator[None]:
    """Write the package's messages and any error of the block to a file.

    A fault of the input ends the process with its one sentence on the terminal; what is not foreseen keeps its traceback.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(target, mode="w", encoding="utf-8")
    handler.setFormatter(logging.Formatter(_FORMAT))
    # What a user should know while the run goes on: refused files, no storms.
    terminal = logging.StreamHandler(sys.stderr)
    terminal.setLevel(logging.WARNING)
    terminal.setFormatter(logging.Formatter("ringdecay: %(message)s"))
    root = logging.getLogger("ringdecay")
    root.addHandler(handler)
    root.addHandler(terminal)
    root.setLevel(logging.INFO)
    logging.captureWarnings(capture=True)
    logging.getLogger("py.warnings").addHandler(handler)
    try:
        yield
    except RingdecayError as error:
        root.error("%s", error)
        sys.exit(1)
    except BaseException:
        root.exception("the job failed")
        raise
    finally:
        root.removeHandler(handler)
        root.removeHandler(terminal)
        logging.getLogger("py.warnings").removeHandler(handler)
        handler.close()
