"""What every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# SpacePy writes its settings into a folder on import; keep that out of the user's home.
_spacepy_home = ROOT / ".pytest_cache" / "spacepy"
_spacepy_home.mkdir(parents=True, exist_ok=True)
os.environ.setdefault("SPACEPY", str(_spacepy_home))
os.environ.setdefault("MPLBACKEND", "Agg")
# Tests run side by side; threads of the linear algebra would only fight over the cores (small matrices: one thread is quicker alone, too).
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# Nothing a test fetches, and no lock on a port of this machine, goes into the user's own cache.
os.environ["RINGDECAY_CACHE"] = str(ROOT / ".pytest_cache" / "downloads")


# Groups of tests that take longest, the longest first: what is short fills the time at the end.
_LONG = ("workflow", "demonstration", "docs", "notebooks", "explorer", "performance")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Make each file a group that one worker runs, so that what its tests share is made once; long groups come first."""
    places = {}
    for item in items:
        marker = item.get_closest_marker("xdist_group")
        name = marker.args[0] if marker else item.path.stem
        if marker is None:
            item.add_marker(pytest.mark.xdist_group(name))
        places[item] = _LONG.index(name) if name in _LONG else len(_LONG)
    items.sort(key=places.__getitem__)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder with real files of the mission and of the index providers; they may not be redistributed, so a clone lacks them."""
    folder = Path(os.environ.get("RINGDECAY_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"real data files are not at {folder}; set RINGDECAY_TEST_DATA to a folder that has them")
    return folder


@pytest.fixture(scope="session")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a clone in which the short demonstration has been run; for tests of the group "workflow", which share it."""
    from workflow_run import SHORT, clone, snakemake  # noqa: PLC0415 - it imports this module

    folder = clone(tmp_path_factory.mktemp("short") / "clone")
    snakemake(folder, *SHORT)
    return folder
