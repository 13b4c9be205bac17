"""A headless Chromium for the tests of the explorer, and what they read from a page."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pandas as pd
import pytest

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = next((path for path in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if path), None)
NEEDED = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium or Chrome on this machine")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDE, NARROW = {"width": 1400, "height": 900}, {"width": 360, "height": 740}


@contextmanager
def chromium() -> Iterator[Any]:
    """Give a browser."""
    with sync_api.sync_playwright() as playwright:
        one = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield one
        one.close()


@contextmanager
def opening(chromium: Any, address: str) -> Iterator[Callable[..., Any]]:
    """Give a function that opens the page at a hash; no error, warning or request may have come up at the end."""
    troubles, contexts = [], []

    def opened(fragment="", size=WIDE):
        context = chromium.new_context(viewport=size, accept_downloads=True)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: troubles.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on(
            "request",
            lambda request: troubles.append(request.url[:80]) if not request.url.startswith(("file:", "blob:", "data:")) else None,
        )
        page.goto(address + fragment)
        page.wait_for_selector("html[data-ready=yes]", timeout=20_000)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert troubles == []


def saved(page, button):
    """Press a button that saves a table, and give its header and the table."""
    with page.expect_download() as waiting:
        page.click(button)
    path = waiting.value.path()
    text = path.read_text()
    return [line[2:] for line in text.splitlines() if line.startswith("#")], pd.read_csv(io.StringIO(text), comment="#"), waiting.value


def texts(page, column):
    place = page.evaluate(
        "(name) => [...document.querySelectorAll('#table thead th[data-column]')].findIndex((one) => one.dataset.column === name)", column
    )
    return page.eval_on_selector_all("#table tbody tr", "(rows, at) => rows.map((row) => row.children[at].textContent)", place)
