"""A word about compiling, where that takes longer than a moment."""

import time

import pytest

from retronet_cli import compiling


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collect what is said, and wait no second for it."""
    found: list[str] = []
    monkeypatch.setattr(compiling, "talk", found.append)
    monkeypatch.setattr(compiling, "PATIENCE_S", 0.02)
    return found


def test_what_compiles_for_long_is_said_once(said: list[str]) -> None:
    watch = compiling._Watch()
    for _ in range(2):
        watch.on_start(None)
        watch.on_start(None)  # a function that the first one calls
        deadline = time.monotonic() + 10
        while not said and time.monotonic() < deadline:
            time.sleep(0.01)
        watch.on_end(None)
        watch.on_end(None)
    assert len(said) == 1
    assert "Compiling" in said[0]


def test_what_is_over_at_once_is_not_worth_a_word(said: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "PATIENCE_S", 0.3)
    watch = compiling._Watch()
    for _ in range(3):
        watch.on_start(None)
        watch.on_end(None)
    time.sleep(0.5)
    assert said == []


def test_many_short_ones_are_said_too(said: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "PATIENCE_S", 0.2)
    watch = compiling._Watch()
    for _ in range(10):
        watch.on_start(None)
        time.sleep(0.05)
        watch.on_end(None)
    assert len(said) == 1


def test_one_watch_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    registered: list[str] = []
    monkeypatch.setattr(compiling, "_WATCHES", [])
    monkeypatch.setattr(compiling.event, "register", lambda kind, _: registered.append(kind))
    compiling.tell_of_compiling()
    compiling.tell_of_compiling()
    assert registered == ["numba:compile", "retronet:waiting"]
