"""Files on disk through the whole pipeline with the bundled model itself."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from nibabel.orientations import axcodes2ornt, io_orientation, ornt_transform
from numpy.typing import NDArray

from sct_rootlets import metrics, pipeline
from sct_rootlets.engines import Engine
from sct_rootlets.engines.networks.openvino_network import OpenVINONetwork
from sct_rootlets.image import save
from sct_rootlets.levels import LevelTable
from sct_rootlets.phantom import (
    Acquisition,
    Anatomy,
    Phantom,
    make_grid,
    random_anatomy,
    render,
    true_levels,
)
from sct_rootlets.pipeline import network
from tests.orientations import LETTERS

pytest.importorskip("torch", reason="prediction needs the extra 'standalone'")
pytest.importorskip("nnunetv2", reason="prediction needs the extra 'standalone'")
pytest.importorskip("openvino", reason="prediction on a CPU needs the extra 'standalone'")


def _numbers(table: LevelTable) -> NDArray[np.float64]:
    """Return borders along the cord and in the world, (levels, 5); NaN where unknown."""
    lost = (np.nan, np.nan, np.nan)
    return np.array(
        [
            (row.rostral_mm or np.nan, row.caudal_mm or np.nan, *(row.caudal_world or lost))
            for row in table.rows
        ]
    )


def _files(phantom: Phantom, folder: Path) -> tuple[Path, Path]:
    image, discs = folder / "t2.nii.gz", folder / "t2_discs.nii.gz"
    save(phantom.image, image)
    save(phantom.discs, discs)
    return image, discs


@pytest.fixture
def remembered(monkeypatch: pytest.MonkeyPatch) -> dict[bytes, NDArray[np.float32]]:
    """Load an engine once, and have it answer from memory what it was asked before, to the bit."""
    engines: list[Engine] = []
    load = network.load_engine

    def once(*given: Any, **options: Any) -> Engine:
        if not engines:
            engines.append(load(*given, **options))
        return engines[0]

    monkeypatch.setattr(network, "load_engine", once)
    answers: dict[bytes, NDArray[np.float32]] = {}
    ask = OpenVINONetwork.scores

    def scores(asked: OpenVINONetwork, tiles: NDArray[np.float32]) -> NDArray[np.float32]:
        # The two networks see tiles of different shapes.
        key = hashlib.sha256(repr(tiles.shape).encode() + tiles.tobytes()).digest()
        if key not in answers:
            answers[key] = np.array(ask(asked, tiles))
        return answers[key].copy()

    monkeypatch.setattr(OpenVINONetwork, "scores", scores)
    return answers


@pytest.mark.slow
def test_orientations_of_one_file_give_the_same_levels(
    anatomy: Anatomy, tmp_path: Path, remembered: dict[bytes, NDArray[np.float32]]
) -> None:
    grid = make_grid(anatomy, (1.0, 1.0, 1.0), field_of_view_mm=(34.0, 38.0, 52.0))
    originals = [nib.load(file) for file in _files(render(anatomy, grid), tmp_path)]
    tables, tiles = {}, set()
    for letters in LETTERS:
        files = []
        for original, name in zip(originals, ("t2", "t2_discs"), strict=True):
            turn = ornt_transform(io_orientation(original.affine), axcodes2ornt(letters))
            files.append(tmp_path / f"{name}_{letters}.nii.gz")
            original.as_reoriented(turn).to_filename(files[-1])
        result = pipeline.run(
            files[0],
            landmarks=pipeline.Landmarks(files[1]),
            settings=pipeline.Settings(threads=1, engine="openvino"),
        )
        tables[letters] = _numbers(result.derived.table)
        tiles.add(len(remembered))
    assert len(tiles) == 1, "the network saw other voxels in some orientations"
    reference = tables["RAS"]
    assert np.isfinite(reference[:, 1]).sum() >= 3
    for letters, table in tables.items():  # files keep the affine in single precision
        np.testing.assert_allclose(table, reference, atol=1e-4, err_msg=letters)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("orientation", "spacing_mm", "oblique_deg"),
    [("PIR", (1.8, 0.8, 0.8), 0.0), ("RPI", (0.9, 0.9, 2.0), 18.0)],
    ids=["sagittal slices of 1.8 mm", "axial slices of 2 mm, oblique by 18 degrees"],
)
def test_levels_of_an_unseen_phantom(
    orientation: str, spacing_mm: tuple[float, float, float], oblique_deg: float, tmp_path: Path
) -> None:
    anatomy = random_anatomy(21)
    grid = make_grid(
        anatomy, spacing_mm, orientation_sct=orientation, oblique_deg=oblique_deg,
        field_of_view_mm=(36.0, 48.0, 120.0),
    )  # fmt: skip
    image, discs = _files(render(anatomy, grid, Acquisition(seed=21)), tmp_path)
    derived = pipeline.run(image, landmarks=pipeline.Landmarks(discs)).derived
    errors = metrics.border_errors(
        derived.table,
        metrics.truth_on(derived.centerline, true_levels(anatomy).borders_world("caudal")),
    )
    assert errors.missing == 0
    assert errors.median_mm <= 1.5
    assert errors.max_mm <= 5.0
