"""What the ways out can not do ends no run: encodings that lack characters, readers that go."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from retronet_cli.main import COMMANDS, cli
from retronet_cli.streams import SUBSTITUTES, plain_character, plain_text

ENCODINGS = ("ascii", "cp437", "cp1252", "latin-1", "utf-8")
ALL = ("--tensors", "all", "--jobs", "1")
FEW = ("--data", "digits5k", "--passes", "1", "--set", "take=60")


def groups(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """Yield every group with the names of its commands."""
    context = click.Context(group)
    yield path, group.list_commands(context)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from groups(command, (*path, name))


GROUPS = dict(groups(cli))
EVERY = [(*path, name) for path, names in GROUPS.items() for name in names]


# --- encodings


def lines(trained: Path, folder: Path) -> dict[str, tuple[str | Path, ...]]:
    """Return a use of each command that prints what is furthest from ASCII there."""
    arrays = folder / "arrays.npz"
    return {
        "train": ("train", *FEW, "--run", folder / "run", "--force"),
        "resume": ("resume", folder / "run"),
        "evaluate": ("evaluate", trained, "--details", "--arrays", arrays),
        "simulate": ("simulate", trained, "--bits", 4, "--accumulator-bits", 12),
        "data compose": ("data", "compose", "-o", folder / "codes", "--data", "digits5k", "--force"),
        "read": ("read", folder / "codes" / "00000.png", trained, "--digits", 5),
        "codes": ("codes", trained, "--count", 2),
        "read-back": ("read-back", trained),
        "rates": ("rates", "--data", "digits5k", "--lots", 2, "--lot", 2),
        "import": ("import", arrays),
        "reproduce": ("reproduce", "karpathy2022", "--data-dir", folder),
        "sweep": ("sweep", trained, "--bits", 4, *ALL, "-o", folder / "rows.jsonl"),
        "allocate": ("allocate", trained, "--bits", 4, "--rise", 60),
        "report": ("report", "--chip", "anna", "--chip", "dsp32c-80ns"),
        "retrain": ("retrain", folder / "run", "--passes", 1, "--run", folder / "again", "--force"),
        "prune": (
            "prune",
            folder / "run",
            "--delete",
            900,
            "--stages",
            1,
            "--passes",
            0,
            "--run",
            folder / "few",
            "--force",
        ),
        "compare": ("compare", trained, "--plan", "bits=8", "--plan", "bits=4"),
        "export": (
            "export",
            "golden",
            trained,
            "--bits",
            4,
            "--digits",
            1,
            "-o",
            folder / "golden",
            "--force",
        ),
        "draw": ("draw", trained, "-o", folder / "digit.html", "--force"),
        "plot": ("plot", "roofline", "--chip", "anna", "-o", folder / "roofline.svg"),
        "show": ("show", "recipe", "lecun1989"),
        "show run": ("show", "run", trained),
        "show network": ("show", "network", "lenet5"),
        "show chip": ("show", "chip", "graf54"),
        "show plan": ("show", "plan", trained),
        "data": ("data", "list"),
        "completion": ("completion", "bash"),
        "chip": ("simulate", trained, "--chip", "dsp32c-80ns"),
        "error": ("simulate", trained, "--scale", "±3×"),
        "no command": ("simulaté",),
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("streams")


@pytest.mark.parametrize("name", lines(Path(), Path()))
def test_no_encoding_ends_a_command(trained: Any, folder: Path, name: str) -> None:
    """Substitutes take the place of what an encoding lacks; codes and JSON do not change."""
    words = [str(word) for word in lines(trained.folder, folder)[name]]
    told: dict[str, tuple[int, list[str]]] = {}
    for encoding in ENCODINGS if name in ("show", "simulate", "error", "no command") else ("ascii", "utf-8"):
        result = CliRunner(charset=encoding).invoke(cli, words)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        text = result.stdout_bytes.decode(encoding) + result.stderr_bytes.decode(encoding)
        assert "\\u" not in text
        assert "?" not in text.replace("Did you mean", "").replace("'?", "'")
        told[encoding] = (result.exit_code, text.split())
        assert [line for line in text.splitlines() if line != line.rstrip()] == [], "blanks at an end"
    assert len({code for code, _ in told.values()}) == 1
    assert all(word.isascii() for word in told["ascii"][1])


def test_every_command_is_tried() -> None:
    tried = {words[0] for words in lines(Path(), Path()).values()}
    assert set(COMMANDS) <= tried


@pytest.mark.parametrize("path", [(), *EVERY], ids=" ".join)
@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp437"])
def test_help_in_any_encoding(path: tuple[str, ...], encoding: str) -> None:
    result = CliRunner(charset=encoding).invoke(cli, [*path, "--help"])

    assert result.exit_code == 0
    assert result.stdout_bytes.decode(encoding).startswith("Usage: ")


@pytest.mark.parametrize("words", [("show", "recipe", "lecun1989"), ("show", "chips"), ("report",)])
def test_json_is_the_same_bytes_in_any_encoding(words: tuple[str, ...]) -> None:
    found = {CliRunner(charset=each).invoke(cli, [*words, "--json"]).stdout_bytes for each in ENCODINGS}

    assert len(found) == 1
    json.loads(found.pop())


@pytest.mark.parametrize("encoding", ["ascii", "cp437"])
def test_tables_keep_their_columns(encoding: str) -> None:
    """A substitute is wider than its character, and is put in before columns are laid out."""
    text = CliRunner(charset=encoding).invoke(cli, ["show", "chip", "anna"]).stdout_bytes.decode(encoding)
    rows = [line for line in text.splitlines() if line.startswith(("|", "+"))]

    assert len({len(row) for row in rows if row}) <= text.count("\n\n") + 1
    assert all(line.isascii() for line in text.splitlines()) or encoding != "ascii"


@pytest.mark.parametrize("character", [*SUBSTITUTES, *map(chr, range(0x2500, 0x2580)), "é", "Å", "ﬁ", "漢"])
def test_a_substitute_is_ascii(character: str) -> None:
    assert plain_character(character)
    assert plain_character(character).isascii()


def test_substitutes_stand_only_for_what_is_lacking() -> None:
    assert plain_text("≤ 3 × 2 – ±1 é ─│┼ 漢", "ascii") == "<= 3 x 2 - +-1 e -|+ ?"
    assert plain_text("≤ 3 × 2 – ±1 é", "cp1252") == "<= 3 × 2 – ±1 é"
    assert plain_text("≤ ± ░ –", "cp437") == "≤ ± ░ -"
    assert plain_text("≤ × 漢", "utf-8") == "≤ × 漢"


PLACES = [
    {"PYTHONIOENCODING": "ascii"},
    {"PYTHONIOENCODING": "cp1252:strict"},
    {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
]


@pytest.mark.parametrize("environment", PLACES, ids=str)
def test_the_program_itself_in_poor_surroundings(environment: dict[str, str]) -> None:
    surroundings = {key: value for key, value in os.environ.items() if not key.startswith(("LC_", "LANG"))}
    for words, code in (("show recipe lecun1989", 0), ("show network lénet", 2)):
        done = subprocess.run(
            [sys.executable, "-m", "retronet_cli", *words.split()],
            env=surroundings | environment,
            capture_output=True,
            check=False,
        )
        assert done.returncode == code, done.stderr
        assert b"Traceback" not in done.stderr
        assert b"\\u" not in done.stdout + done.stderr
    assert b"+-2.4/F" in done.stdout or code == 2


@pytest.mark.skipif(os.name == "nt", reason="names of files are text there")
def test_a_name_that_is_no_text_goes_out_as_it_came_in() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "retronet_cli", "evaluate", b"run-\xff"], capture_output=True, check=False
    )

    assert done.returncode == 2
    assert b"There is no run in run-\xff" in done.stderr


# --- readers that go


def closed(words: str, streams: tuple[str, ...], cwd: Path) -> int:
    """Return the exit code of the command when nobody reads `streams`."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        ways: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        ways |= dict.fromkeys(streams, writer)
        done = subprocess.run(
            [sys.executable, "-m", "retronet_cli", *words.split()], cwd=cwd, check=False, **ways
        )
    finally:
        os.close(writer)
    for text in (done.stdout, done.stderr):
        assert text is None or b"Traceback" not in text
        assert text is None or b"BrokenPipe" not in text
    return done.returncode


@pytest.mark.skipif(os.name == "nt", reason="pipes break otherwise there")
@pytest.mark.parametrize("streams", [("stdout",), ("stdout", "stderr")], ids="+".join)
@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("--help", 0),
        ("--version", 0),
        ("show --help", 0),
        ("show plan --help", 0),
        ("show recipe lecun1989", 0),
        ("show chips --json", 0),
        ("report", 0),
        ("report --format csv", 0),
        ("data list", 0),
        ("data path", 0),
        ("completion zsh", 0),
        ("nonesuch", 2),
        ("show chip ana", 2),
        ("data verify usps --data-dir nowhere", 3),
    ],
)
def test_a_reader_that_goes_changes_no_exit_code(
    tmp_path: Path, words: str, code: int, streams: tuple[str, ...]
) -> None:
    assert closed(words, streams, tmp_path) == code


@pytest.mark.skipif(os.name == "nt", reason="pipes break otherwise there")
@pytest.mark.usefixtures("compiled")
def test_a_run_is_finished_though_nobody_reads_of_it(tmp_path: Path) -> None:
    words = f"{' '.join(('train', *FEW))} --run here"

    assert closed(words, ("stdout", "stderr"), tmp_path) == 0
    assert CliRunner().invoke(cli, ["evaluate", str(tmp_path / "here")]).exit_code == 0


def test_reproduce_stops_when_its_reader_has_gone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What was not computed was not done: hours of training for nobody are not begun."""
    from retronet_cli import seeds, terminal

    trained = []

    def train(recipe: Any, *_: object) -> list[Any]:
        trained.append(recipe.name)
        monkeypatch.setattr(terminal.stdout, "quiet", True)
        return []

    monkeypatch.setattr(seeds, "train_with_bar", train)
    monkeypatch.setattr("retronet.studies.reproduce.findings", lambda *_: ())
    names = ("lecun1989", "lenet1", "fc40")
    result = CliRunner().invoke(cli, ["reproduce", *names, "--data-dir", str(tmp_path)])

    assert result.exit_code == 1
    assert len(trained) == 1
    assert "2 recipes are left to train" in result.stderr
