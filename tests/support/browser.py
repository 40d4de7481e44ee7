"""Debian's chromium, driven as a person would: pages opened without a network, their consoles silent."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
WITHOUT = "chromium not found; Debian has it: apt-get install -y chromium"


@contextmanager
def browser() -> Iterator[Any]:
    """Start the browser; skip the test where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright drives the browser")
    if CHROMIUM is None:
        pytest.skip(WITHOUT)
    with playwright.sync_playwright() as driver:
        # As root, in a container, there is no sandbox.
        started = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        try:
            yield started
        finally:
            started.close()


@contextmanager
def opened(started: Any, address: str | None = None, **options: Any) -> Iterator[Any]:
    """Open a page without a network; what its console says or it asks a network for fails the test."""
    context = started.new_context(offline=True, **options)
    page, said = context.new_page(), []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: request.url.startswith("http") and said.append(request.url))
    try:
        page.goto(address or "about:blank")
        yield page
    finally:
        context.close()
    assert said == []
