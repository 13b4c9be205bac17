"""Which process dominates, against every single choice of models, and against what is known of where the two are alike."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import xarray as xr

from ringdecay import theory
from ringdecay.errors import InputError
from ringdecay.store import content_hash, open_dataset, write_dataset
from ringdecay.theory import PROCESSES, dominant_process, loss_rate


def names(found: xr.Dataset) -> list[str]:
    by_number = {number: name for name, number in PROCESSES.items()}
    return [by_number[int(number)] for number in found.dominant_process.values.ravel()]


@pytest.mark.parametrize(("g", "kp"), [(0.0, None), (2.0, 5.0), (-3.0, None)])
def test_a_process_dominates_where_it_is_the_faster_in_every_choice_of_models(g, kp):
    grid = {"energy": [20.0, 150.0, 270.0, 500.0, 1500.0], "L": [3.0, 4.5, 6.0], "equatorial_pitch_angle": [90.0, 40.0]}
    found = dominant_process(loss_rate(**grid, spectral_index=g, kp_max=kp))
    plasmaspheres = ["saturated", "saturated_low", "saturated_high", "trough", *(["plasmapause"] if kp else [])]

    def single(**models):
        return loss_rate(**grid, spectral_index=g, kp_max=kp, models=models)

    exchange = [
        single(cross_section=s, geocorona=n).rate_charge_exchange
        for s, n in itertools.product(theory.CROSS_SECTIONS["H+"], theory.GEOCORONAS)
    ]
    drags = [
        abs(single(plasmasphere=p, field_line=f).rate_coulomb)
        for p, f in itertools.product(plasmaspheres, ["constant", "proportional_to_field"])
    ]
    share = xr.concat([d / (d + x) for d, x in itertools.product(drags, exchange)], dim="choice")
    drag = PROCESSES["coulomb_growth" if g < -1.0 else "coulomb_loss"]
    expected = xr.where((share < 0.5).all("choice"), PROCESSES["charge_exchange"], PROCESSES["not_sure"])
    expected = xr.where((share > 0.5).all("choice"), drag, expected)
    assert (found.dominant_process == expected).all()
    # More than one answer is given, or the test would say little.
    assert len(set(names(found))) >= 3
    for name, of in (("low", share.min("choice")), ("high", share.max("choice"))):
        ratio = found[f"coulomb_ratio_{name}"]
        np.testing.assert_allclose((ratio / (1.0 + ratio)).values, of.values, rtol=1e-12)


def test_charge_exchange_and_drag_are_alike_near_250_to_300_kev_inside_the_plasmasphere():
    # The reference table: at L = 3 the two lifetimes are 221 and 248 d at 269 keV, at L = 4 494 and 512 d.
    energy = np.linspace(150.0, 400.0, 501)
    ratio = dominant_process(loss_rate(energy, [3.0, 4.0])).coulomb_ratio
    alike = energy[abs(np.log(ratio)).argmin("energy")]
    assert (alike > 250.0).all()
    assert (alike < 300.0).all()
    assert float(dominant_process(loss_rate(269.0, 3.0)).coulomb_ratio) == pytest.approx(221.0 / 248.0, rel=0.005)
    # A falling spectrum brings the boundary down, an empty trough takes it up.
    falling = dominant_process(loss_rate(energy, 4.0, spectral_index=3.0)).coulomb_ratio
    assert float(energy[abs(np.log(falling)).argmin("energy")]) < 200.0
    assert float(dominant_process(loss_rate(269.0, 5.0, kp_max=7.0)).coulomb_ratio) < 0.1


def test_it_says_when_it_cannot_say():
    found = dominant_process(loss_rate([30.0, 300.0, 9000.0], 4.0))
    assert names(found) == ["charge_exchange", "not_sure", "coulomb_loss"]
    assert names(dominant_process(loss_rate(99.0, 4.0, [2.0, 90.0]))) == ["not_predicted", "charge_exchange"]
    assert names(dominant_process(loss_rate(99.0, 4.0, spectral_index=np.nan))) == ["not_predicted"]
    # g = -1: drag moves ions without a change of the flux.
    assert names(dominant_process(loss_rate(400.0, 4.0, spectral_index=-1.0))) == ["charge_exchange"]
    assert names(dominant_process(loss_rate(2000.0, 3.0, spectral_index=-4.0))) == ["coulomb_growth"]


def test_it_says_what_it_is_and_survives_a_file(tmp_path):
    found = dominant_process(loss_rate([45.0, 300.0], [3.0, 5.0], kp_max=3.0))
    assert found.dominant_process.attrs["flag_meanings"].split() == list(PROCESSES)
    assert (found.attrs["kp_max"], found.attrs["model_geocorona"]) == (3.0, "rairden_1986")
    write_dataset(found, tmp_path / "processes.nc")
    assert content_hash(open_dataset(tmp_path / "processes.nc")) == content_hash(found)
    with pytest.raises(InputError, match="rate_coulomb_low"):
        dominant_process(loss_rate(45.0, 4.0).drop_vars("rate_coulomb_low"))


def test_a_result_is_predicted_over_its_own_range_and_for_its_own_ion():
    result = xr.Dataset(coords={"energy": [99.0, 45.0, 598.0], "L": [3.05, 4.05]}, attrs={"ion": "O+"})
    rates = theory.loss_rate_over(result, spectral_index=2.0, equatorial_pitch_angle=60.0)
    assert (float(rates.energy.min()), float(rates.energy.max())) == pytest.approx((45.0, 598.0))
    assert (float(rates.L.min()), float(rates.L.max())) == (3.05, 4.05)
    assert rates.attrs["species"] == "O+"
    e, shell = float(rates.energy[40]), float(rates.L[7])
    alone = loss_rate(e, shell, 60.0, species="O+", spectral_index=2.0)
    assert float(rates.rate[40, 7]) == pytest.approx(float(alone.rate), rel=1e-12)
    assert rates.rate.dims == ("energy", "L")
    # One channel and one bin still make a map.
    assert theory.loss_rate_over(xr.Dataset(coords={"energy": [99.0], "L": [4.0]})).rate.notnull().all()
    with pytest.raises(InputError, match="energies and L-shells"):
        theory.loss_rate_over(xr.Dataset(coords={"energy": [99.0]}))
