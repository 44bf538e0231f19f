"""What is written: tables with the columns that their JSON describes, figures, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from sct_rootlets.errors import UsageError
from sct_rootlets.variability import analyse, simulate, write
from sct_rootlets.variability.analysis import Variability
from sct_rootlets.variability.simulate import Design
from sct_rootlets.variability.study import Scan, Study, read_study
from tests.variability.studies import C5, table_of, write_table


@pytest.fixture(scope="module")
def found() -> Variability:
    return analyse(simulate(Design(3, 3, 2), seed=8), n_resamples=100)


@pytest.fixture(scope="module")
def files(found: Variability, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Write the analysis; no test may change its files."""
    return write(found, tmp_path_factory.mktemp("written") / "a" / "x.tsv")


def rows(path: Path) -> list[dict[str, str]]:
    lines = [line.split("\t") for line in path.read_text().splitlines()]
    return [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]


def test_every_table_has_the_columns_its_json_describes(files: dict[str, Path]) -> None:
    tables = [path for path in files.values() if path.suffix == ".tsv"]
    assert {path.name for path in tables} == {
        "x.tsv", "x_distances.tsv", "x_icc.tsv", "x_pairs.tsv", "x_effects.tsv", "x_vertebrae.tsv",
        "x_vertebra_positions.tsv",
    }  # fmt: skip
    for path in tables:
        content = json.loads(path.with_suffix(".json").read_text())
        header = path.read_text().split("\n", 1)[0].split("\t")
        assert set(content.pop("Files")) >= {path.name, path.with_suffix(".json").name}
        described = [name for name in content if isinstance(content[name], dict)]
        assert described == header
        assert all(content[name]["Description"] for name in header)
        assert content["GeneratedBy"][0]["Parameters"]["by"] == ["vendor", "site", "session"]
        assert len(content["Sources"]) == 18
        assert rows(path)
    assert set(files[""].parent.iterdir()) == set(files.values())


def test_the_words_in_the_cells_are_those_described(files: dict[str, Path]) -> None:
    for name in ("", "effects"):
        content = json.loads(files[f"{name} json"].read_text())
        for column, entry in content.items():
            if isinstance(entry, dict) and "Levels" in entry:
                words = {row[column] for row in rows(files[name])} - {"n/a"}
                assert words <= set(entry["Levels"])


def test_numbers_are_those_of_the_analysis(found: Variability, files: dict[str, Path]) -> None:
    for row, cells in zip(found.spread, rows(files[""]), strict=True):
        expected = "n/a" if row.cov_percent is None else f"{row.cov_percent:.4f}"
        assert cells["cov_percent"] == expected
    of_c5 = [cells for cells in rows(files["distances"]) if cells["level"] == "C5"]
    middles = [float(cells["midpoint_mm"]) for cells in of_c5]
    place = list(map(str, found.distances.levels)).index("C5")
    assert middles == pytest.approx(found.distances.values[:, place, 2].tolist(), abs=1e-4)
    assert {cells["participant_id"] for cells in of_c5} == {f"sub-{k:03d}" for k in range(1, 10)}
    assert {cells["session_id"] for cells in of_c5} == {"ses-1", "ses-2"}


def test_what_does_not_count_is_na_in_the_distances(tmp_path: Path, no_figures: None) -> None:
    scans = (
        Scan("sub-1.tsv", "1", table_of({C5: 80.0})),
        Scan("sub-2.tsv", "2", table_of({C5: 84.0}, status="interpolated")),
        Scan("sub-3.tsv", "3", table_of({C5: 82.0})),
    )
    files = write(analyse(Study(scans), n_resamples=200), tmp_path / "x.tsv")
    cells = [(row["status"], row["midpoint_mm"]) for row in rows(files["distances"])]
    assert cells == [("measured", "80.0000"), ("interpolated", "n/a"), ("measured", "82.0000")]
    assert "icc" not in files


def test_figures_come_as_png_and_svg_and_again_the_same(
    found: Variability, files: dict[str, Path], tmp_path: Path
) -> None:
    pytest.importorskip("matplotlib")
    first, second = files, write(found, tmp_path / "x.tsv")
    figures = {name for name in first if name.endswith((".png", ".svg"))}
    assert figures == {
        f"{name}.{kind}"
        for name in ("levels", "cov", "vertebrae", "bland_altman_session")
        for kind in ("png", "svg")
    }
    for name in figures:
        assert first[name].read_bytes() == second[name].read_bytes()
        start = b"\x89PNG" if name.endswith("png") else b"<?xml"
        assert first[name].read_bytes().startswith(start)


def test_without_matplotlib_there_are_tables_only(
    found: Variability, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sct_rootlets.variability.files.has_matplotlib", lambda: False)
    files = write(found, tmp_path / "x.tsv")
    assert {path.suffix for path in files.values()} == {".tsv", ".json"}


def test_inputs_are_not_replaced(tmp_path: Path) -> None:
    paths = [
        write_table(tmp_path / f"sub-{k}.tsv", table_of({C5: 80.0 + k}), beside=False)
        for k in range(3)
    ]
    before = [path.read_bytes() for path in paths]
    found = analyse(read_study(paths), n_resamples=200)
    with pytest.raises(UsageError, match=r"sub-1\.tsv: is an input"):
        write(found, paths[1])
    with pytest.raises(UsageError, match=r"does not end in \.tsv"):
        write(found, tmp_path / "x.csv")
    assert [path.read_bytes() for path in paths] == before
    assert len(list(tmp_path.iterdir())) == 3


def test_a_failure_leaves_nothing(
    found: Variability, tmp_path: Path, no_figures: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> str:
        raise OSError("disk full")

    monkeypatch.setattr("sct_rootlets.files.results.sealed", fail)
    with pytest.raises(OSError, match="disk full"):
        write(found, tmp_path / "out" / "x.tsv")
    assert not (tmp_path / "out").exists()


def test_names_of_groups_do_not_break_the_table(tmp_path: Path, no_figures: None) -> None:
    scans = tuple(
        Scan(f"{k}", str(k), table_of({C5: 80.0 + k}), {"site": "a\tb" if k % 2 else "c\nd"})
        for k in range(6)
    )
    files = write(analyse(Study(scans, ("site",)), n_resamples=200), tmp_path / "x.tsv")
    assert {row["group"] for row in rows(files[""])} == {"all", r"a\tb", r"c\nd"}
    assert np.isfinite(float(rows(files[""])[0]["mean_mm"]))
