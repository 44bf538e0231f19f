"""The demo, and its comparison with the truth."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest

from sct_rootlets import phantom, pipeline
from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.cli.demo import format_comparison
from sct_rootlets.metrics import BorderError, BorderErrors
from tests.cli.conftest import Command

pytestmark = pytest.mark.usefixtures("no_figures")


BUNDLED = Path(pipeline.__file__).parents[1] / "models" / "compact"


def test_the_comparison_of_the_demo_is_a_table() -> None:
    c5, c6 = SpinalLevel.C5, SpinalLevel.C6
    errors = BorderErrors(
        (
            BorderError(c5, "rostral", 10.0, 10.5),
            BorderError(c5, "caudal", 25.25, 25.0),
            BorderError(c6, "rostral", 25.25, 25.0),
            BorderError(c6, "caudal", float("nan"), 40.0),
        )
    )
    lines = [line.split() for line in format_comparison(errors).splitlines()]
    assert lines[2] == ["C5", "10.0", "10.5", "-0.5", "25.2", "25.0", "+0.2"]
    assert lines[3] == ["C6", "25.2", "25.0", "+0.2", "n/a", "40.0", "n/a"]


@pytest.mark.slow
@pytest.mark.skipif(not BUNDLED.is_dir(), reason="no bundled model in this checkout")
def test_the_demo_finds_the_borders_of_a_phantom(
    tmp_path: Path, figures: None, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    pytest.importorskip("torch")
    # A neck at 1 mm is less than the demo's own, and its way is the same.
    small = {"spacing_mm": (1.0, 1.0, 1.0), "field_of_view_mm": (36.0, 48.0, 120.0)}
    monkeypatch.setattr(phantom, "write", functools.partial(phantom.write, **small))
    out = command(f"demo -o {tmp_path}/demo").out
    median = float(out.partition("median error ")[2].split()[0])
    assert median <= 1.5
    assert len(list((tmp_path / "demo").glob("*_spinal_levels.png"))) == 1
    assert len(list((tmp_path / "demo").glob("*_spinal_levels.html"))) == 1
