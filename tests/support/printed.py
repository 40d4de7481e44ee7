"""What a command prints as JSON."""

import json
from collections.abc import Callable
from typing import Any

from click.testing import Result

Call = Callable[..., Result]


def printed_json(call: Call, *arguments: object) -> dict[str, Any]:
    result = call(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    printed = json.loads(result.stdout)
    assert isinstance(printed, dict)
    return printed
