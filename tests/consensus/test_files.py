"""The consensus of files: grids, names, what is written, what is refused."""

from __future__ import annotations

import builtins
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sct_rootlets.consensus import consensus
from sct_rootlets.consensus.files import PAIR_COLUMNS, RATER_COLUMNS
from sct_rootlets.errors import InputError, MissingDependencyError, UsageError
from sct_rootlets.image import load_labels
from tests.evaluation.planted import Planted, cells, plant

pytest.importorskip("SimpleITK")


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    return plant(tmp_path_factory.mktemp("planted"))


def files(planted: Planted, *names: str) -> list[Path]:
    return [planted.folder / f"{name}.nii.gz" for name in names]


def test_raters_in_other_orientations_and_what_is_written(planted: Planted, tmp_path: Path) -> None:
    result = consensus(files(planted, "truth", "turned", "missing"))
    written = result.write(tmp_path / "c_dseg.nii.gz")
    assert [path.name for path in written.values()] == [
        "c_dseg.nii.gz", "c_raters.tsv", "c_pairs.tsv", "c_dseg.json",
    ]  # fmt: skip
    back = load_labels(written["levels"])
    np.testing.assert_array_equal(back.data, planted.labels)
    assert back.grid.matches(planted.grid)
    tables = {}
    for what, columns in (("raters", RATER_COLUMNS), ("pairs", PAIR_COLUMNS)):
        tables[what] = cells(written[what])
        assert list(tables[what][0]) == [column.name for column in columns]
    found = {(row["rater"], row["level"]): row for row in tables["raters"]}
    assert {level for _, level in found} == {"C3", "C4", "C5", "C6", "all"}
    assert found["missing", "C5"]["dice"] == "0"
    assert float(found["truth", "C5"]["sensitivity"]) > 0.99
    over_all = [row for row in tables["pairs"] if row["rater_1"] == "all"]
    assert [row["level"] for row in over_all] == ["C3", "C4", "C5", "C6", "all"]
    content = json.loads(written["json"].read_text())
    assert len(content["Sources"]) == 3
    assert content["GeneratedBy"][0]["Parameters"]["method"] == "staple"
    assert content["UndecidedVoxels"] == 0
    assert set(content["Tables"]) == {"c_raters.tsv", "c_pairs.tsv"}
    assert "missing" in result.format_table()


def test_raters_without_names_are_combined_as_one_structure(planted: Planted) -> None:
    other = planted.write("nameless_too", (planted.labels > 0).astype(np.int32))
    result = consensus([*files(planted, "nameless"), other], method="vote")
    assert result.image.labels == [1]
    with pytest.raises(InputError, match="no level identity"):
        consensus(files(planted, "nameless", "truth"))


def test_what_cannot_be_combined_is_refused(planted: Planted) -> None:
    for names, error, told in (
        (("truth",), UsageError, "two raters or more"),
        (("truth", "truth"), UsageError, "is given twice"),
        (("truth", "cropped"), InputError, "is not on the grid of"),
        (("truth", "absent"), InputError, "no such file"),
        (("truth", "soft"), InputError, "not whole numbers"),
    ):
        with pytest.raises(error, match=told):
            consensus(files(planted, *names))
    nothing = planted.write("nothing_too", np.zeros_like(planted.labels))
    with pytest.raises(InputError, match="so are those of all other"):
        consensus([*files(planted, "nothing"), nothing])
    beyond = planted.write("beyond", 31 * (planted.labels > 0).astype(np.int32))
    with pytest.raises(InputError, match="holds the value 31"):
        consensus([*files(planted, "truth"), beyond])
    with pytest.raises(UsageError, match="no method"):
        consensus(files(planted, "truth", "same"), method="mean")


def test_no_input_and_nobody_elses_image_is_replaced(planted: Planted, tmp_path: Path) -> None:
    result = consensus(files(planted, "truth", "same"))
    with pytest.raises(UsageError, match="is an input"):
        result.write(planted.folder / "same.nii.gz")
    foreign = tmp_path / "consensus.nii.gz"
    foreign.write_bytes((planted.folder / "swapped.nii.gz").read_bytes())
    with pytest.raises(UsageError, match="was not made by sct_rootlets"):
        result.write(foreign)
    mine = tmp_path / "again.nii.gz"
    result.write(mine)
    result.write(mine)
    result.write(foreign, overwrite=True)


def test_without_simpleitk_it_says_how_to_get_it(
    planted: Planted, monkeypatch: pytest.MonkeyPatch
) -> None:
    actual = builtins.__import__

    def absent(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "SimpleITK":
            raise ImportError(name)
        return actual(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(MissingDependencyError, match=r"sct_rootlets\[fmri\]"):
        consensus(files(planted, "truth", "same"))
