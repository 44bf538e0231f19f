"""Borders from tables of levels on one curve."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from sct_rootlets import evaluation
from sct_rootlets.errors import InputError, UsageError
from tests.evaluation.planted import SPACING, Planted


@pytest.fixture(scope="module")
def tables(planted: Planted) -> dict[str, Path]:
    """Derive tables of the reference and of the shifted one, along cords cut differently."""
    from sct_rootlets.pipeline import levels

    # Another rostral end: 0 mm lies elsewhere in the two tables.
    shorter = np.array(planted.cord)
    shorter[:, :, 92:] = 0
    cords = {"truth": planted.folder / "cord.nii.gz", "shifted": planted.write("short", shorter)}
    paths = {}
    for name, cord in cords.items():
        result = levels(planted.folder / f"{name}.nii.gz", cord)
        result.write(planted.folder / f"{name}_levels.nii.gz")
        paths[name] = planted.folder / f"{name}_levels.tsv"
    return paths


@pytest.mark.parametrize("cord", [False, True])
def test_tables_are_compared_on_one_curve(
    planted: Planted, tables: dict[str, Path], cord: bool
) -> None:
    folder = planted.folder
    result = evaluation.evaluate_pair(
        folder / "shifted.nii.gz",
        folder / "truth.nii.gz",
        tables=(tables["shifted"], tables["truth"]),
        cord=folder / "cord.nii.gz" if cord else None,
    )
    errors = result.border_errors_mm("midpoint")
    assert len(errors) >= 2
    np.testing.assert_allclose(errors, 2 * SPACING[2], atol=0.15)
    if not cord:  # the curve starts at the first border of the reference
        assert min(row.truth_mm for row in result.borders) == pytest.approx(0, abs=1e-6)


def test_tables_of_different_definitions_are_refused(
    planted: Planted, tables: dict[str, Path], tmp_path: Path
) -> None:
    content = json.loads(tables["shifted"].with_suffix(".json").read_text())
    assert content["definition"] == "caudal"
    (tmp_path / "other.json").write_text(json.dumps({**content, "definition": "extent"}))
    (tmp_path / "other.tsv").write_text(tables["shifted"].read_text())
    with pytest.raises(UsageError, match="definition"):
        evaluation.evaluate_pair(
            planted.folder / "shifted.nii.gz",
            planted.folder / "truth.nii.gz",
            tables=(tmp_path / "other.tsv", tables["truth"]),
        )


def test_what_is_no_table_is_refused(planted: Planted, tables: dict[str, Path]) -> None:
    pair = (planted.folder / "shifted.nii.gz", planted.folder / "truth.nii.gz")
    with pytest.raises(InputError, match="is compressed by gzip"):
        evaluation.evaluate_pair(*pair, tables=(pair[0], tables["truth"]))
    text = planted.folder / "text.tsv"
    text.write_text("a\tb\n1\t2\n")
    with pytest.raises(InputError, match="no table of levels"):
        evaluation.evaluate_pair(*pair, tables=(text, tables["truth"]))
    text.unlink()
