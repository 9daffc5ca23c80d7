"""Makes docs/images/duality.png, the picture of the page, with the Chromium of this machine and playwright."""

from __future__ import annotations

import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

DOCS = Path(__file__).resolve().parents[1]
CLIP = {"x": 20, "y": 150, "width": 1240, "height": 590}
"""The first two panels, in pixels of a window 1280 wide."""

if __name__ == "__main__":
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto((DOCS / "duality.html").as_uri())
        page.click("#solve")
        # A price too high: one arc breaks f + g <= d, and the interval is open.
        page.evaluate("State.setPrice(State.state.f, 1, 1.4); Draw.all()")
        page.screenshot(path=DOCS / "images" / "duality.png", clip=CLIP)
        browser.close()
