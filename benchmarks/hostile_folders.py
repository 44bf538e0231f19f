"""Models that would run code, hang or fill the memory: good ones of which one thing is bad."""

from __future__ import annotations

import functools
import io
import json
import os
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.hostile_checkpoints import LARGE
from benchmarks.hostile_json import DATASETS, NETWORKS, PLANS, TEXTS, Edit
from tests.checkpoint import hostile

__all__ = ["Spoil", "archives", "models"]

#: Spoils a model folder; code that is run makes the folder of the second argument.
Spoil = Callable[[Path, str], None]

_MB = 1 << 20
_PTH = "fold_all/checkpoint_final.pth"


def models() -> Iterator[tuple[str, str, Spoil]]:
    """Yield the kind and the name of each, and what makes it of a good one."""
    for name, make in hostile.RUNS.items():
        yield "code in a pickle", name, functools.partial(_checkpoint, make)
    for kind, checkpoints in (
        ("damaged checkpoint", hostile.BREAKS),
        ("small checkpoint", hostile.HANGS),
        ("large checkpoint", LARGE),
    ):
        for name, data in checkpoints.items():
            yield kind, name, functools.partial(_checkpoint, lambda _, data=data: _bytes(data))
    for name, change in NETWORKS.items():
        yield "network", name, functools.partial(_edited, "plans.json", _architecture(change))
    for file, edits in (("plans.json", PLANS), ("dataset.json", DATASETS)):
        for name, edit in edits.items():
            yield file, name, functools.partial(_edited, file, edit)
        for name, text in TEXTS.items():
            yield file, name, functools.partial(_text, file, text)
    for name, spoil in _FILES.items():
        yield "files", name, spoil
    for name, pair in _CONVERTED.items():
        yield "converted weights", name, functools.partial(_converted, pair)


def _bytes(data: bytes | Callable[[], bytes]) -> bytes:
    return data() if callable(data) else data


def _checkpoint(data: Callable[[str], bytes], folder: Path, marker: str) -> None:
    (folder / _PTH).write_bytes(data(marker))


def _architecture(change: dict[str, Any]) -> Edit:
    def edit(plans: dict[str, Any]) -> None:
        plans["configurations"]["3d_fullres"]["architecture"]["arch_kwargs"].update(change)

    return edit


def _edited(file: str, edit: Edit, folder: Path, _: str) -> None:
    content = json.loads((folder / file).read_text())
    edit(content)
    (folder / file).write_text(json.dumps(content))


def _text(file: str, text: Callable[[], str], folder: Path, _: str) -> None:
    (folder / file).write_text(text())


def _linked(name: str, target: str, folder: Path, _: str) -> None:
    (folder / name).unlink()
    (folder / name).symlink_to(target)


def _pipe(name: str, folder: Path, _: str) -> None:
    (folder / name).unlink()
    os.mkfifo(folder / name)


def _beside(name: str, folder: Path, marker: str) -> None:
    (folder / name).write_text(f"import os; os.mkdir({marker!r})")


def _hub(folder: Path, marker: str) -> None:
    """Let plans name a function of torch that runs a file of the folder."""
    _beside("hubconf.py", folder, marker)
    content = json.loads((folder / "plans.json").read_text())
    architecture = content["configurations"]["3d_fullres"]["architecture"]
    architecture["network_class_name"] = "torch.nn.modules.module.torch.hub.load"
    architecture["arch_kwargs"] = {"repo_or_dir": str(folder), "model": "a", "source": "local"}
    architecture["_kw_requires_import"] = []
    (folder / "plans.json").write_text(json.dumps(content))


_FILES: dict[str, Spoil] = {
    "code beside that plans.json has torch run": _hub,
    "a checkpoint that is a link": functools.partial(_linked, _PTH, "/dev/zero"),
    "a dataset.json that is a link": functools.partial(_linked, "dataset.json", "/dev/zero"),
    "plans.json that is a link to itself": functools.partial(_linked, "plans.json", "plans.json"),
    "a checkpoint that is a pipe": functools.partial(_pipe, _PTH),
    "a dataset.json that is a pipe": functools.partial(_pipe, "dataset.json"),
    "plans.json that is a pipe": functools.partial(_pipe, "plans.json"),
    "code beside": functools.partial(_beside, "nnUNetTrainer.py"),
    "a pickle beside": functools.partial(_beside, "fold_all/a.pkl"),
}


def _weights(header: Any, data: bytes = b"", length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def _empty(count: int) -> bytes:
    one = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
    return _weights({f"a{number}": one for number in range(count)})


def _facts(**changes: Any) -> str:
    facts = {
        "format": "sct_rootlets checkpoint", "format_version": 1, "trainer_name": "nnUNetTrainer",
        "configuration": "3d_fullres", "inference_allowed_mirroring_axes": [2],
        "weights": {"tensors": 1, "size_bytes": 8}, "aliases": {}, "source": {},
    }  # fmt: skip
    return json.dumps({**facts, **changes})


_CONVERTED: dict[str, tuple[Callable[[], bytes], Callable[[], str]]] = {
    "a header of 10^18 bytes": (lambda: _weights(b"{}", length=10**18), _facts),
    "a header of 90 MB": (lambda: _weights(b"{" + b" " * (90 * _MB) + b"}"), _facts),
    "a header of open brackets": (lambda: _weights(b"[" * 4_000_000), _facts),
    "a million empty tensors": (lambda: _empty(1_000_000), _facts),
    "80,000 empty tensors": (
        lambda: _empty(80_000),
        lambda: _facts(weights={"tensors": 80_000, "size_bytes": len(_empty(80_000))}),
    ),
    "a tensor of 10^18": (
        lambda: _weights({"a": {"dtype": "F32", "shape": [10**18], "data_offsets": [0, 0]}}),
        _facts,
    ),
    "facts of 10^6 digits": (lambda: _weights({}), lambda: '{"format_version": ' + "9" * 10**6),
    "facts of brackets": (lambda: _weights({}), lambda: '{"aliases": ' + "[" * 10**6),
    "40 axes": (
        lambda: _weights({}),
        lambda: _facts(
            inference_allowed_mirroring_axes=[0] * 40, weights={"tensors": 0, "size_bytes": 10}
        ),
    ),
}


def _converted(pair: tuple[Callable[[], bytes], Callable[[], str]], folder: Path, _: str) -> None:
    path = folder / _PTH
    path.with_suffix(".safetensors").write_bytes(pair[0]())
    path.with_suffix(".json").write_text(pair[1]())


def archives(good: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the names and bytes of archives that hold the model folder `good`, and more."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for path in sorted(good.rglob("*")):
            archive.write(path, path.relative_to(good.parent).as_posix())
    plain = made.getvalue()
    for name, member in _MEMBERS.items():
        copied = io.BytesIO(plain)
        with zipfile.ZipFile(copied, "a") as archive:
            member(archive)
        yield name, copied.getvalue()
    yield "cut", plain[: len(plain) // 2]


def _zeros(archive: zipfile.ZipFile) -> None:
    with archive.open(_deflated("zeros.txt"), "w", force_zip64=True) as member:
        for _ in range(5000):
            member.write(bytes(_MB))


def _deflated(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


def _many(archive: zipfile.ZipFile) -> None:
    for number in range(100_000):
        archive.writestr(f"many/{number}", b"")


def _link(archive: zipfile.ZipFile) -> None:
    info = zipfile.ZipInfo("link")
    info.external_attr = 0o120777 << 16
    archive.writestr(info, "/etc")


_MEMBERS: dict[str, Callable[[zipfile.ZipFile], None]] = {
    "5 GB of zeros": _zeros,
    "100,000 members": _many,
    "a link": _link,
    "a path out of the store": lambda archive: archive.writestr("../../out.txt", b"x"),
    "an absolute path": lambda archive: archive.writestr("/tmp/out.txt", b"x"),
    "a name of 60,000 letters": lambda archive: archive.writestr("x" * 60_000, b"x"),
    "folders in folders": lambda archive: archive.writestr("a/" * 20_000 + "b", b"x"),
}
