"""Take the picture of the explorer that the README shows, with the Chromium of this machine:

    python tests/explorer_screenshot.py results/demo/explorer.html results/example/explorer.png

A hash and a size can be given, too: --hash '#view=storm' --size 390x844 --whole.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

# The energies, L and storm of the picture.
HASH = "#energy=148&L=4.05&storm=3"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("page", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--hash", default=HASH)
    parser.add_argument("--size", default="1400x900")
    parser.add_argument("--whole", action="store_true", help="the whole page, not only what a screen shows")
    given = parser.parse_args()
    width, height = map(int, given.size.split("x"))
    chromium = next(path for path in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if path)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": width, "height": height})
        page.goto(given.page.resolve().as_uri() + given.hash)
        page.wait_for_selector("html[data-ready=yes]", timeout=120_000)
        page.wait_for_timeout(500)
        page.screenshot(path=given.picture, full_page=given.whole)
        browser.close()


if __name__ == "__main__":
    main()
