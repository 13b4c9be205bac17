"""Where Dask runs: this machine or a cluster, with the same values."""

from __future__ import annotations

import dask
import pytest
from dask.base import get_scheduler
from distributed import LocalCluster
from pap_file import pap_file

import ringdecay as rd
from ringdecay.errors import InputError
from ringdecay.schedule import dask_on

# A cluster in this process, which starts at once.
HERE = {"processes": False, "protocol": "tcp://", "host": "127.0.0.1", "dashboard_address": None}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    name = "rbsp-a-rbspice_lev-3-pap_tofxeh_201507{:02d}_v1.cdf"
    return [pap_file(folder / name.format(day), start=f"2015-07-{day:02d}", records=300)[0] for day in (1, 2, 3)]


def test_every_place_gives_the_same_content_hash(files):
    hashes = {}
    for where, workers in (("synchronous", 1), ("threads", 2), ("processes", 2), ("processes", 1)):
        with dask_on(where, workers):
            hashes[where, workers] = rd.content_hash(rd.bin_flux(files, product="rbspice-pap-tofxeh"))
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, dask_on(cluster.scheduler_address):
        hashes["cluster", 2] = rd.content_hash(rd.bin_flux(files, product="rbspice-pap-tofxeh"))
    assert len(set(hashes.values())) == 1, hashes


def test_a_wrong_place_is_one_clear_sentence():
    with pytest.raises(InputError, match="did you mean 'threads'"), dask_on("thread"):
        pass
    # Nothing listens at port 9; a short wait keeps the test short.
    with (
        dask.config.set({"distributed.comm.timeouts.connect": "1s"}),
        pytest.raises(InputError, match="no Dask scheduler answers at"),
        dask_on("tcp://127.0.0.1:9", wait_seconds=2),
    ):
        pass
    assert get_scheduler() is None


@pytest.mark.parametrize("where", ["tcp://127.0.0.1", "tcp://127.0.0.1:port"])
def test_an_address_that_cannot_be_one_is_one_clear_sentence(where):
    # No port, and none that is a number.
    with pytest.raises(InputError, match=f"the address {where} of a Dask scheduler has no port"), dask_on(where, wait_seconds=2):
        pass
    # Nothing stays behind that later work would be sent to.
    assert get_scheduler() is None


def test_workers_that_would_give_other_values_are_refused(files, monkeypatch):
    with LocalCluster(n_workers=1, threads_per_worker=1, **HERE) as cluster:
        where = cluster.scheduler_address
        refused = pytest.raises(InputError, match=r"does not see .*/gone\.cdf; put the files where all machines see them")
        with refused, dask_on(where, files=[*files, "gone.cdf"]):
            pass
        with dask_on(where, files=files):
            pass
        answers = iter(["of the worker", "of the run"])
        monkeypatch.setattr("ringdecay.schedule.source_fingerprint", lambda: next(answers))
        with pytest.raises(InputError, match=r"has another ringdecay \(of the worker, here of the run\)"), dask_on(where):
            pass


def test_a_scheduler_without_workers_is_one_clear_sentence():
    with LocalCluster(n_workers=0, **HERE) as cluster:
        where = cluster.scheduler_address
        with pytest.raises(InputError, match=f"has no worker; start some with `dask worker {where}`"), dask_on(where, wait_seconds=0.5):
            pass
