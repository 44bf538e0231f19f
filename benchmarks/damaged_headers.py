"""Headers damaged at random, given to every reader of images: what becomes of each.

``python -m benchmarks.damaged_headers -n 10000 -commands 300`` prints a table: refused, said (a
remark, or a warning, names what is wrong), the same place as before, another place without a word
(``silent``), and anything that is raised and is no error of ours (``crash``). The last two have
to be 0.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import gzip
import io
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from sct_rootlets.errors import RootletsError
from sct_rootlets.fmri.series import SeriesFile
from sct_rootlets.fmri.transforms import read_transform
from sct_rootlets.image import (
    Grid,
    Image,
    Opened,
    load_cord,
    load_grid,
    load_image,
    load_labels,
    load_map,
    load_segmentation,
    load_share,
    open_nifti,
)

#: Fields of a NIfTI-1 header: first byte, kind of number, how many.
FIELDS = (
    (0, "<i4", 1), (39, "u1", 1), (40, "<i2", 8), (56, "<f4", 3), (68, "<i2", 1), (70, "<i2", 1),
    (72, "<i2", 1), (76, "<f4", 8), (108, "<f4", 1), (112, "<f4", 2), (123, "u1", 1),
    (124, "<f4", 2), (252, "<i2", 2), (256, "<f4", 6), (280, "<f4", 12), (344, "u1", 4),
)  # fmt: skip
#: What damaged and badly written headers hold.
EXTREMES = (0, 1, -1, 2, 3, 5, 7, 255, 1000, 32767, -32768, 2**31 - 1, 1e-30, 1e30, 0.1, 10.0)
OUTCOMES = ("refused", "said", "the same place", "silent", "crash")

Reader = Callable[[Path], Any]


def damaged(raw: bytes, rng: np.random.Generator) -> bytes:
    """Return a file of which some of the header's bytes, or one or two numbers, are wrong."""
    content = bytearray(raw)
    if rng.random() < 0.4:
        for at in rng.integers(0, 352, int(rng.integers(1, 5))):
            content[at] = int(rng.integers(256))
        return bytes(content)
    for _ in range(int(rng.integers(1, 3))):
        start, kind, count = FIELDS[int(rng.integers(len(FIELDS)))]
        size = np.dtype(kind).itemsize
        at = start + size * int(rng.integers(count))
        value: Any = EXTREMES[int(rng.integers(len(EXTREMES)))]
        if kind == "<f4" and rng.random() < 0.2:
            value = (np.nan, np.inf, -np.inf)[int(rng.integers(3))]
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            wrong = np.array([value], dtype=np.float64).astype(kind)
        content[at : at + size] = wrong.tobytes()
    return bytes(content)


def examples(folder: Path) -> dict[str, tuple[bytes, Grid, Reader]]:
    """Return a whole file of each kind, its grid, and what reads it."""
    rng = np.random.default_rng(0)
    shape = (12, 14, 16)
    affine = np.array([[-0.9, 0.1, 0, 5], [0.1, 0.9, 0, -6], [0, 0, 1.1, -40], [0, 0, 0, 1.0]])
    grid = Grid(shape, affine)
    grey = rng.normal(300, 40, shape).astype(np.int16)
    mask = np.zeros(shape, np.uint8)
    mask[4:9, 4:9] = 1
    kinds: dict[str, tuple[np.ndarray, Reader]] = {
        "image": (grey, load_image),
        "labels": (mask * 5, load_labels),
        "cord": (mask, load_cord),
        "share": (mask.astype(np.float32) / 2, load_share),
        "segmentation": (mask * 5, load_segmentation),
        "map": (grey.astype(np.float32), load_map),
        "series": (np.stack([grey] * 4, axis=-1), lambda path: _series(path, grid)),
        "warp": (np.zeros((*shape, 1, 3), np.float32), read_transform),
    }
    found = {}
    for name, (data, reader) in kinds.items():
        nifti = nib.Nifti1Image(data, affine)
        nifti.set_qform(affine, 1)
        nifti.set_sform(affine, 1)
        nifti.header.set_xyzt_units("mm", "sec")
        if name == "warp":
            nifti.header.set_intent("vector")
        nib.save(nifti, folder / "whole.nii")
        found[name] = ((folder / "whole.nii").read_bytes(), grid, reader)
    return found


def _series(path: Path, grid: Grid) -> Opened:
    """Read a series to its end; one that lies elsewhere than `grid` is refused."""
    series = SeriesFile(path, Image(np.zeros(grid.shape, np.uint8), grid))
    for _ in series.voxels(np.array([[1, 1, 1]])):
        pass
    return open_nifti(path, "series")


def outcome(path: Path, grid: Grid, reader: Reader) -> str:
    """Read a file; return which of :data:`OUTCOMES` it is."""
    try:
        with contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = reader(path)
    except RootletsError:
        return "refused"
    except Exception as error:  # noqa: BLE001 (whatever it is, it is what is looked for)
        return f"crash: {type(error).__name__}: {error}"[:120]
    if found.remarks:
        return "said"
    return "the same place" if grid.matches(found.grid) else "silent"


def in_process(count: int, seed: int, folder: Path) -> dict[str, collections.Counter[str]]:
    """Give `count` damaged files to the readers in turn; return what became of them."""
    rng = np.random.default_rng(seed)
    kinds = examples(folder)
    names = list(kinds)
    found: dict[str, collections.Counter[str]] = {n: collections.Counter() for n in names}
    for index in range(count):
        name = names[index % len(names)]
        raw, grid, reader = kinds[name]
        wrong = damaged(raw, rng)
        path = folder / ("x.nii" if index % 3 else "x.nii.gz")
        path.write_bytes(wrong if index % 3 else gzip.compress(wrong, 1))
        found[name][outcome(path, grid, reader)] += 1
    return found


def through_commands(count: int, seed: int, folder: Path) -> dict[str, collections.Counter[str]]:
    """Run `levels`, `map` and `perlevel` on a phantom, one input damaged at a time.

    A table that differs from that of the whole files without a warning about the damaged one is
    ``silent``.
    """
    rng = np.random.default_rng(seed)
    run(f"phantom -seed 7 -spacing 1.2 -fov 40,60,120 -o {folder / 'whole'} -v 0")
    inputs_of_levels = []
    for kind in ("rootlets_dseg", "SC_seg", "discs_dlabel"):
        (packed,) = (folder / "whole").glob(f"*_label-{kind}.nii.gz")
        inputs_of_levels.append(folder / f"{kind}.nii")
        inputs_of_levels[-1].write_bytes(gzip.decompress(packed.read_bytes()))
    r, s, d = inputs_of_levels
    levels = folder / "levels.nii"
    run(f"levels -i {r} -s {s} -discs {d} -o {levels} -v 0")
    words = {
        "levels": (f"levels -i {r} -s {s} -discs {d} -o OUT/x.nii", (r, s, d), "x.tsv"),
        "map": (f"map -i {levels} -d {s} -o OUT/x.nii", (levels, s), "x_slices.tsv"),
        "perlevel": (f"perlevel -i {s} -levels {levels} -o OUT/x.tsv", (levels, s), "x.tsv"),
    }
    right, grids = {}, {path: load_grid(path) for path in (levels, r, s, d)}
    for command, (text, _, table) in words.items():
        (folder / command).mkdir()
        status, said = run(text.replace("OUT", str(folder / command)))
        assert status == 0, said
        right[command] = (folder / command / table).read_text()
    found: dict[str, collections.Counter[str]] = {c: collections.Counter() for c in words}
    for index in range(count):
        command = list(words)[index % len(words)]
        text, inputs, table = words[command]
        target = inputs[int(rng.integers(len(inputs)))]
        kept = target.read_bytes()
        target.write_bytes(damaged(kept, rng))
        with tempfile.TemporaryDirectory() as out:
            status, said = run(text.replace("OUT", out))
            moved = not status and not load_grid(target).matches(grids[target])
            target.write_bytes(kept)
            if "Traceback" in said or "unexpected" in said or status not in (0, 1, 2):
                result = f"crash: {said[-100:]}"
            elif status:
                result = "refused"
            elif f"{target.name} (" in said:
                result = "said"
            else:
                # A table may differ in its last digit by what is rounding of a grid.
                same = (Path(out) / table).read_text() == right[command]
                result = "silent" if moved and not same else "the same place"
        found[command][result] += 1
    return found


def run(words: str) -> tuple[int, str]:
    """Run a command in this process; return its status and what it said."""
    from sct_rootlets.cli.main import main as command

    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
        try:
            status = command(words.split())
        except SystemExit as exited:  # of argparse
            status = int(exited.code or 0)
        except Exception as error:  # noqa: BLE001 (whatever it is, it is what is looked for)
            return 3, f"Traceback: {error}"
    return status, " ".join(said.getvalue().split())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=10_000, help="damaged headers, in process")
    parser.add_argument("-commands", type=int, default=300, help="... and through commands")
    parser.add_argument("-seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        readers = in_process(arguments.n, arguments.seed, Path(folder))
        commands = through_commands(arguments.commands, arguments.seed, Path(folder))
    for found in (readers, commands):
        total: collections.Counter[str] = collections.Counter()
        for name, counts in found.items():
            print(f"{name:14}", dict(counts))
            total += counts
        print(f"{'all':14}", dict(total))


if __name__ == "__main__":
    main()
