"""What a page says is run, and what it shows is looked for: the judge of the pages, judged."""

from pathlib import Path

import pytest
from support.page_runner import Kitchen
from support.pages import Step, lines_missing, steps_of

PAGE = """
```console
$ echo a \\
  b
a b
$ cat <<'END'
> $ x
> END
$ x
```

- In a list:

  ```python
  if 1:
      print(2)
  ```

  ```output
  2
  ```

```{toctree}
a
```

```sh
true
```
"""


def write(folder: Path, text: str) -> Path:
    page = folder / "page.md"
    page.write_text(text, encoding="utf-8")
    return page


def test_commands_go_on_over_lines_and_output_belongs_to_the_last(tmp_path: Path) -> None:
    assert steps_of(write(tmp_path, PAGE)) == [
        Step("bash", "echo a \\\n  b\n", 3, ("a b",)),
        Step("bash", "cat <<'END'\n$ x\nEND\n", 6),
        Step("bash", "x\n", 9),
        Step("python", "if 1:\n    print(2)\n", 15, ("2",)),
        Step("bash", "true\n", 28),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("```\nx\n```", "kind ''"),
        ("```bash\nx\n```", "kind 'bash'"),
        ("```output\nx\n```", "output of nothing"),
        ("```console\nx\n```", "before any command"),
    ],
)
def test_blocks_that_nothing_would_check_are_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        steps_of(write(tmp_path, text))


@pytest.mark.parametrize(
    ("shown", "missing"),
    [
        (("a", "c"), []),
        (("a", "", "…", "c  "), []),
        (("b … 2",), []),
        (("c", "a"), ["a"]),
        (("a", "a"), ["a"]),
        (("b",), ["b"]),
        (("A", "c"), ["A"]),
        (("a", "x", "y", "c"), ["x", "y"]),
    ],
)
def test_shown_lines_are_looked_for_whole_and_in_order(shown: tuple[str, ...], missing: list[str]) -> None:
    assert lines_missing(shown, "a\nb 1 2 \n\nc\n") == missing


@pytest.fixture
def kitchen(tmp_path: Path) -> Kitchen:
    return Kitchen(tmp_path, tmp_path)


def test_a_failure_is_seen(kitchen: Kitchen, tmp_path: Path) -> None:
    assert kitchen.bash("echo a; false", tmp_path) == (1, "a\n")
    assert kitchen.bash("false | cat", tmp_path)[0] == 1
    with kitchen.python(tmp_path) as python:
        code, printed = python.run("a = 1\nprint(a)\na / 0")
        assert (code, printed[:2]) == (1, "1\n")
        assert "ZeroDivisionError" in printed
        assert python.run("import os\nprint(a, os.getcwd())") == (0, f"1 {tmp_path}\n")


def test_what_is_trained_once_is_copied_where_nothing_lies(kitchen: Kitchen, tmp_path: Path) -> None:
    command = "mkdir run && date +%N | tee run/file"
    first, second = (tmp_path / name for name in ("first", "second"))
    for folder in (first, second):
        folder.mkdir()
    code, printed = kitchen.train(command, first)
    again = kitchen.train(command, second)

    assert (code, printed) == again
    assert (first / "run/file").read_text() == (second / "run/file").read_text() == printed

    (tmp_path / "third").mkdir()
    (tmp_path / "third/run").mkdir()
    assert kitchen.train(command, tmp_path / "third")[0] == 1, "run where it is, as it names what is there"
