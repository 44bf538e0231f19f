"""The program that a pickle is, run step by step by an interpreter that can do little.

``pickle.Unpickler`` hashes whatever it is told to use as a key, and puts items into whatever has
a method for it: a tuple that holds itself 2^60 times is a kilobyte, and takes longer to hash than
anybody waits. Of pickle's 68 opcodes ``torch.save`` uses half; here only those do anything, keys
are text or small numbers, and what is called are stand-ins.
"""

from __future__ import annotations

import io
import pickletools
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sct_rootlets.checkpoint.stand_ins import ALLOWED_GLOBALS, StandIn, StandIns, shown

__all__ = ["MAX_STEPS", "HoldsMore", "run"]

#: Of pickle, as torch.save writes it: later ones can name their globals in ways that hide them.
_PROTOCOL = 2

#: The log of 8000 epochs, nnU-Net's longest training, of 25 classes takes 3 million.
MAX_STEPS = 4_000_000

#: Beyond these no more names are collected; a message shows fewer.
_MOST_NAMES = 1000

#: A state dict of an optimiser has the numbers of its parameters as keys. Larger ones could be
#: chosen so that all hash alike.
_MOST_KEY = 1 << 20

_KNOWN = {info.code.encode("latin1"): info for info in pickletools.opcodes}

#: These name what a pickle calls.
_NAMING = ("GLOBAL", "INST", "STACK_GLOBAL")

#: Numbers as text, which Python before 3.10.7 takes hours to read where they are long.
_NOT_READ = ("INT", "LONG")


class HoldsMore(Exception):
    """The pickle names what it may not name, or has opcodes that may do anything.

    Attributes
    ----------
    names : list of str
        Of them, in the order of the file.
    """

    def __init__(self, names: list[str]) -> None:
        super().__init__(f"{len(names)} names")
        self.names = names


def run(program: bytes, record_bytes: Mapping[str, int]) -> Any:
    """Return what a pickle builds, with stand-ins for what it names.

    Parameters
    ----------
    program : bytes
        The pickle.
    record_bytes : mapping of str to int
        Size of each record of the archive, such as ``data/0``.

    Raises
    ------
    HoldsMore
        If it names or does what a checkpoint has no need of; of that nothing is done.
    Exception
        Of any kind, if it is not as nnU-Net saves it.
    """
    machine = _Machine(StandIns(record_bytes, len(program)))
    foreign: dict[str, None] = {}
    unusual: dict[str, None] = {}
    failed: Exception | None = None
    texts: deque[str] = deque(maxlen=2)
    for name, argument in _steps(program):
        step = _DONE.get(name)
        if step is None:
            unusual[f"the opcode {name} of pickle"] = None
        if name in _NAMING:
            # The names of STACK_GLOBAL are usually the last two texts.
            named = ".".join(texts) if argument is None else _dotted(argument)
            if named not in ALLOWED_GLOBALS:
                foreign[named] = None
        elif type(argument) is str:
            texts.append(argument)
        if foreign or unusual:
            if len(foreign) + len(unusual) >= _MOST_NAMES:
                break
        elif step is not None and failed is None:
            try:
                step(machine, argument)
            except Exception as error:  # noqa: BLE001  what is named further on is worth more
                failed = error
    if foreign or unusual:
        raise HoldsMore(list(foreign or unusual))
    if failed is not None:
        raise failed
    return machine.result


def _dotted(name: str) -> str:
    """Return a name as Python has it, of a module and a name in it."""
    return name.replace(" ", ".")


def _steps(program: bytes) -> Iterator[tuple[str, Any]]:
    """Yield the name and the argument of each opcode, up to the one that stops the program."""
    stream = io.BytesIO(program)
    for _ in range(MAX_STEPS):
        code = stream.read(1)
        known = _KNOWN.get(code)
        if known is None:
            raise ValueError(f"its pickle has no opcode {code!r}" if code else "its pickle is cut")
        if known.name in _NOT_READ:
            yield known.name, None
            return
        yield known.name, None if known.arg is None else known.arg.reader(stream)
        if known.name == "STOP":
            return
    raise ValueError(f"its pickle takes more than {MAX_STEPS} steps")


class _Machine:
    """The stack, the marks on it, and the memo."""

    def __init__(self, stand_ins: StandIns) -> None:
        self.stand_ins = stand_ins
        self.result: Any = None
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}

    def protocol(self, number: Any) -> None:
        if number > _PROTOCOL:
            raise ValueError(f"its pickle is of protocol {number}, not {_PROTOCOL}")

    def push(self, value: Any) -> None:
        self._stack.append(value)

    def taken(self, count: int) -> list[Any]:
        """Take the last values, none of them from before the last mark."""
        start = len(self._stack) - count
        if start < (self._marks[-1] if self._marks else 0):
            raise ValueError("its pickle takes more than it has made")
        return self._cut(start)

    def since_mark(self) -> list[Any]:
        """Take what was made since the last mark, and the mark."""
        return self._cut(self._marks.pop())

    def _cut(self, start: int) -> list[Any]:
        values = self._stack[start:]
        del self._stack[start:]
        return values

    def mark(self, _: Any) -> None:
        self._marks.append(len(self._stack))

    def put(self, number: Any) -> None:
        if number >= MAX_STEPS:
            raise ValueError("its pickle numbers more objects than it has")
        self._memo[number] = self._stack[-1]

    def get(self, number: Any) -> None:
        self.push(self._memo[number])

    def call(self, _: Any) -> None:
        what, arguments = self.taken(2)
        self.push(self.stand_ins.called(what, arguments))

    def change(self, _: Any) -> None:
        what, state = self.taken(2)
        if not isinstance(what, StandIn):
            raise ValueError(f"a changed {type(what).__name__}")
        what.change(state)
        self.push(what)

    def add(self, values: list[Any]) -> None:
        (what,) = self.taken(1)
        if type(what) is not list:
            raise ValueError(f"values put into a {type(what).__name__}")
        what.extend(values)
        self.push(what)

    def set(self, values: list[Any]) -> None:
        (what,) = self.taken(1)
        if not isinstance(what, dict):
            raise ValueError(f"items put into a {type(what).__name__}")
        for key, value in zip(values[::2], values[1::2], strict=True):
            small = type(key) is int and 0 <= key < _MOST_KEY
            if not (small or type(key) is str):
                raise ValueError(f"a key that is {shown(key)}")
            what[key] = value
        self.push(what)

    def stop(self, _: Any) -> None:
        (self.result,) = self.taken(1)


_Step = Callable[[_Machine, Any], None]


def _pushes(make: Callable[[], Any]) -> _Step:
    return lambda machine, _: machine.push(make())


def _packs(count: int) -> _Step:
    return lambda machine, _: machine.push(tuple(machine.taken(count)))


#: What each opcode that torch.save writes does.
_DONE: dict[str, _Step] = {
    "PROTO": _Machine.protocol,
    "STOP": _Machine.stop,
    "MARK": _Machine.mark,
    "BINPUT": _Machine.put,
    "LONG_BINPUT": _Machine.put,
    "BINGET": _Machine.get,
    "LONG_BINGET": _Machine.get,
    "NONE": _pushes(lambda: None),
    "NEWTRUE": _pushes(lambda: True),
    "NEWFALSE": _pushes(lambda: False),
    "EMPTY_TUPLE": _pushes(tuple),
    "EMPTY_LIST": _pushes(list),
    "EMPTY_DICT": _pushes(dict),
    **dict.fromkeys(
        ("BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE"), _Machine.push
    ),
    "TUPLE": lambda machine, _: machine.push(tuple(machine.since_mark())),
    "TUPLE1": _packs(1),
    "TUPLE2": _packs(2),
    "TUPLE3": _packs(3),
    "APPEND": lambda machine, _: machine.add(machine.taken(1)),
    "APPENDS": lambda machine, _: machine.add(machine.since_mark()),
    "SETITEM": lambda machine, _: machine.set(machine.taken(2)),
    "SETITEMS": lambda machine, _: machine.set(machine.since_mark()),
    "GLOBAL": lambda machine, name: machine.push(machine.stand_ins.named(_dotted(name))),
    "REDUCE": _Machine.call,
    "BUILD": _Machine.change,
    "BINPERSID": lambda machine, _: machine.push(machine.stand_ins.storage(*machine.taken(1))),
}
