"""The explorer without a browser: what it holds is what the run found."""

from __future__ import annotations

import base64
import gzip
import json
import os
import re
import shutil

import explorer_run
import numpy as np
import pytest

from ringdecay.binned import mean_flux, sample_time
from ringdecay.errors import FileError, InputError
from ringdecay.explorer import explore
from ringdecay.explorer.choices import choices, with_estimator
from ringdecay.explorer.contents import contents
from ringdecay.explorer.packing import packed, rounded
from ringdecay.explorer.page import page, provenance_list
from ringdecay.lifetime import lifetimes
from ringdecay.store import open_dataset, write_dataset

pytestmark = pytest.mark.xdist_group("explorer")


@pytest.fixture(scope="module")
def found():
    """Give what the page of the small run holds."""
    run = dict(explorer_run.run())
    return contents(run.pop("binned"), run.pop("all_decays"), run.pop("lifetimes"), **run)


def unpacked(text: str, shape: tuple[int, ...]) -> np.ndarray:
    planes = np.frombuffer(gzip.decompress(base64.b64decode(text)), dtype=np.uint8).reshape(4, -1)
    return np.ascontiguousarray(planes.T).view("<f4").reshape(shape)


def block(found, name: str, variable: str) -> np.ndarray:
    said, arrays = found
    return arrays[name][said["blocks"][name]["variables"].index(variable)]


def test_arrays_come_out_of_the_page_as_they_went_in():
    values = np.random.default_rng(1).lognormal(size=(3, 4, 5)).astype("<f4")
    values[0, 0, :3] = np.nan, np.inf, -np.inf
    np.testing.assert_array_equal(unpacked(packed(values), values.shape), values)
    assert packed(values) == packed(values.copy())
    assert unpacked(packed(np.zeros((0, 3))), (0, 3)).size == 0


def test_rounding_keeps_as_many_digits_as_it_says():
    values = np.random.default_rng(2).lognormal(sigma=8, size=10_000).astype("<f4")
    for bits in (10, 16):
        off = np.abs(rounded(values, bits) / values - 1)
        assert off.max() <= 2.0 ** -(bits + 1)
        assert off.max() > 2.0 ** -(bits + 2)
    np.testing.assert_array_equal(rounded(np.array([np.nan, np.inf, 0.0]), 10), np.array([np.nan, np.inf, 0.0], dtype="f4"))


def test_the_page_holds_every_fit(found):
    decays, paper = explorer_run.run()["all_decays"]
    dims = ("storm", "probe", "energy", "L")
    for k, one in enumerate((decays, paper)):
        for name in ("rate", "rate_se", "rate_low", "rate_high", "tau_limit"):
            np.testing.assert_array_equal(block(found, f"fits/{k}", name).astype("f4"), one[name].transpose(*dims).to_numpy().astype("f4"))
        for name in ("n", "flag", "log_flux_start", "floor"):
            np.testing.assert_array_equal(
                block(found, f"points/{k}", name).astype("f4"), one[name].transpose(*dims).to_numpy().astype("f4")
            )
        start = (one["start"] - one["minimum"]).transpose(*dims).to_numpy() / np.timedelta64(1, "D")
        np.testing.assert_allclose(block(found, f"points/{k}", "start"), start, atol=1e-9)


def test_the_page_holds_the_flux_around_every_storm(found):
    said, arrays = found
    binned = explorer_run.run()["binned"]
    flux, seconds = (each.transpose("time", "probe", "L", "energy") for each in (mean_flux(binned), sample_time(binned)))
    minima = explorer_run.run()["all_decays"][0]["minimum"].to_numpy()
    covered = 0
    for storm, minimum in zip(said["storms"], minima, strict=True):
        days = (binned["time"].to_numpy() - minimum) / np.timedelta64(1, "D")
        near = (days >= storm["span"][0]) & (days <= storm["span"][1])
        rows = slice(*storm["flux"])
        np.testing.assert_allclose(arrays["flux"][rows], flux.to_numpy()[near], rtol=1e-5)
        expected = days[near][:, None, None, None] + seconds.to_numpy()[near] / 86_400
        np.testing.assert_allclose(arrays["flux_days"][rows], expected, atol=1e-5)
        covered += near.sum()
    assert covered == len(arrays["flux"]) > 0


def test_what_is_drawn_of_a_storm_begins_before_its_onset_and_ends_after_its_last_window(found):
    said, _ = found
    stops = [block(found, f"points/{k}", "stop") for k in range(2)]
    for s, storm in enumerate(said["storms"]):
        assert storm["span"][0] == pytest.approx(-2.5)
        assert storm["span"][1] == pytest.approx(max(np.nanmax(stop[s]) for stop in stops) + 1.5)


def test_the_page_holds_the_means_of_the_run_and_those_of_every_other_choice(found):
    said, arrays = found
    run = explorer_run.run()
    merged = said["probes"].index("merged")
    for name in ("tau", "tau_low", "tau_limit", "rate", "scatter", "n_storms", "flag"):
        np.testing.assert_array_equal(block(found, "mean/0", name)[merged], run["lifetimes"][name].to_numpy())
    assert [(one["mode"], one["estimator"]) for one in said["choices"]] == [
        ("calibrated", "gls"), ("paper", "ols"), ("calibrated", "ols"), ("calibrated", "theil_sen"),
    ]  # fmt: skip
    other = lifetimes(run["all_decays"][0], probe="a", brief=True)
    np.testing.assert_array_equal(block(found, "mean/0", "rate")[said["probes"].index("a")], other["rate"].to_numpy())
    paper = lifetimes(run["all_decays"][1], probe="joint")
    np.testing.assert_array_equal(block(found, "mean/1", "tau_sd")[said["probes"].index("joint")], paper["tau_sd"].to_numpy())
    # A compared estimator is not fitted jointly.
    assert said["choices"][0]["probes"] == ["a", "b", "merged", "joint"]
    assert said["choices"][3]["probes"] == ["a", "b", "merged"]
    assert not np.array_equal(block(found, "mean/0", "tau"), block(found, "mean/3", "tau"), equal_nan=True)
    assert {name.split("/")[0] for name in arrays} == {
        "fits", "points", "mean", "theory", "flux", "flux_days", "flux_error", "index", "index_days",
    }  # fmt: skip


def test_the_page_tells_results_limits_growth_and_nothing_apart(found):
    said, _ = found
    kind = np.array(said["kinds"])[block(found, "mean/0", "kind")[said["probes"].index("merged")].astype(int)]
    assert kind[0, 0] == "none"
    assert kind[3, 4] == "growth"
    assert kind[0, 1] == kind[1, 0] == kind[2, 2] == "resolved"
    assert (kind[3, :4] == "limit").any()


def test_the_estimator_of_the_run_is_found_again_in_the_comparison():
    decays = explorer_run.run()["all_decays"][0]
    again = with_estimator(decays, "gls").sel(probe=["a", "b", "merged"])
    own = decays.sel(probe=["a", "b", "merged"])
    for name in ("rate", "rate_se", "rate_low", "rate_high", "tau", "tau_low", "tau_high", "flag"):
        np.testing.assert_array_equal(again[name].transpose(*own[name].dims), own[name], err_msg=name)
    fitted = np.isfinite(own["rate"].to_numpy())
    np.testing.assert_allclose(again["df"].to_numpy()[fitted], own["df"].to_numpy()[fitted], rtol=1e-4)
    np.testing.assert_allclose(again["tau_limit"], own["tau_limit"], rtol=1e-5)


def test_an_estimator_that_was_not_compared_is_refused():
    with pytest.raises(InputError, match="poisson"):
        with_estimator(explorer_run.run()["all_decays"][0], "poisson")


def test_without_a_comparison_there_is_a_choice_of_modes_only():
    decays, paper = explorer_run.run()["all_decays"]
    bare = decays.drop_vars([name for name in decays.data_vars if name.endswith("_by_estimator")])
    assert [(one.mode, one.own) for one in choices([bare, paper])] == [("calibrated", True), ("paper", True)]


def test_the_page_needs_nothing_else_and_says_simulated(found, monkeypatch):
    monkeypatch.setattr("plotly.offline.get_plotlyjs", lambda: "// plotly")
    said, arrays = found
    said["about"]["run"] = "a</script><b>"
    text = page(said, arrays, {"versions": {"ringdecay": "0 & 1"}, "config": {"archive": "demo"}})
    assert not re.search(r"""(src|href)\s*=\s*["']?(https?:|//)""", text)
    assert "https://" not in text
    assert re.search(r"<title>SIMULATED ", text)
    assert text.count('id="simulated"') == 1
    assert "0 &amp; 1" in text
    assert "a</script><b>" not in text
    assert "@@" not in text
    given = re.search(r'<script type="application/json" id="contents">(.*?)</script>', text, re.DOTALL)[1]
    assert json.loads(given)["about"]["run"] == "a</script><b>"
    not_simulated = {**said, "about": {**said["about"], "simulated": False}}
    assert "SIMULATED</strong>" not in page(not_simulated, {}, {})


def test_provenance_stands_on_the_page():
    record = {
        "source_fingerprint": "abc",
        "inputs": {"files": 3, "bytes": 2_000_000, "sha256_of_all": "def"},
        "content_hash": {"decays": "123"},
    }
    text = provenance_list(record)
    assert all(word in text for word in ("abc", "3 of 2.0 MB together, digest def", "content hash of decays", "123"))
    assert provenance_list({}) == "<p>Not known.</p>"


def test_explore_makes_the_page_of_a_run_once_and_opens_it(tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr("webbrowser.open", lambda address: opened.append(address) or True)
    monkeypatch.setattr("plotly.offline.get_plotlyjs", lambda: "// plotly")
    folder = explorer_run.write_run(tmp_path)
    made = explore(folder)
    assert made == folder / "explorer.html"
    assert opened == [made.resolve().as_uri()]
    text = made.read_text()
    assert '"mode":"paper"' in text
    assert '"run":"small"' in text
    made.write_text("kept")
    assert explore(folder, open_browser=False) == made
    assert made.read_text() == "kept"
    assert len(opened) == 1


def test_explore_says_what_is_missing(tmp_path):
    with pytest.raises(FileError, match="run the workflow first"):
        explore(tmp_path / "nowhere", open_browser=False)
    (tmp_path / "results/half").mkdir(parents=True)
    with pytest.raises(FileError, match=r"decays\.nc"):
        explore(tmp_path / "results/half", open_browser=False)


def test_explore_says_that_a_file_is_another_one(tmp_path):
    folder = explorer_run.write_run(tmp_path)
    for name, expected in (("decays", "rate over storm, probe, energy, L"), ("theory", "ratio over energy, L")):
        own = (folder / f"{name}.nc").read_bytes()
        shutil.copy(folder / "lifetimes.nc", folder / f"{name}.nc")
        with pytest.raises(FileError, match=rf"{name}\.nc: expected {expected}"):
            explore(folder, open_browser=False)
        (folder / f"{name}.nc").write_bytes(own)


def test_explore_says_that_files_are_not_of_one_run(tmp_path):
    folder = explorer_run.write_run(tmp_path)
    whole = {name: (folder / name).read_bytes() for name in ("lifetimes.nc", "storms.csv")}
    with open_dataset(folder / "lifetimes.nc") as other:
        write_dataset(other.isel(L=slice(2)), folder / "lifetimes.nc")
    with pytest.raises(FileError, match=r"lifetimes\.nc: expected the energies and L-shells of the fits"):
        explore(folder, open_browser=False)
    (folder / "lifetimes.nc").write_bytes(whole["lifetimes.nc"])
    (folder / "storms.csv").write_bytes(b"".join(whole["storms.csv"].splitlines(keepends=True)[:-4]))
    with pytest.raises(FileError, match=rf"storms\.csv: expected the {explorer_run.N_STORMS} storms of the fits"):
        explore(folder, open_browser=False)


def test_explore_says_that_a_page_is_of_another_run(tmp_path, caplog):
    folder = explorer_run.write_run(tmp_path)
    record = json.loads((folder / "provenance.json").read_text())
    (folder / "provenance.json").write_text(json.dumps(record | {"content_hash": {"decays": "abc", "lifetimes": "def"}}))
    (folder / "explorer.html").write_text("made of abc and def")
    # When the files were written says nothing: copies are written in any order.
    os.utime(folder / "explorer.html", (0, 0))
    explore(folder, open_browser=False)
    assert not caplog.messages
    (folder / "explorer.html").write_text("made of abc and ghi")
    explore(folder, open_browser=False)
    assert "explorer.html is not of the lifetimes beside it" in caplog.text
    (folder / "provenance.json").write_text("{broken")
    explore(folder, open_browser=False)
    assert "no JSON" in caplog.text
    # A record without hashes has nothing to compare with.
    caplog.clear()
    (folder / "provenance.json").write_text(json.dumps(record | {"content_hash": None}))
    explore(folder, open_browser=False)
    assert not caplog.messages


@pytest.mark.parametrize("text", ["{broken", "[]", '{"config": 3}', '{"config": {}}', "\xff"])
def test_explore_says_that_the_provenance_is_none(tmp_path, text):
    folder = explorer_run.write_run(tmp_path)
    (folder / "provenance.json").write_text(text, encoding="latin-1")
    with pytest.raises(FileError, match=r"provenance\.json: expected the provenance of a run"):
        explore(folder, open_browser=False)


def test_a_run_without_storms_has_a_page():
    run = dict(explorer_run.run())
    none = [one.isel(storm=slice(0)) for one in run.pop("all_decays")]
    said, arrays = contents(run.pop("binned"), none, run.pop("lifetimes"), **(run | {"storms": run["storms"].iloc[:0]}))
    assert said["storms"] == []
    assert arrays["flux"].shape[0] == arrays["index"].size == 0
