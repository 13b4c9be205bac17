"""The tables of the energy: pressure by energy band and L, and what they say of L and of the pitch angle."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from ring_current_flux import binned, index, storms
from scipy import constants

from ringdecay.binned import with_merged_probe
from ringdecay.energy_content import (
    channel_floor,
    content_header,
    content_table,
    decay_table,
    energy_content,
    energy_decays,
    pressure_header,
    pressure_table,
    recovery_windows,
    shell_volume,
    with_index,
)
from ringdecay.errors import InputError
from ringdecay.tables import write_csv


def test_the_table_of_pressures_has_every_band_and_l_and_is_two_thirds_of_the_energy(tmp_path) -> None:
    content = energy_content(with_merged_probe(binned(tau=8.0)))
    write_csv(pressure_table(content), tmp_path / "pressure.csv", pressure_header(content))
    table = pd.read_csv(tmp_path / "pressure.csv", comment="#")
    assert len(table) == content.sizes["probe"] * content.sizes["band"] * content.sizes["L"]
    # 1 keV cm-3 is 0.1602 nPa; slow protons press with 2/3 of their energy density.
    for ending in ("median", "low", "high", "greatest"):
        np.testing.assert_allclose(table[f"pressure_{ending}"], 2 / 3 * constants.e * 1e18 * table[f"energy_density_{ending}"], rtol=1e-3)
    one = table[(table["probe"] == "merged") & (table["band_low"] > 100) & (table["band_high"] < 250) & np.isclose(table["L"], 4.125)]
    assert len(one) == 1
    series = content["pressure"].sel(probe="merged", L=4.125).isel(band=2).to_numpy()
    series = np.sort(series[np.isfinite(series)])
    assert one["n"].item() == len(series)
    assert one["pressure_greatest"].item() == pytest.approx(series[-1])
    # The smooth decay has as many bins below the median as above it, and 16 % below the lower end.
    assert (series < one["pressure_median"].item()).mean() == pytest.approx(0.5, abs=0.02)
    assert (series < one["pressure_low"].item()).mean() == pytest.approx(0.16, abs=0.02)


def test_every_column_of_the_table_of_pressures_is_explained_with_its_unit() -> None:
    content = energy_content(with_merged_probe(binned()))
    said = [line.strip() for line in pressure_header(content) if line.startswith("  ")]
    assert [line.split(":")[0].split(" [")[0] for line in said] == list(pressure_table(content).columns)
    units = {line.split(":")[0].split(" [")[0]: line.split("[")[1].split("]")[0] for line in said if "[" in line}
    assert {units[f"pressure_{ending}"] for ending in ("median", "low", "high", "greatest")} == {"nPa"}
    assert {units[name] for name in units if name.startswith("energy_density")} == {"keV cm-3"}


def test_without_flux_there_is_no_pressure() -> None:
    nothing = binned().isel(time=slice(0))
    assert pressure_table(energy_content(with_merged_probe(nothing))).empty


def test_a_run_of_one_pitch_angle_or_of_another_l_says_what_that_means_for_the_energy() -> None:
    plain = energy_content(binned())
    assert "L_note" not in plain.attrs
    assert plain.attrs["assumptions"].startswith("isotropic flux, constant")
    other = energy_content(binned().assign_attrs(flux="equatorial pitch angle 80 to 90 degrees", L_definition="L_star"))
    text = "\n".join(content_header(other))
    assert "isotropic flux, the one of equatorial pitch angle 80 to 90 degrees at all pitch angles" in text
    assert "L_note: the volumes are those of dipole shells, but L is L_star" in text


def test_what_is_not_of_the_function_before_is_refused_in_a_sentence() -> None:
    content, empty = energy_content(with_merged_probe(binned())), xr.Dataset()
    series = index()
    windows = recovery_windows(binned(), storms(), series)
    for maker, wrong in (
        ("fit_decays", lambda: channel_floor(content)),
        ("bin_flux", lambda: energy_content(content)),
        ("energy_content", lambda: content_table(empty)),
        ("energy_content", lambda: pressure_table(empty)),
        ("energy_content", lambda: with_index(empty, series)),
        ("open_solar_wind", lambda: with_index(content, series, series)),  # type: ignore[arg-type]
        ("energy_decays", lambda: decay_table(content)),
        ("recovery_windows", lambda: energy_decays(content, content, series)),
        ("open_solar_wind", lambda: energy_decays(content, windows, series, content)),
    ):
        with pytest.raises(InputError, match=f"give the Dataset that {maker} returns; this has no "):
            wrong()
    with pytest.raises(InputError, match="lower L of a shell comes first"):
        shell_volume(5.0, 3.0)
