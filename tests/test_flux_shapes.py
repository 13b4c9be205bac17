"""Variables of shapes that no description has: whatever a file holds, it ends in a flux or in a FileError that names it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pytest
from pap_file import pap_file
from telescope_file import telescope_file

import ringdecay.flux.read
from ringdecay.cdf import CdfVariable, read_cdf
from ringdecay.errors import FileError
from ringdecay.flux import open_flux
from ringdecay.products import get_product

PAP, TELESCOPES = "rbspice-pap-tofxeh", "rbspice-tofxeh"


def shapes(variable):
    """The variable with another number of records, another rank, an axis of another length, no values, and of another type."""
    values = variable.values
    records = values.shape[0] if variable.record_varying else 0
    yield "one value", replace(variable, values=values.ravel()[:1].reshape(()), record_varying=False)
    yield "one value a file", replace(variable, values=values.ravel()[:1], record_varying=True)
    yield "no values", replace(variable, values=values[:0], record_varying=variable.record_varying)
    yield "not by record", replace(variable, values=values[0] if values.ndim else values, record_varying=False)
    yield "one axis more", replace(variable, values=values[..., None].repeat(3, axis=-1))
    yield "flat", replace(variable, values=values.reshape(records or 1, -1)[:, 0], record_varying=True)
    if records:
        yield "fewer records", replace(variable, values=values[: records // 2])
        yield "more records", replace(variable, values=np.concatenate([values, values[:1]]))
    if values.ndim > 1:
        yield "shorter last axis", replace(variable, values=values[..., :-1])
        yield "shorter middle axis", replace(variable, values=values[:, :-1])
    yield "text", replace(variable, values=np.full(values.shape, "n/a"), type="CDF_CHAR")
    if values.dtype.kind == "f":
        yield "not a number", replace(variable, values=np.full_like(values, np.nan))
        yield "infinite", replace(variable, values=np.full_like(values, np.inf))


@dataclass(frozen=True)
class Waiting(CdfVariable):
    """A variable whose values are asked for piece by piece, as those of a StoredVariable."""

    @property
    def records(self):
        return self.values.shape[0]

    def read(self, start, stop):
        return self.values[start:stop]


@contextmanager
def reading(content, *_, later, **__):
    """Stand in for `reading_cdf`."""
    waiting = {name: Waiting(**vars(content[name])) for name in later if name in content and content[name].record_varying}
    yield replace(content, variables={name: one for name, one in content.variables.items() if name not in waiting}), waiting


@pytest.mark.parametrize("product", [PAP, TELESCOPES])
def test_odd_shapes_end_in_flux_or_in_one_sentence(tmp_path, monkeypatch, product):
    if product == PAP:
        path, _ = pap_file(tmp_path / "rbsp-a-rbspice_lev-3-pap_tofxeh_20150630_v1.0.0-00.cdf")
    else:
        path = telescope_file(tmp_path / "rbsp-a-rbspice_lev-3_tofxeh_20150630_v1.1.12-01.cdf")
    names = [variable.name for variable in get_product(product).variables.values()]
    sound = read_cdf(path, [], optional=names)
    tried = refused = 0
    for name, variable in sound.variables.items():
        for what, odd in shapes(variable):
            changed = replace(sound, variables={**sound.variables, name: odd})
            monkeypatch.setattr(ringdecay.flux.read, "reading_cdf", partial(reading, changed))
            tried += 1
            sentence = ""
            try:
                flux = open_flux(path, product)
            except FileError as error:
                sentence = str(error)
                refused += 1
            except Exception as error:
                raise AssertionError(f"{name}, {what}: {error!r}") from error
            assert str(path) in sentence if sentence else flux["flux"].ndim == 3, (name, what)
    assert tried > 80
    assert refused > tried / 2
