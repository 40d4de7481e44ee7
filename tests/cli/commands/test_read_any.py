"""`retronet read` of pictures and options that nobody would choose: an answer or one sentence, no hang."""

import json
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import Result
from support.odd_pictures import odd_options, odd_picture

Call = Callable[..., Result]
SECONDS = 60
"""How long a picture may take, compiling included; most take a tenth of a second."""


@contextmanager
def within(seconds: int) -> Iterator[None]:
    def late(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="module")
def sliding(call: Call, compiled: None, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: ARG001
    folder = tmp_path_factory.mktemp("runs") / "lenet1"
    words = ("train", "lenet1", "--data", "digits5k", "--passes", 1, "--run", folder, "-q")
    assert call(*words).exit_code == 0
    return folder


@pytest.mark.parametrize("seed", range(1, 41))
def test_there_is_an_answer_or_a_sentence(
    call: Call, sliding: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.chdir(tmp_path)
    picture, options = odd_picture(tmp_path, seed), odd_options(seed)
    with within(SECONDS):
        result = call("read", picture, sliding, *options, "-q")
    if result.exit_code == 0:
        assert result.stderr == ""
        assert result.stdout
        assert ("--steps" in options) == (tmp_path / "steps.png").exists()
        if "--json" in options:
            json.loads(result.stdout)
        return
    assert result.exit_code in (1, 2), result.output
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.stdout == ""
    assert result.stderr.count("Error: ") == 1
    assert not (tmp_path / "steps.png").exists()
