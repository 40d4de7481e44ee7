"""What `retronet train` prints, where, and how it ends."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

Call = Callable[..., Result]
KEPT = ("run.json", "epochs.jsonl", "checkpoint.safetensors")
SCORE = {
    "n",
    "misses",
    "error_percent",
    "error_percent_low",
    "error_percent_high",
    "half_mse",
    "reject_percent_at_1_percent_error",
    "loss",
}


def content(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in KEPT}


@pytest.fixture
def train(call: Call, tiny_network: Path, compiled: None) -> Call:  # noqa: ARG001
    """Train the small network on the embedded digits."""

    def begin(folder: Path, *arguments: object) -> Result:
        return call("train", "--data", "digits5k", "--network", tiny_network, "--run", folder, *arguments)

    return begin


def test_results_and_talk_go_their_ways(train: Call, tmp_path: Path) -> None:
    loud = train(tmp_path / "loud", "--passes", 2, "--seed", 4)
    quiet = train(tmp_path / "quiet", "--passes", 1, "--quiet")

    assert (loud.exit_code, quiet.exit_code) == (0, 0)
    assert "recipe lecun1989, 2 passes, seed 4." in loud.stderr
    assert f"Run: {tmp_path / 'loud'}" in loud.stderr
    assert loud.stdout.startswith("lecun1989 on digits5k, seed 4: learning curve")
    assert "Measured: training " in loud.stdout
    assert quiet.stderr == ""
    assert "after pass 1" in quiet.stdout


def test_json_is_one_object_with_the_promised_keys(train: Call, tmp_path: Path) -> None:
    result = train(tmp_path / "run", "--passes", 2, "--json")
    printed = json.loads(result.stdout)
    last = json.loads((tmp_path / "run" / "epochs.jsonl").read_text().splitlines()[-1])

    assert list(printed) == sorted(printed)
    assert printed["schema"] == "retronet/train/1"
    assert (printed["recipe"], printed["dataset"], printed["passes"]) == ("lecun1989", "digits5k", 2)
    assert (printed["seed"], printed["notice"], printed["run"]) == (0, None, str(tmp_path / "run"))
    assert set(printed["train"]) == set(printed["test"]) == SCORE
    assert (printed["train"]["n"], printed["test"]["n"]) == (4000, 1000)
    assert (printed["train"], printed["test"]) == (last["train"], last["test"])
    assert 0 < printed["seconds"]["training"] < printed["seconds"]["total"]


def numbers_in_table(printed: dict[str, Any]) -> list[str]:
    score = printed["test"]
    interval = f"{score['error_percent_low']:.2f}–{score['error_percent_high']:.2f}"
    return [
        f"{printed['train']['n']:,}",
        f"{score['misses']:,}",
        f"{score['error_percent']:.2f}",
        interval,
        f"{score['half_mse']:.3e}",
        f"{score['half_mse']:.2e}",
        f"{score['reject_percent_at_1_percent_error']:.1f}",
    ]


def test_no_digit_is_lost_on_a_narrow_terminal(call: Call, trained: Any, columns: int) -> None:
    printed = call("train", "--resume", trained.folder).stdout

    assert max(map(len, printed.splitlines())) <= columns
    assert "…" not in printed
    for number in numbers_in_table(trained.printed):
        assert number in printed


@pytest.mark.usefixtures("compiled")
def test_without_usps_the_embedded_digits_are_taken_and_everyone_is_told(
    call: Call, tiny_network: Path, tmp_path: Path
) -> None:
    said = "Using the embedded sample of 5,000 MNIST digits instead of USPS: results are not comparable"
    folder, nowhere = tmp_path / "run", tmp_path / "none"
    begin = ("train", "--network", tiny_network, "--passes", 1, "--data-dir", nowhere, "--run", folder)

    table = call(*begin, "--quiet")
    again = call("train", "--resume", folder, "--json")

    assert (table.exit_code, again.exit_code) == (0, 0)
    assert table.stderr.startswith(said)
    assert said in " ".join(table.stdout.split())
    assert "lecun1989 on digits5k" in table.stdout
    assert json.loads((folder / "run.json").read_text(encoding="utf-8"))["notice"].startswith(said)
    printed = json.loads(again.stdout)
    assert printed["dataset"] == "digits5k"
    assert printed["notice"].startswith(said)


def test_digits_asked_for_by_name_are_never_replaced(call: Call, tmp_path: Path) -> None:
    result = call("train", "--data", "usps", "--data-dir", tmp_path / "none", "--run", tmp_path / "run")

    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr.startswith("Error: The USPS train set is not in ")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["lecun198"], 2, "no recipe 'lecun198'. Did you mean 'lecun1989'?"),
        (["--data", "digit5k"], 2, "no data set 'digit5k'. Did you mean 'digits5k'?"),
        (["--network", "lenet"], 2, "no network 'lenet'. Did you mean 'lenet"),
        (["--set", "rule.my=3"], 2, "no value 'rule.my'. It has: "),
        (["--set", "rule.my=3"], 2, "rule.mu, rule.gamma, schedule.rate"),
        (["--set", "passes=few"], 2, "Expected `int`, got `str` - at `$.passes`"),
        (["--set", "passes"], 2, "--set takes KEY=VALUE, such as rule.mu=0.02; found 'passes'"),
        (["--set", "=3"], 2, "--set takes KEY=VALUE"),
        (["--passes", "0"], 2, "0 is not in the range 1<=x<=2147483647"),
        (["--seed", "-1"], 2, "-1 is not in the range 0<=x<=9223372036854775807"),
        (["--network", "lenet1"], 1, "The digits are 16×16; network 'lenet1' reads 28×28"),
    ],
)
def test_what_can_not_be_done_is_said_before_anything_is_written(
    call: Call, tmp_path: Path, arguments: list[str], code: int, said: str
) -> None:
    folder = tmp_path / "run"
    preset = ["--data", "digits5k", "--set", "preparation=bipolar16"] if "lenet1" in arguments else []
    result = call("train", *preset, *arguments, "--run", folder)

    assert (result.exit_code, result.stdout) == (code, "")
    assert said in result.stderr
    assert "Traceback" not in result.stderr
    assert not folder.exists()


def test_a_dry_run_prints_the_recipe_and_leaves_nothing(call: Call, tmp_path: Path) -> None:
    settings = ("rule.mu=0.02", "order=shuffled", "initial.bias=zero", "schedule.rate=1e-4")
    result = call(
        "train",
        *("--dry-run", "--passes", 3, "--seed", 9, "--run", tmp_path / "run"),
        *(part for setting in settings for part in ("--set", setting)),
    )
    printed = json.loads(result.stdout)

    assert (result.exit_code, printed["schema"], printed["name"]) == (0, "retronet/recipe/1", "lecun1989")
    assert (printed["passes"], printed["seed"], printed["order"]) == (3, 9, "shuffled")
    assert printed["rule"] == {"kind": "sdlm-running", "mu": 0.02, "gamma": 0.05}
    assert (printed["schedule"]["rate"], printed["initial"]["bias"]) == (1e-4, "zero")
    assert list(tmp_path.iterdir()) == []


# --- going on


def test_resuming_takes_no_other_instructions(call: Call, trained: Any) -> None:
    before = content(trained.folder)

    for arguments in (
        ["lecun1989"],
        ["--passes", 3],
        ["--seed", 1],
        ["--data", "usps"],
        ["--network", "fc40"],
        ["--set", "rule.mu=1"],
        ["--run", "elsewhere"],
        ["--force"],
        ["--dry-run"],
    ):
        result = call("train", "--resume", trained.folder, *arguments)
        assert (result.exit_code, result.stdout) == (2, ""), arguments
        assert "--resume goes on with a run as it was begun" in result.stderr
    assert content(trained.folder) == before


def test_resuming_a_finished_run_prints_its_result(call: Call, trained: Any) -> None:
    before = content(trained.folder)
    result = call("train", "--resume", trained.folder, "--json")
    printed = json.loads(result.stdout)

    for field in ("passes", "train", "test", "recipe", "dataset", "run"):
        assert printed[field] == trained.printed[field]
    assert printed["seconds"]["training"] == trained.printed["seconds"]["training"]
    assert content(trained.folder) == before


def test_a_folder_in_use_needs_force(train: Call, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    assert train(folder, "--passes", 2).exit_code == 0
    before = content(folder)

    refused = train(folder, "--passes", 1)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "holds a run already. Continue it with --resume, overwrite it with --force" in refused.stderr
    assert content(folder) == before
    assert train(folder, "--passes", 1, "--force").exit_code == 0
    assert (folder / "epochs.jsonl").read_bytes() == before["epochs.jsonl"].splitlines(keepends=True)[0]


def test_other_digits_are_refused_when_resuming(call: Call, trained: Any, tmp_path: Path) -> None:
    shutil.copytree(trained.folder, tmp_path / "run")
    stored = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    stored["data"][0]["images_sha256"] = "0" * 64
    (tmp_path / "run" / "run.json").write_text(json.dumps(stored), encoding="utf-8")

    result = call("train", "--resume", tmp_path / "run")

    assert (result.exit_code, result.stdout) == (1, "")
    assert "was begun on other digits than 'digits5k' gives now" in result.stderr


@pytest.mark.parametrize("command", ["train --resume", "evaluate", "simulate"])
@pytest.mark.parametrize(
    ("name", "size"), [("checkpoint.safetensors", 1000), ("checkpoint.safetensors", 0), ("run.json", 700)]
)
def test_damage_is_one_sentence(
    call: Call, trained: Any, tmp_path: Path, command: str, name: str, size: int
) -> None:
    shutil.copytree(trained.folder, tmp_path / "run")
    path = tmp_path / "run" / name
    path.write_bytes(path.read_bytes()[:size])

    result = call(*command.split(), tmp_path / "run", "-q")

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: ")
    assert name in result.stderr
    assert "damaged" in result.stderr
    assert result.stderr.count("\n") - result.stderr.startswith("Using ") == 1


def test_a_run_without_a_pass_has_nothing_to_show(call: Call, trained: Any, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    shutil.copy(trained.folder / "run.json", tmp_path / "run")

    for command in ("evaluate", "simulate"):
        result = call(command, tmp_path / "run")
        assert (result.exit_code, result.stdout) == (1, "")
        assert f"Go on with `retronet train --resume {tmp_path / 'run'}`" in result.stderr
    assert call("train", "--resume", tmp_path / "none").exit_code == 2


@pytest.mark.usefixtures("compiled")
def test_divergence_is_1_and_keeps_what_was_learnt(call: Call, tiny_network: Path, tmp_path: Path) -> None:
    linear = tmp_path / "linear.toml"
    head, _, tail = tiny_network.read_text(encoding="utf-8").rpartition("{ kind = ")
    linear.write_text(head + '{ kind = "identity" }\n', encoding="utf-8")
    assert tail
    schedule = 'schedule={kind="steps", rates=[[1, 1e-4], [1, 1e38]]}'
    result = call(
        "train", "--data", "digits5k", "--network", linear, "--set", schedule, "--run", tmp_path / "run"
    )

    assert (result.exit_code, result.stdout) == (1, "")
    assert "Error: Training diverged in pass 2: " in result.stderr
    assert len((tmp_path / "run" / "epochs.jsonl").read_text().splitlines()) == 1
    assert call("evaluate", tmp_path / "run").exit_code == 0
