"""Debian's Chromium, driven by selenium."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

CHROMIUM, CHROMEDRIVER = shutil.which("chromium"), shutil.which("chromedriver")


@contextlib.contextmanager
def chromium(profile: Path) -> Iterator[webdriver.Chrome]:
    """Start Debian's Chromium, which keeps what it remembers in ``profile``."""
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for argument in (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        f"--user-data-dir={profile}",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(CHROMEDRIVER))
    try:
        yield driver
    finally:
        driver.quit()


def visit(browser: webdriver.Chrome, address: str, *, theme: str = "light", width: int = 1280) -> None:
    """Open a page in a theme and width; forget what the console said before."""
    media = [{"name": "prefers-color-scheme", "value": theme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": media})
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    complaints(browser)
    browser.get("about:blank")
    browser.get(address)
    # Colours are read when they have come to rest: the admin's links fade from one to another.
    browser.execute_script("document.getAnimations().forEach(animation => animation.finish())")


def complaints(browser: webdriver.Chrome) -> list[str]:
    """Return what the console has said since it was asked last, but for the icon that no test site has."""
    entries = browser.get_log("browser")  # type: ignore[no-untyped-call] # selenium leaves it untyped
    return [entry["message"] for entry in entries if "/favicon.ico" not in entry["message"]]
