"""The parts of :mod:`benchmarks.inference`: each measures, and keeps every result at once."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.agreement import compare, near
from benchmarks.big_model import (
    FULL,
    LARGE,
    TINY,
    TINY_LARGE,
    TINY_USUAL,
    USUAL,
    TestImage,
    write_image,
    write_model,
)
from benchmarks.kept import Kept
from benchmarks.peers import MIXED, TILES, Job, Method, measured, variant_name, variants
from benchmarks.phantom_masks import PROOF

__all__ = [
    "DATA",
    "Bench",
    "measure_agreement",
    "measure_machine",
    "measure_memory",
    "measure_speed",
    "measure_start",
]

#: Real images for the agreement: name, image and cord mask below the folder ``-data``.
DATA = (
    ("subject_t2", "subject_t2/t2.nii.gz", "subject_t2/t2_seg-manual.nii.gz"),
    ("pam50_small", "pam50_small/PAM50_small_t2.nii.gz", "pam50_small/PAM50_small_cord.nii.gz"),
)
#: Spacings of the phantoms for the agreement, in turn, and their first seed.
PHANTOM_SPACINGS_MM = ((0.8, 0.8, 0.8), (1.0, 1.0, 1.0), (0.6, 0.6, 1.2))
PHANTOM_SEED = PROOF + 20
#: Fresh processes with a warm cache, for the start.
STARTS = 3
#: Whose answer the others are compared with: the engine ``nnunet``, and where only peers ran,
#: nnU-Net itself.
REFERENCES = ("nnunet", "upstream")


@dataclass(frozen=True)
class Bench:
    """What is measured, with what, and where it goes; see the options of the command."""

    folder: Path
    kept: Kept
    methods: Sequence[Method]
    threads: int
    turns: int
    quick: bool
    phantoms: int
    data: Path
    models: Sequence[Path]
    speed_model: Path | None

    def timed_model(self) -> Path:
        """Return the folder of the model that is timed; write it where it is missing."""
        if self.speed_model is not None:
            return self.speed_model
        folder = self.folder / "models" / ("tiny" if self.quick else "full")
        if not any(folder.glob("nnUNetTrainer*/fold_*/checkpoint_final.pth")):
            write_model(folder, TINY if self.quick else FULL)
        return folder

    def image(self, size: str) -> tuple[TestImage, dict[str, Path]]:
        """Return the ``"usual"`` or the ``"large"`` test image and its files."""
        images = (TINY_USUAL, TINY_LARGE) if self.quick else (USUAL, LARGE)
        image = images[size == "large"]
        return image, write_image(self.folder / "images", image)

    def log(self, part: str, key: str) -> Path:
        """Return the file for what a measured command prints."""
        return self.folder / "logs" / part / f"{key.replace('/', '-')}.txt"

    def done(self, part: str, key: str) -> bool:
        """Say whether there is a result already that is no failure."""
        record = self.kept.get(part, key)
        return record is not None and "failed" not in record

    def run(
        self, part: str, key: str, command: Sequence[str], home: Path | None = None, **more: Any
    ) -> dict[str, Any]:
        """Measure a command, keep and print the result."""
        environment = {"SCT_ROOTLETS_OFFLINE": "1"}
        if home is not None:
            environment["SCT_ROOTLETS_HOME"] = str(home)
        record = measured(command, self.threads, self.log(part, key), environment)
        self.kept.put(part, key, {**record, **more})
        if "failed" in record:
            print(f"  {key}: failed, {record['failed']}", flush=True)
        else:
            print(
                f"  {key}: {record['wall_s']:.1f} s, CPU {record['cpu_s']:.1f} s, "
                f"{record['peak_gb']:.2f} GB",
                flush=True,
            )
        return record


def measure_machine(bench: Bench) -> None:
    """Measure the rates of the machine, and count the work of the model's tiles."""
    from benchmarks import operations

    command = [sys.executable, "-m", "benchmarks.machine", str(bench.threads)]
    bench.run("machine", "peaks", command)
    (folder,) = bench.timed_model().glob("nnUNetTrainer*")
    plans = json.loads((folder / "plans.json").read_text(encoding="utf-8"))
    labels = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))["labels"]
    chosen = plans["configurations"]["3d_fullres"]
    tile = operations.of_model(plans, len(labels))
    image, _ = bench.image("usual")
    work = {**vars(tile), "patch_zyx": chosen["patch_size"]}
    work["tiles"] = operations.whole_tiles(
        image.shape[::-1], (image.spacing_mm,) * 3, chosen["spacing"], chosen["patch_size"]
    )
    bench.kept.put("machine", "work", work)


def _time(bench: Bench, part: str, size: str, turns: int) -> None:
    """Run all methods on an image, in turns; ours first once with nothing compiled."""
    image, paths = bench.image(size)
    for turn in range(turns):
        for method in bench.methods:
            job = Job(
                bench.timed_model(),
                paths["image"],
                paths["cord"],
                _output(bench, part, method),
                bench.threads,
            )
            home = bench.folder / "homes" / part / method.name
            keys = [f"{method.name}/{turn}"]
            if method.engine and turn == 0:
                keys.insert(0, f"{method.name}/first")
            for key in keys:
                if bench.done(part, key):
                    continue
                if key.endswith("/first"):
                    shutil.rmtree(home, ignore_errors=True)
                shutil.rmtree(job.output.parent, ignore_errors=True)
                job.output.parent.mkdir(parents=True)
                more = {"shape": image.shape, "title": method.title}
                record = bench.run(part, key, method.command(job), home, **more)
                if "failed" in record and key.endswith("/first"):
                    bench.kept.put(part, f"{method.name}/{turn}", {**record, **more})
                    break  # it will not do better the next time
    _compare_outputs(bench, part, size)


def _output(bench: Bench, part: str, method: Method) -> Path:
    return bench.folder / "outputs" / part / method.name / "rootlets.nii.gz"


def _compare_outputs(bench: Bench, part: str, size: str) -> None:
    """Compare what the timed commands wrote; on a random model this is a worst case."""
    from sct_rootlets.image import load_labels, load_mask

    outputs = {method: _output(bench, part, method) for method in bench.methods}
    present = {method: path for method, path in outputs.items() if path.exists()}
    named = {m.name: path for m, path in present.items()}
    reference = next((name for name in REFERENCES if name in named), None)
    if reference is None:
        return
    cord = load_mask(bench.image(size)[1]["cord"])
    region = near(cord.data, cord.grid.spacing_mm)
    expected = load_labels(named[reference]).data
    for method, path in present.items():
        if method.name != reference:
            found = compare(load_labels(path).data, expected, region)
            record = {**found.as_json(), "title": method.title, "reference": reference}
            bench.kept.put(part, f"{method.name}/agreement", record)


def measure_speed(bench: Bench) -> None:
    """Time all methods on the usual image."""
    _time(bench, "speed", "usual", bench.turns)


def measure_memory(bench: Bench) -> None:
    """Run all methods once on the large image."""
    _time(bench, "memory", "large", 1)


def _engine_command(bench: Bench, **asked: Any) -> list[str]:
    plain = {key: str(v) if isinstance(v, Path) else v for key, v in asked.items()}
    plain["threads"] = bench.threads
    return [sys.executable, "-m", "benchmarks.engine_run", json.dumps(plain)]


def _ours(bench: Bench) -> list[Method]:
    return [method for method in bench.methods if method.engine]


def measure_start(bench: Bench) -> None:
    """Measure the time from the start of a process to an engine's first tile."""
    _, paths = bench.image("usual")
    (model,) = bench.timed_model().glob("nnUNetTrainer*")
    for turn in ("first", *map(str, range(1 if bench.quick else STARTS))):
        for method in _ours(bench):
            key = f"{method.name}/{turn}"
            if bench.done("start", key):
                continue
            cache = bench.folder / "caches" / method.name
            if turn == "first":
                shutil.rmtree(cache, ignore_errors=True)
            cache.mkdir(parents=True, exist_ok=True)
            command = _engine_command(
                bench,
                model=model,
                image=paths["image"],
                cord=paths["cord"] if method.confined else None,
                engine=method.engine,
                fast=method.fast,
                precision=method.precision,
                cache=cache,
                until_first_tile=TILES,
            )
            bench.run("start", key, command, title=method.title)


def measure_agreement(bench: Bench) -> None:
    """Compare every engine with the engine ``nnunet`` on trained models."""
    from sct_rootlets.image import load_labels, load_mask

    images = _agreement_images(bench)
    chosen = {"nnunet", *(method.name for method in bench.methods)}
    ways = [(variant_name(*way), *way, "") for way in variants()]
    # No option asks for mixed precision: a trial chooses it.
    ways += [(MIXED, "openvino", False, False, "mixed")]
    for model_name, model in _trained_models(bench):
        for image_name, image, cord in images:
            outputs = bench.folder / "outputs" / "agreement" / model_name / image_name
            outputs.mkdir(parents=True, exist_ok=True)
            region = None
            if cord is not None:
                mask = load_mask(cord)
                region = near(mask.data, mask.grid.spacing_mm)
            for name, engine, fast, confined, precision in ways:
                if name not in chosen or (confined and cord is None):
                    continue
                key = f"{model_name}/{image_name}/{name}"
                output = outputs / f"{name}.nii.gz"
                more = {"model": model_name, "image": image_name, "method": name}
                if not (bench.done("agreement", key) and output.exists()):
                    output.unlink(missing_ok=True)
                    command = _engine_command(
                        bench,
                        model=model,
                        image=image,
                        cord=cord if confined else None,
                        engine=engine,
                        fast=fast,
                        precision=precision,
                        cache=bench.folder / "caches" / f"agreement-{model_name}",
                        output=output,
                    )
                    bench.run("agreement", key, command, **more)
                record = bench.kept.get("agreement", key) or {}
                reference = outputs / "nnunet.nii.gz"
                if name != "nnunet" and output.exists() and reference.exists():
                    found = compare(load_labels(output).data, load_labels(reference).data, region)
                    bench.kept.put("agreement", key, {**record, **found.as_json()})


def _trained_models(bench: Bench) -> list[tuple[str, Path]]:
    """Return names and folders of the models for the agreement.

    The fine stage of the bundled model, without our own key in its dataset.json, is an
    ordinary nnU-Net model.
    """
    from sct_rootlets.store import locate

    source = locate("bundled").folder
    fine = bench.folder / "models" / "bundled-fine" / source.name
    shutil.rmtree(fine, ignore_errors=True)
    shutil.copytree(source, fine)
    dataset = json.loads((source / "dataset.json").read_text(encoding="utf-8"))
    dataset.pop("sct_rootlets", None)
    (fine / "dataset.json").write_text(json.dumps(dataset), encoding="utf-8")
    return [("bundled", fine), *((path.name, path) for path in bench.models)]


def _agreement_images(bench: Bench) -> list[tuple[str, Path, Path | None]]:
    """Return name, image and cord mask of every image; absence is printed."""
    from sct_rootlets import phantom

    found: list[tuple[str, Path, Path | None]] = []
    for n in range(bench.phantoms):
        folder = bench.folder / "images" / f"phantom-{n}"
        if not (folder / "whole").exists():
            spacing = PHANTOM_SPACINGS_MM[n % len(PHANTOM_SPACINGS_MM)]
            narrow = {"field_of_view_mm": (36.0, 72.0, 176.0)} if bench.quick else {}
            phantom.write(folder, PHANTOM_SEED + n, spacing_mm=spacing, **narrow)
            (folder / "whole").touch()
        (image,) = folder.glob("*_T2w.nii.gz")
        (cord,) = folder.glob("*SC_seg.nii.gz")
        found.append((folder.name, image, cord))
    if bench.quick:
        return found
    for name, image_path, cord_path in DATA:
        image, cord = bench.data / image_path, bench.data / cord_path
        if image.exists():
            found.append((name, image, cord if cord.exists() else None))
        else:
            print(f"  {name} is not measured: there is no {image}", flush=True)
    return found
