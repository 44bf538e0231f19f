"""Converted networks on disk, so that a later run starts without torch.

One folder a model folder, named by the hash of what it was made from, the configuration, and
the release of OpenVINO that made it::

    <cache>/<hash>-<configuration>-<release>/
        facts.json         what checkpoints say besides weights, and the hashes of the rest
        <fold>.xml, .bin
        <fold>.mixed.xml   the same with marks, for the same .bin

A folder is written beside its place and moved there whole, so that processes that make the
same one at a time do no harm. What lies there is compared with its hashes before use: what
is not as it was written is made again.
"""

from __future__ import annotations

import json
import logging
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from sct_rootlets.checkpoint import NoArrays, read_arrays
from sct_rootlets.engines.networks.openvino_convert import convert
from sct_rootlets.engines.networks.openvino_graph import write_plain_unet
from sct_rootlets.engines.networks.openvino_network import OpenVINONetwork, import_openvino
from sct_rootlets.engines.networks.runtime import has_plain_trainer
from sct_rootlets.engines.networks.torch_network import Facts, build_modules
from sct_rootlets.engines.networks.unet import plain_unet
from sct_rootlets.errors import ModelError
from sct_rootlets.files.hashing import file_sha256
from sct_rootlets.files.json_files import object_if_readable
from sct_rootlets.model_folder import read_model_folder

__all__ = ["ConvertedNetworks", "converted"]

logger = logging.getLogger(__name__)

_FORMAT = 3
_FACTS = "facts.json"


class ConvertedNetworks:
    """The networks of a model in OpenVINO's form.

    Attributes
    ----------
    facts : Facts
    folder : Path
    """

    def __init__(self, folder: Path, facts: Facts) -> None:
        self.folder = folder
        self.facts = facts

    def networks(self, precision: str, threads: int | None) -> list[OpenVINONetwork]:
        """Load the networks, one a fold, at a precision."""
        return [
            OpenVINONetwork(self.folder / f"{fold}.xml", precision, threads)
            for fold in self.facts.folds
        ]


@contextmanager
def converted(
    folder: Path, sha256: str, cache: Path | None, shared: Sequence[Path] = ()
) -> Iterator[ConvertedNetworks]:
    """Give the converted networks of a model folder; make and keep them where there are none.

    Parameters
    ----------
    folder : Path
        nnU-Net model folder.
    sha256 : str
        Hash of what inference reads of it.
    cache : Path or None
        Where converted networks are kept; made if missing. Where it is None or cannot be
        written to, they last as long as the context.
    shared : sequence of Path
        Further folders of converted networks, which are searched first and only read.

    Raises
    ------
    ModelError, MissingDependencyError
        If the networks cannot be built or converted.
    UnsupportedPlan
        If only nnU-Net's own predictor runs the model.
    """
    release = re.sub(r"[^0-9A-Za-z.]+", "-", import_openvino().version).split("-")[0]
    # The two folders of a compact model have one hash.
    configuration = re.sub(r"[^0-9A-Za-z_]+", "-", folder.name.rpartition("__")[2])
    name = f"{sha256[:32]}-{configuration[:40]}-{release}"
    for kept in (*shared, *([] if cache is None else [cache])):
        if (facts := _read(kept / name)) is not None:
            yield ConvertedNetworks(kept / name, facts)
            return
    place = None if cache is None else cache / name
    made = _staging(cache)
    try:
        facts = _written(folder, made) or _made_apart(folder, made) or _make(folder, made)
        if place is not None and made.parent == place.parent:
            made = _moved(made, place)
        yield ConvertedNetworks(made, facts)
    finally:
        if made != place:
            shutil.rmtree(made, ignore_errors=True)


def _staging(cache: Path | None) -> Path:
    """Return a new folder in the cache, or a temporary one where that cannot be."""
    if cache is not None:
        try:
            cache.mkdir(parents=True, exist_ok=True)
            # Not by tempfile, which makes folders that nobody else may read.
            made = cache / f".new-{os.getpid()}-{secrets.token_hex(8)}"
            made.mkdir()
            return made
        except OSError as error:
            logger.info("converted networks cannot be kept in %s (%s)", cache, error)
    return Path(tempfile.mkdtemp(prefix="sct_rootlets-"))


def _written(folder: Path, target: Path) -> Facts | None:
    """Write the files from the weights as they are: a matter of a second, without torch.

    Returns None, and leaves nothing that the other ways would not replace, where a network is
    no plain U-Net or anything about it is unusual: they say what is wrong with it, if it is
    wrong.

    Raises
    ------
    ModelError, UnsupportedPlan
        If nothing here runs the model, whichever way it is converted.
    """
    model = read_model_folder(folder)
    try:
        checkpoints = [read_arrays(path) for path in model.folds.used]
    except (ModelError, NoArrays) as error:
        logger.debug("its checkpoints cannot be read as arrays (%s)", error)
        return None
    facts = Facts.of(checkpoints, model)
    plan = model.plan(facts.configuration)
    if not has_plain_trainer(checkpoints[0]["trainer_name"]):
        return None
    unet = plain_unet(plan)
    if unet is None or not unet.fits(plan.patch):
        return None
    try:
        for checkpoint, fold in zip(checkpoints, facts.folds, strict=True):
            weights = unet.weights_of(checkpoint["network_weights"])
            if weights is None:
                return None
            write_plain_unet(unet, weights, plan.patch, target / f"{fold}.xml")
    except RuntimeError as error:
        logger.debug("its networks cannot be written as they are (%s)", error)
        return None
    _write_facts(facts, target)
    return facts


def _made_apart(folder: Path, target: Path) -> Facts | None:
    """Make the files in a process of its own, so that torch and its memory leave with it.

    Returns None where that fails, for whatever reason: making them here then says which.
    """
    command = [sys.executable, "-m", __name__, os.fspath(folder.resolve()), os.fspath(target)]
    search = os.pathsep.join(filter(None, sys.path))
    try:
        subprocess.run(
            command,
            check=True,
            capture_output=True,
            env={**os.environ, "PYTHONPATH": search},
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError) as error:
        logger.debug("converting in a process of its own failed (%s)", error)
        return None
    return _read(target)


def _make(folder: Path, target: Path) -> Facts:
    modules, facts = build_modules(folder)
    patch = read_model_folder(folder).plan(facts.configuration).patch
    for module, fold in zip(modules, facts.folds, strict=True):
        convert(module, patch, target / f"{fold}.xml")
    _write_facts(facts, target)
    return facts


def _write_facts(facts: Facts, target: Path) -> None:
    content = {
        "format": _FORMAT,
        **asdict(facts),
        "sha256": {path.name: file_sha256(path) for path in sorted(target.iterdir())},
    }
    (target / _FACTS).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _moved(made: Path, place: Path) -> Path:
    """Move a finished folder to its place, or leave it to who was faster."""
    try:
        os.replace(made, place)
    except OSError:
        if _read(place) is not None:
            return made
        shutil.rmtree(place, ignore_errors=True)  # damaged, or half removed
        try:
            os.replace(made, place)
        except OSError:
            return made
    return place


def _read(place: Path) -> Facts | None:
    """Return the facts of a whole and unchanged folder, else None."""
    try:
        content = object_if_readable(place / _FACTS)
        if content["format"] != _FORMAT:
            return None
        for name, expected in content["sha256"].items():
            if Path(name).name != name or file_sha256(place / name) != expected:
                logger.warning("%s is damaged and is made again", place / name)
                return None
        facts = Facts(
            str(content["configuration"]),
            tuple(int(axis) for axis in content["mirror_axes"]),
            tuple(str(fold) for fold in content["folds"]),
        )
        return facts if all(f"{fold}.xml" in content["sha256"] for fold in facts.folds) else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


if __name__ == "__main__":
    _make(Path(sys.argv[1]), Path(sys.argv[2]))
