"""Follows the pickles that torch.save writes without executing anything.

Of a pickle's operations those that build plain values are followed; a call is never made: the few that stand
for tensors are recognised by their names, and every other one stays what it is, a name. So nothing in a file
can run or ask for memory.
"""

import pickletools
from dataclasses import dataclass
from typing import Any, BinaryIO

from retronet.errors import InputError

_MARK = object()


@dataclass(frozen=True)
class Named:
    """A class, function or call in a pickle: known by its name alone."""

    name: str


@dataclass(frozen=True)
class Storage:
    """Numbers that tensors are views of, stored under `key`."""

    kind: str
    key: str
    count: int


@dataclass(frozen=True)
class StoredTensor:
    """A view of a storage, in numbers."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def unpickled(file: BinaryIO) -> tuple[object, dict[str, Storage]]:
    """Return what the next pickle of `file` holds, calls left undone, and the storages that it names.

    Raises
    ------
    InputError
        If it has an operation that torch.save does not write.
    """
    stack: list[Any] = []
    memo: dict[int, Any] = {}
    storages: dict[str, Storage] = {}

    def to_mark() -> list[Any]:
        index = len(stack) - 1
        while stack[index] is not _MARK:
            index -= 1
            if index < 0:
                raise InputError("its pickle is damaged")
        items = stack[index + 1 :]
        del stack[index:]
        return items

    for operation, value, _ in pickletools.genops(file):
        match operation.name:
            case "PROTO" | "FRAME":
                pass
            case "STOP":
                return stack.pop(), storages
            case "NONE":
                stack.append(None)
            case "NEWTRUE" | "NEWFALSE":
                stack.append(operation.name == "NEWTRUE")
            case (
                "BININT" | "BININT1" | "BININT2" | "LONG1" | "BINFLOAT" | "BINUNICODE" | "SHORT_BINUNICODE"
                | "BINBYTES" | "SHORT_BINBYTES" | "BINSTRING" | "SHORT_BINSTRING"
            ):  # fmt: skip
                stack.append(value)
            case "EMPTY_DICT":
                stack.append({})
            case "EMPTY_LIST" | "EMPTY_SET":
                stack.append([])
            case "EMPTY_TUPLE":
                stack.append(())
            case "MARK":
                stack.append(_MARK)
            case "TUPLE":
                stack.append(tuple(to_mark()))
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                count = int(operation.name[-1])
                items = stack[-count:]
                del stack[-count:]
                stack.append(tuple(items))
            case "BINPUT" | "LONG_BINPUT":
                memo[int(str(value))] = stack[-1]
            case "MEMOIZE":
                memo[len(memo)] = stack[-1]
            case "BINGET" | "LONG_BINGET":
                stack.append(memo[int(str(value))])
            case "GLOBAL":
                stack.append(Named(str(value).replace(" ", ".")))
            case "STACK_GLOBAL":
                name, module = stack.pop(), stack.pop()
                stack.append(Named(f"{module}.{name}"))
            case "BINPERSID":
                storage = _storage(stack.pop())
                storages[storage.key] = storage
                stack.append(storage)
            case "REDUCE" | "NEWOBJ":
                arguments, function = stack.pop(), stack.pop()
                stack.append(_meant(function, arguments))
            case "BUILD":
                stack.pop()  # attributes: of an OrderedDict, or of what is not read
            case "SETITEM":
                item, key = stack.pop(), stack.pop()
                _set(stack[-1], [key, item])
            case "SETITEMS":
                items = to_mark()
                _set(stack[-1], items)
            case "APPEND":
                item = stack.pop()
                _extend(stack[-1], [item])
            case "APPENDS" | "ADDITEMS":
                items = to_mark()
                _extend(stack[-1], items)
            case other:
                raise InputError(f"its pickle has the operation {other}, which torch.save does not write")
    raise InputError("its pickle has no end")


def _set(table: object, items: list[Any]) -> None:
    if isinstance(table, dict):
        table.update(zip(items[::2], items[1::2], strict=True))


def _extend(items: object, more: list[Any]) -> None:
    if isinstance(items, list):
        items.extend(more)


def _storage(identity: Any) -> Storage:  # noqa: ANN401
    match identity:
        case ("storage", Named(name=kind), str(key), str(), int(count)) if count >= 0:
            return Storage(kind.rpartition(".")[2], key, count)
        case ("storage", Named(name=kind), str(key), str(), int(count), None) if count >= 0:
            return Storage(kind.rpartition(".")[2], key, count)
        case _:
            raise InputError("its pickle refers to something that is no storage of numbers")


def _meant(function: object, arguments: Any) -> Any:  # noqa: ANN401
    """Return what a call stands for, if it is one of those that make a state_dict."""
    name = function.name if isinstance(function, Named) else "something"
    match name, arguments:
        case "collections.OrderedDict", ():
            return {}
        case (
            "torch._utils._rebuild_tensor_v2" | "torch._utils._rebuild_tensor",
            (Storage() as storage, int(offset), tuple(shape), tuple(strides), *_),
        ):
            return StoredTensor(storage, offset, shape, strides)
        case "torch._utils._rebuild_parameter", (StoredTensor() as tensor, *_):
            return tensor
        case "torch._utils._rebuild_tensor_v3", (_, _, _, _, _, _, Named(name=dtype), *_):
            return Named(f"a tensor of {dtype}")
        case "torch.Size", (tuple(shape),):
            return shape
        case _:
            return Named(name)
