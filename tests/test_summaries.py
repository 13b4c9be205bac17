"""Summaries: what a notebook and a terminal show of a result is what the result says, and nothing else."""

from __future__ import annotations

from html.parser import HTMLParser

import fake_results as fake
import numpy as np
import pandas as pd
import pytest
import theory_decays

import ringdecay as rd
from ringdecay import beside_theory, surface
from ringdecay.binned.merge import FILE_COLUMNS
from ringdecay.decays import FLAGS as FIT_FLAGS
from ringdecay.errors import InputError
from ringdecay.lifetime import FLAGS as LIFETIME_FLAGS
from ringdecay.summaries import MEANINGS, Summary
from ringdecay.tables import tau_text


class Page(HTMLParser):
    """Tags that are open, and every table as rows of (tag, attributes, text)."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.captions: list[str] = []
        self.rows: list[list[tuple[str, dict[str, str | None], str]]] = []
        self.words = ""
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append((tag, dict(attrs), ""))
        if tag == "caption":
            self.captions.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words += data
        if {"td", "th"} & set(self.open):
            tag, attrs, text = self.rows[-1][-1]
            self.rows[-1][-1] = (tag, attrs, text + data)
        if "caption" in self.open:
            self.captions[-1] += data


def page(summary: Summary) -> Page:
    shown = Page(summary._repr_html_())
    assert not shown.open
    return shown


def one_series(**settings: object):
    days = np.arange(0.0, 15.0, 0.4)
    counts = np.round(1000 * np.exp(-days / 6)) + np.arange(days.size) % 3
    return rd.fit_decay(days, counts, counts=counts, **settings)


@pytest.fixture(scope="module")
def compared():
    rate = 0.1 * (1 + 0.1 * np.arange(5))[:, None, None] * np.ones((5, 4, 3))
    fits = theory_decays.decays(rate, [54.7, 99.4, 148.0, 269.0], [3.0, 4.0, 5.0])
    return rd.compare_with_theory(fits, rd.lifetimes(fits))


ALL = {
    "storms": lambda: fake.storms().assign(complete=True),
    "binned": fake.binned,
    "decays": fake.decays,
    "lifetimes": fake.lifetimes,
    "lifetimes of the paper mode": lambda: fake.lifetimes(mode="paper"),
    "fits of a storm": lambda: fake.decays().isel(storm=0, probe=0),
    "a fit": one_series,
    "a prediction": lambda: rd.theory.loss_rate([50.0, 100.0], [3.0, 4.0, 5.0]),
}


@pytest.mark.parametrize("name", ALL)
def test_tables_can_be_read_without_seeing_them(name: str):
    shown = page(rd.summary(ALL[name]()))
    assert len(shown.captions) >= 1
    assert all(shown.captions)
    heads = [row for row in shown.rows if all(tag == "th" for tag, _, _ in row) and len(row) > 1]
    assert all(attrs["scope"] == "col" for row in heads for _, attrs, _ in row)
    assert all(row[0][0] == "th" and row[0][1]["scope"] == "row" for row in shown.rows if row not in heads)


@pytest.mark.parametrize("name", ALL)
def test_the_text_says_what_the_page_says(name: str):
    summary = rd.summary(ALL[name]())
    text, words = " ".join(str(summary).split()), page(summary).words
    for table in summary.tables:
        for row in table.rows:
            assert all(cell.text in words for cell in row)
            assert all(cell.text in text for cell in row if len(cell.text) < 40)
    assert str(summary) == repr(summary)


@pytest.mark.parametrize("make", [fake.binned, fake.decays, fake.lifetimes])
def test_simulated_is_said_first_and_only_where_it_is_true(make):
    summary = rd.summary(make(simulated="yes"))
    assert str(summary).startswith("SIMULATED")
    assert page(summary).words.split()[0] == "SIMULATED"
    assert 'role="note"' in summary._repr_html_()
    other = rd.summary(make(simulated="no"))
    assert "SIMULATED" not in str(other) + other._repr_html_()


def test_simulated_storms_say_so():
    storms = fake.storms()
    assert "SIMULATED" not in str(rd.summary(storms))
    storms.attrs["simulated"] = "yes"
    assert str(rd.summary(storms)).startswith("SIMULATED")


def test_nothing_of_a_file_becomes_html():
    bad = "<script>alert('x')</script> & \x1b[31m"
    lifetimes = fake.lifetimes().assign_attrs(product=bad, title=bad)
    source = rd.summary(lifetimes)._repr_html_()
    assert "<script" not in source
    assert "&lt;script&gt;" in source
    assert "\x1b" not in source + str(rd.summary(lifetimes))
    storms = fake.storms().assign(storm_class="<b>deep</b>")
    assert "<b>" not in rd.summary(storms)._repr_html_()


def test_the_table_of_tau_has_the_numbers_of_the_result():
    lifetimes = fake.lifetimes()
    table = rd.summary(lifetimes).tables[0]
    assert table.columns == ("energy", "L 3.05", "L 3.15", "L 4.05", "L 4.15", "L 5.05")
    for i, row in enumerate(table.rows):
        assert row[0].text == f"{fake.ENERGY[i]:g} keV"
        for j, cell in enumerate(row[1:]):
            assert cell.text == (tau_text(lifetimes.isel(energy=i, L=j)) or "\N{EN DASH}")


def test_a_kind_is_said_in_words_not_only_in_colour():
    rows = rd.summary(fake.lifetimes()).tables[0].rows
    kinds = {cell.kind: cell.text for row in rows for cell in row[1:]}
    assert kinds["limit"].startswith(">")
    assert kinds["opposite"] == "growing"
    assert kinds["none"] == "\N{EN DASH}"
    assert "(" in kinds["found"]


def test_marks_stand_for_flags_and_are_explained():
    table, flags = rd.summary(fake.lifetimes()).tables
    assert table.rows[0][2].marks == "a"
    assert table.rows[1][1].marks == "b"
    assert table.notes == ("Marks: a single_storm, b storms_lost_to_floor; what they mean is below.",)
    counts = {row[0].text: int(row[1].text) for row in flags.rows}
    assert counts == {"no_fits": 1, "single_storm": 1, "not_resolved": 5, "growth": 1, "storms_lost_to_floor": 1}
    assert {row[0].text: row[2].text for row in flags.rows}["single_storm"] == MEANINGS["single_storm"]


def test_counts_are_of_all_cells_and_the_table_shows_some():
    lifetimes = fake.lifetimes()
    summary = rd.summary(lifetimes, energies=[100, 270], L=[4.1])
    assert [row[0].text for row in summary.tables[0].rows] == ["99.4 keV", "269 keV"]
    assert summary.tables[0].columns == ("energy", "L 4.15")
    assert "2 of 4 energies and 1 of 5 L-shells" in summary.tables[0].caption
    assert dict(summary.facts)["cells"] == "20: 14 with a decay time, 4 with a lower limit on it, 1 with growing flux, 1 with no result"


def test_many_cells_are_thinned_over_those_with_a_result():
    L = np.round(np.arange(2.05, 6, 0.1), 2)
    lifetimes = fake.lifetimes().isel(L=[2] * L.size).assign_coords(L=L).drop_vars("L_bounds")
    empty = lifetimes["L"] > 5
    for name in ("tau", "tau_low", "tau_high", "tau_limit", "rate"):
        lifetimes[name] = lifetimes[name].where(~empty)
    table = rd.summary(lifetimes).tables[0]
    assert table.columns == ("energy", "L 2.05", "L 2.75", "L 3.45", "L 4.25", "L 4.95")


def test_the_fits_of_a_run_are_counted_storm_by_storm():
    decays = fake.decays()
    summary = rd.summary(decays)
    table = summary.tables[0]
    assert len(table.rows) == 2
    assert [cell.text for cell in table.rows[0]] == ["1", "2015-04-20 00:00", "-100", "10.7", "14", "4", "1", "1"]
    assert dict(summary.facts)["fits"].startswith("40: 28 with a decay time, 8 with a lower limit")
    two = decays.isel(probe=[0, 0]).assign_coords(probe=["a", "b"])
    assert dict(rd.summary(two).facts)["probe"] == "a (also there: b)"
    assert dict(rd.summary(two, probe="b").facts)["probe"] == "b (also there: a)"
    with pytest.raises(InputError, match="probe 'c' is not known"):
        rd.summary(two, probe="c")


def test_fits_of_one_storm_are_a_table_of_energy_and_L():
    one = rd.summary(fake.decays().sel(storm=2, probe="merged"))
    assert dict(one.facts)["storm"] == "2, onset 2015-05-04 00:00, -120 nT"
    assert one.tables[0].rows[1][1].text == "10.0 (8.0\N{EN DASH}12.5)"
    row = rd.summary(fake.decays().sel(storm=2, probe="merged", energy=99.4))
    assert [cell.text for cell in row.tables[0].rows[0]] == [cell.text for cell in one.tables[0].rows[1]]


def test_a_fit_says_its_numbers_and_flags():
    fit = one_series(compare=True)
    summary = rd.summary(fit)
    facts = dict(summary.facts)
    assert facts["decay time"] == f"{tau_text(fit)} days"
    assert facts["rate"].startswith(f"{float(fit.rate):.4g} +- {float(fit.rate_se):.2g} per day (95 % interval {float(fit.rate_low):.4g}")
    assert facts["fitted"].startswith(f"{int(fit.n)} bins, day {float(fit.start):.4g}")
    flags, estimators = summary.tables
    assert {row[0].text for row in flags.rows} == {name for name, bit in FIT_FLAGS.items() if int(fit.flag) & bit}
    assert [row[0].text for row in estimators.rows] == fit["estimator"].to_numpy().tolist()
    shown = {row[0].text: row[1].text for row in estimators.rows}
    assert shown["ols"] == f"{float(fit.rate_by_estimator.sel(estimator='ols')):.4g}"


def test_no_fit_is_said_in_words():
    with np.errstate(all="ignore"):
        nothing = rd.fit_decay([0.0, 1.0, 2.0], [3.0, 2.0, 1.0])
    facts = dict(rd.summary(nothing).facts)
    assert facts["decay time"] == "none: there is no fit"
    assert "rate" not in facts
    assert "too_few_points" in str(rd.summary(nothing))


def test_storms_and_their_classes():
    storms = fake.storms().assign(complete=[True, False], storm_class=["intense", "moderate"])
    summary = rd.summary(storms)
    facts = dict(summary.facts)
    assert facts["storms"] == "2"
    assert facts["deepest"] == "storm 2, -120 nT, 2015-05-04 12:00 UTC"
    assert [cell.text for cell in summary.tables[0].rows[1]][-3:] == ["moderate", "1", "no"]
    assert "2015-04-20 00:00" in str(summary)
    none = rd.summary(storms.iloc[:0])
    assert dict(none.facts) == {"storms": "0"}
    assert none.tables == ()


def test_binned_flux_says_how_full_it_is():
    binned = fake.binned()
    summary = rd.summary(binned)
    times = binned.sizes["time"]
    probes, channels = summary.tables
    # One bin of `fake.binned` has no sample and one no flux.
    there = (times - 1) * fake.SHELLS.size * fake.ENERGY.size
    assert [cell.text for cell in probes.rows[0]] == ["a", "0", "0", str(there), f"{100 * (times - 1) / times:.1f} %"]
    assert channels.rows[0][0].text == "54.7 keV"
    assert channels.rows[0][2].text == f"{100 / (times - 1):.1f} %"


def test_refused_files_are_named():
    columns = {name: [default] * 2 for name, default in FILE_COLUMNS.items()}
    kinds = {name: object if isinstance(default, str) else int for name, default in FILE_COLUMNS.items()}
    binned = fake.binned().assign({name: ("file", np.array(values, dtype=kinds[name])) for name, values in columns.items()})
    binned["file_probe"][:] = "a"
    binned["file_status"][:] = ["used", "refused"]
    binned["file_name"][1], binned["file_reason"][1] = "bad.cdf", "cut short"
    summary = rd.summary(binned)
    assert [cell.text for cell in summary.tables[0].rows[0]][:3] == ["a", "1", "1"]
    assert summary.notes == ("Refused: bad.cdf: cut short",)


def test_a_comparison_says_verdicts_and_that_simulated_ratios_say_nothing(compared):
    summary = rd.summary(compared)
    words = dict(zip(compared.verdict.attrs["flag_values"].tolist(), compared.verdict.attrs["flag_meanings"].split(), strict=True))
    for i, row in enumerate(summary.tables[0].rows):
        for j, cell in enumerate(row[1:]):
            one = compared.isel(energy=i, L=j)
            verdict = words[int(one["verdict"])].replace("_", " ")
            assert cell.text.endswith(verdict)
            assert cell.text.startswith(f"{float(one['ratio']):.2g} ")
    factors = summary.tables[1].rows
    assert factors[0][1].text == f"{float(compared['a'][0]):.3g}"
    assert "say nothing of nature" in summary.notes[0]
    real = rd.summary(compared.assign_attrs(simulated="no"))
    assert real.notes == ()


def test_a_surface_and_what_is_read_off_it_are_decay_times_too():
    rate = 0.1 * (1 + 0.1 * np.arange(5))[:, None, None] * np.ones((5, 4, 3))
    found = rd.fit_surface(theory_decays.decays(rate, [54.7, 99.4, 148.0, 269.0], [3.0, 4.0, 5.0]))
    one = found.sel(energy=99.4, L=4.0, method="nearest")
    assert rd.summary(found, energies=[99.4], L=[4.0]).tables[0].rows[0][1].text == tau_text(one)
    read_off = rd.tau(100.0, 4.0, found)
    assert rd.summary(read_off).tables[0].rows[0][1].text == tau_text(read_off)


def test_a_prediction_says_its_band():
    rates = rd.theory.loss_rate([20.0, 99.4], [1.01, 4.0], spectral_index=3.0)
    rows = rd.summary(rates).tables[0].rows
    assert {len(row) for row in rows} == {2}  # at L of 1.01 all is in the loss cone, and what has no result is not shown
    one = rates.isel(energy=1, L=1)
    low, value, high = (float(one[name]) for name in ("lifetime_low", "lifetime", "lifetime_high"))
    assert rows[1][1].text == f"{value:.3g} ({low:.3g} to {high:.3g})"
    growing = rd.theory.loss_rate([598.0], [3.0], spectral_index=-4.0)
    assert rd.summary(growing).tables[0].rows[0][1].text == "growing"


def test_every_flag_has_a_meaning():
    for flags in (FIT_FLAGS, LIFETIME_FLAGS, beside_theory.FLAGS, beside_theory.FACTOR_FLAGS, surface.FLAGS):
        assert set(flags) <= set(MEANINGS)


@pytest.mark.parametrize(
    "other", [pd.DataFrame({"a": [1]}), fake.index(), fake.truth(), {}, fake.decays().expand_dims(start_delay_days=[1.0])]
)
def test_what_is_none_of_these_is_refused_in_a_sentence(other):
    with pytest.raises(InputError, match="summary knows a table of storms"):
        rd.summary(other)


def test_the_result_is_not_changed():
    for make in (fake.decays, fake.lifetimes, fake.binned):
        result = make()
        before = rd.content_hash(result)
        str(rd.summary(result))
        assert rd.content_hash(result) == before
