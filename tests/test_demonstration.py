"""The whole demonstration from CDF files, held against its truth and against the example that is kept in the repository."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import paper_page
import pytest
import variables_page
import xarray as xr
from conftest import ROOT
from workflow_run import clone, snakemake

import ringdecay as rd
from ringdecay.binned import mean_flux
from ringdecay.store import open_dataset
from ringdecay.storms import read_storms

EXAMPLE = ROOT / "results/example"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Give the folder of a run of config/config.yaml, 150 days of both probes, but its figures: the short run makes those."""
    folder = clone(tmp_path_factory.mktemp("demonstration") / "clone")
    rules = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "workflow/rules").glob("*.smk"))
    figures = re.findall(r"^rule (plot_\w+):", rules, flags=re.MULTILINE)
    snakemake(folder, "--omit-from", *figures)
    return folder


def truth_of(run, like: xr.Dataset, name: str) -> np.ndarray:
    truth = open_dataset(run / "resources/demo/demo-archive/truth.nc")[name]
    chosen = truth.sel(L=like["L"], method="nearest").sel(energy=like["energy"], method="nearest")
    return chosen.transpose(..., "energy", "L").to_numpy()


@pytest.mark.xdist_group("demonstration")
def test_the_example_in_the_repository_is_what_a_run_gives(run):
    kept, new = (
        pd.read_csv(path, comment="#", keep_default_na=False, na_values=["", "nan"])
        for path in (EXAMPLE / "lifetimes.csv", run / "results/demo/lifetimes.csv")
    )
    assert list(kept.columns) == list(new.columns)
    assert len(kept) == len(new) > 500
    for column in kept.columns:
        if pd.api.types.is_numeric_dtype(kept[column]):
            # The same pinned packages give the same values to rounding; another machine's linear algebra differs in the last digits.
            np.testing.assert_allclose(new[column], kept[column], rtol=1e-4, atol=1e-9, err_msg=column)
        else:
            assert kept[column].equals(new[column]), column


@pytest.mark.xdist_group("demonstration")
def test_the_pages_on_variables_and_on_the_paper_are_what_a_run_gives(run):
    assert variables_page.PAGE.read_text(encoding="utf-8") == variables_page.page(run), "write it anew: make run, then make pages"
    text = paper_page.PAGE.read_text(encoding="utf-8")
    assert text == paper_page.with_tables(text, run), "write it anew: make run, then make pages"


@pytest.mark.xdist_group("demonstration")
def test_storms_of_the_index_are_those_of_the_truth(run):
    truth = open_dataset(run / "resources/demo/demo-archive/truth.nc")
    storms = read_storms(run / "results/demo/storms.csv")
    assert len(storms) == truth.sizes["storm"] == 10
    assert storms["n_dips"].tolist() == truth["storm_n_dips"].to_numpy().tolist()
    assert (np.abs(storms["last_minimum"].to_numpy() - truth["storm_last_minimum"].to_numpy()) < np.timedelta64(3, "h")).all()


@pytest.mark.xdist_group("demonstration")
def test_the_faults_of_the_archive_did_no_harm(run):
    # Superseded files hold three times the flux; bad records 1e12.
    files = pd.read_csv(run / "results/demo/files.csv", comment="#", dtype={"date": str}, keep_default_na=False)
    assert len(files) == 2 * 150 - 1
    assert (files["status"] == "used").all()
    assert not files["name"].str.contains("v1.2.3-00|v1.1.9-00").any()
    assert (files["values_bad_quality"] > 0).mean() > 0.5
    binned = open_dataset(run / "resources/demo/binned.nc")
    flux = mean_flux(rd.merge_probes(binned)).isel(probe=0)
    assert float(flux.max()) < 1e7
    expected = rd.simulate.binned_series(rd.simulate.make_truth())
    common = rd.merge_probes(expected).sel(time=flux["time"].to_numpy(), method="nearest")
    reference = mean_flux(common).isel(probe=0).sel(L=flux["L"].to_numpy(), method="nearest").to_numpy()
    ratio = flux.to_numpy() / np.where(reference > 0, reference, np.nan)
    # Bins are not sampled at the same times in both, so only their middle is held to each other.
    assert np.nanmedian(ratio) == pytest.approx(1, abs=0.03)


@pytest.mark.xdist_group("demonstration")
def test_intervals_from_files_contain_the_truth(run):
    # One world of ten storms: the errors of all cells of a storm are correlated, so the share varies by several percent between
    # seeds (0.90 to 0.99 in ten seeds at the binned level); coverage itself is measured over many seeds elsewhere.
    decays = open_dataset(run / "results/demo/decays.nc").sel(probe="merged")
    own = truth_of(run, decays, "storm_rate")
    low, high = (decays[name].transpose("storm", "energy", "L").to_numpy() for name in ("rate_low", "rate_high"))
    fitted = np.isfinite(low)
    assert fitted.sum() > 5000
    assert ((low <= own) & (own <= high))[fitted].mean() > 0.85
    lifetimes = open_dataset(run / "results/demo/lifetimes.nc")
    population = truth_of(run, lifetimes, "population_rate")
    low, high = (lifetimes[name].transpose("energy", "L").to_numpy() for name in ("rate_low", "rate_high"))
    cells = np.isfinite(low) & (1 / population <= 30)
    assert cells.sum() > 200
    assert ((low <= population) & (population <= high))[cells].mean() >= 0.85


def coverage_of(seed: int) -> tuple[float, float, float]:
    """Share of single fits that hold their storm's rate, of means (tau to 30 days) that hold the population's, and of limits below tau."""
    truth = rd.simulate.make_truth(seed)
    dataset = rd.simulate.truth_dataset(truth)
    binned = rd.merge_probes(rd.simulate.binned_series(truth)).isel(L=slice(0, None, 3))
    decays = rd.fit_decays(binned, rd.simulate.storms(truth))
    own = dataset["storm_rate"].sel(L=decays["L"], method="nearest").transpose("storm", "energy", "L").to_numpy()
    low, high = (decays[name].isel(probe=0).transpose("storm", "energy", "L").to_numpy() for name in ("rate_low", "rate_high"))
    fitted = np.isfinite(low)
    single = ((low <= own) & (own <= high))[fitted].mean()
    lifetimes = rd.lifetimes(decays)
    population = dataset["population_rate"].sel(L=decays["L"], method="nearest").transpose("energy", "L").to_numpy()
    low, high = (lifetimes[name].transpose("energy", "L").to_numpy() for name in ("rate_low", "rate_high"))
    cells = np.isfinite(low) & (1 / population <= 30)
    mean = ((low <= population) & (population <= high))[cells].mean()
    limit = lifetimes["tau_limit"].transpose("energy", "L").to_numpy()
    limits = (limit <= 1 / population)[~np.isnan(limit)].mean()
    return float(single), float(mean), float(limits)


def test_coverage_over_twelve_seeds():
    # Seeds that were not looked at when the method was chosen.
    single, mean, limits = np.mean([coverage_of(seed) for seed in range(20_000, 20_012)], axis=0)
    assert 0.90 <= single <= 0.98
    assert mean >= 0.85
    # One-sided, 95 %. High energies share one fluctuation in a mission, so a seed has nearly all of its limits right or many wrong.
    assert limits >= 0.85
