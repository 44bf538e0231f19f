"""The smaller parts of the benchmark: tubes, orientations, tables, the population."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import phantoms, population
from benchmarks.analytic import CURVES, RADIUS_MM, fit_error, tube
from benchmarks.invariance import stored
from benchmarks.phantom_tables import coverage_table, summary
from benchmarks.phantoms import Result, strata
from benchmarks.report import filled, markdown, spread
from benchmarks.scoring import BorderRecord, Run
from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.image import Grid, LabelImage


@pytest.mark.parametrize("name", CURVES)
def test_a_tube_has_its_volume(name: str) -> None:
    curve = CURVES[name]
    for spacing, oblique in (((1.0, 1.0, 1.0), 0.0), ((0.8, 0.8, 2.4), 20.0)):
        mask = tube(curve, spacing, oblique)
        volume = mask.data.sum() * mask.grid.voxel_volume_mm3
        assert volume == pytest.approx(np.pi * RADIUS_MM**2 * curve.s_mm[-1], rel=0.02)


def test_errors_of_a_centerline_are_seen() -> None:
    curve = CURVES["straight"]
    mask = tube(curve, (1.0, 1.0, 1.0))
    assert fit_error(mask, curve).position_max < 0.2
    moved = mask.grid.affine.copy()
    across = np.cross(curve.tangent[0], [0.0, 1.0, 0.0])
    moved[:3, 3] += 1.5 * across / np.linalg.norm(across) - 2.0 * curve.tangent[0]
    off = fit_error(LabelImage(mask.data, Grid(mask.grid.shape, moved)), curve)
    assert off.position_rms == pytest.approx(1.5, abs=0.05)
    assert off.origin == pytest.approx(-2.0, abs=0.2)
    assert off.length_max < 0.05


def test_48_orientations_of_one_image() -> None:
    data = np.zeros((3, 4, 5), np.int32)
    data[1, 2, 3] = 7
    affine = np.array([[0.8, 0.1, 0, 3], [-0.1, 0.8, 0, 5], [0, 0, 2.0, 7], [0, 0, 0, 1.0]])
    image = LabelImage(data, Grid((3, 4, 5), affine))
    twins = list(stored(image))
    assert len({twin.grid.affine.tobytes() for twin in twins}) == 48
    for twin in twins:
        np.testing.assert_allclose(twin.points_world(7), image.points_world(7))


def test_spread() -> None:
    assert spread([]) == "-"
    assert spread([-1.0, 1.0, 1.0, -3.0]) == "1.00 / 2.70 / 3.00"


def test_tables_are_put_in_their_place() -> None:
    text = "a\n<!-- table: one -->\nold\n<!-- end -->\nb\n<!-- table: two -->\nkept\n<!-- end -->\n"
    once = filled(text, {"one": markdown(["x"], [["1"]])})
    assert "old" not in once
    assert "| 1 |" in once
    assert "kept" in once
    assert filled(once, {"one": markdown(["x"], [["1"]])}) == once


def _result(voxels: float, records: list[BorderRecord], **events: int) -> Result:
    from benchmarks.phantom_masks import Recipe

    recipe = Recipe(1, (voxels,) * 3, "RPI", 0.0, 0.0, 1.0, (0.0, 180.0), False)
    run = Run("sct_rootlets", "caudal", records, 8, **events)
    return Result(recipe, "degraded", {"5": 0.6, "6": 0.7}, 0.95, 1.0, [run])


def test_tables_of_known_results() -> None:
    records = [BorderRecord("C5", "caudal", "measured", error, 1.0) for error in (0.5, -1.5)]
    records.append(BorderRecord("C6", "caudal", "interpolated", 5.0, 2.0))
    results = [_result(0.8, records, swaps=1), _result(1.0, records[:1])]
    values, tables = summary(results, "degraded")
    assert values["caudal"]["all"]["sct_rootlets"]["borders"] == 3
    assert values["caudal"]["all"]["sct_rootlets"]["max_mm"] == 1.5
    assert "| 16 | 0 (0.0 %) | 0 | 0 | 1 | 0 |" in tables["events-degraded-caudal"]
    assert "0.650" in tables["dice"]
    certain = _result(0.8, [BorderRecord("C5", "caudal", "measured", 0.5)])
    assert coverage_table([certain], "caudal") == "not measured\n"
    lines = coverage_table(results, "caudal").splitlines()
    assert lines[2] == "| all | 4 | 50.0 | 75.0 | 1.00 |"
    assert lines[3] == "| measured | 3 | 66.7 | 100.0 | 1.00 |"
    assert [name for name, _ in strata(results)] == ["all", "0.8 mm, whole", "1 mm, whole"]


def test_a_run_goes_on_where_it_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured = []

    def fake(seed: int, conditions: list[str], cache: Path | None) -> list[str]:
        measured.append(seed)
        raw = vars(_result(0.8, []).recipe) | {"seed": seed}
        line = {"recipe": raw, "condition": "perfect", "dice": {}, "cord_dice": 1.0}
        return [json.dumps(line | {"seconds": 0.1, "runs": []})]

    monkeypatch.setattr(phantoms, "measure", fake)
    store = tmp_path / "results.jsonl"

    def quiet(text: str) -> None:
        assert "phantoms" in text

    phantoms.run([1, 2], store, ("perfect",), say=quiet)
    results = phantoms.run([1, 2, 3], store, ("perfect",), resume=True, say=quiet)
    assert measured == [1, 2, 3]
    assert [r.recipe.seed for r in results] == [1, 2, 3]
    assert results[0].recipe.spacing_mm == (0.8, 0.8, 0.8)


def test_the_population_is_that_of_the_facts(shared_data: Path) -> None:
    values, tables = population.measure(shared_data)
    assert values["C5"]["mid"] == pytest.approx([86.5, 4.6], abs=0.05)
    assert values["C3"]["caudal-to-caudal to next"] == pytest.approx([14.9, 1.7], abs=0.06)
    assert len(population.read_subjects(shared_data)) == 14
    assert values["left out all"]["mean_abs"] < 1.5
    assert tables["interpolation"].count("\n") == 8


def test_a_level_in_the_middle_is_interpolated_there() -> None:
    from sct_rootlets.levels.population.reference_data import COHORT_ZONES_MM

    zones = {level: ends for level, ends in COHORT_ZONES_MM.items() if level is not SpinalLevel.C6}
    middle, _ = population.interpolated(zones, SpinalLevel.C6)
    assert middle == pytest.approx(sum(COHORT_ZONES_MM[SpinalLevel.C6]) / 2, abs=0.3)
