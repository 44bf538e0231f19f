"""The figure and the page, on a small synthetic neck."""

from __future__ import annotations

import html.parser
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.image import Image
from sct_rootlets.levels import Derived, LevelRow, derive
from sct_rootlets.qc import report
from sct_rootlets.qc.colours import colour_of
from tests.synthetic import Neck, make_neck

pytest.importorskip("matplotlib")

from sct_rootlets.qc import figure
from sct_rootlets.qc.panels import Scene, spans_of


@pytest.fixture(scope="module")
def neck() -> Neck:
    return make_neck()


@pytest.fixture(scope="module")
def derived(neck: Neck) -> Derived:
    return derive(neck.rootlets, neck.cord)


@pytest.fixture(scope="module")
def drawn(neck: Neck, derived: Derived) -> Any:
    return figure.draw(
        image=neck.image,
        cord=neck.cord,
        derived=derived,
        title="t2.nii.gz",
        subtitle="compact 1.0",
        discs=neck.discs,
    )


def texts(drawn: Any) -> list[str]:
    """Return everything that is written on a figure, ticks aside."""
    return [t.get_text() for axes in [drawn, *drawn.axes] for t in axes.texts]


def test_every_measured_level_has_an_axial_view_and_two_labels(drawn: Any) -> None:
    # One sagittal, four axial, one unrolled panel.
    assert len(drawn.axes) == 6
    for name in ("C3", "C4", "C5", "C6"):
        assert texts(drawn).count(name) == 3
    assert "C7" not in texts(drawn)


def test_title_sides_scale_and_discs_are_written(drawn: Any) -> None:
    written = texts(drawn)
    for text in ("t2.nii.gz", "compact 1.0", "10 mm", "V", "D", "C2/C3"):
        assert text in written
    assert written.count("R") == written.count("L") == 4


def test_millimetres_are_square_in_the_image_panels(drawn: Any) -> None:
    drawn.canvas.draw()
    for axes in drawn.axes[:-1]:
        across, down = (np.abs(np.diff(limits))[0] for limits in (axes.get_xlim(), axes.get_ylim()))
        width, height = axes.get_position().size * drawn.get_size_inches()
        assert width / across == pytest.approx(height / down, rel=0.02)


def test_borders_are_drawn_where_the_table_says(drawn: Any, derived: Derived) -> None:
    lines = {round(float(line.get_ydata()[0]), 3) for line in drawn.axes[-1].lines}
    for row in derived.table.rows:
        if row.status == "measured":
            assert {round(row.rostral_mm, 3), round(row.caudal_mm, 3)} <= lines


def test_rootlets_have_the_colour_of_their_level(drawn: Any, derived: Derived) -> None:
    from matplotlib.colors import to_hex

    seen = {to_hex(c).upper() for part in drawn.axes[-1].collections for c in part.get_facecolor()}
    assert seen == {colour_of(value) for value in derived.rootlets.labels}


def test_left_rootlets_are_drawn_on_the_left(neck: Neck) -> None:
    data = neck.rootlets.data.copy()
    data[
        neck.image.grid.world_from_ijk(np.argwhere(np.ones(data.shape)))[:, 0].reshape(data.shape)
        > 0
    ] = 0  # RAS+: x > 0 is the subject's right
    left_only = derive(neck.rootlets.with_data(data), neck.cord)
    drawn = figure.draw(image=neck.image, cord=neck.cord, derived=left_only, title="left")
    for part in drawn.axes[-1].collections:
        for path in part.get_paths():
            assert path.get_extents().x1 < 0


def test_the_png_is_the_same_each_time(neck: Neck, derived: Derived, drawn: Any) -> None:
    again = figure.draw(
        image=neck.image,
        cord=neck.cord,
        derived=derived,
        title="t2.nii.gz",
        subtitle="compact 1.0",
        discs=neck.discs,
    )
    assert figure.png(again) == figure.png(drawn)


def test_no_global_state_of_pyplot_is_touched(drawn: Any) -> None:
    import subprocess
    import sys

    code = (
        "import sys, sct_rootlets.qc.figure as f; f.require_matplotlib(); "
        "sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_levels_that_were_not_measured_are_marked(neck: Neck, derived: Derived) -> None:
    rows = tuple(
        replace(row, status="interpolated") if row.level is SpinalLevel.C4 else row
        for row in derived.table.rows
    )
    doubtful = replace(derived, table=replace(derived.table, rows=rows))
    drawn = figure.draw(image=neck.image, cord=neck.cord, derived=doubtful, title="t2")
    assert texts(drawn).count("C4*") == 3
    assert any("not measured" in text for text in texts(drawn))


def test_without_any_level_the_cord_is_still_shown(neck: Neck, derived: Derived) -> None:
    rows = tuple(LevelRow(level, "unseen") for level in (SpinalLevel.C2, SpinalLevel.C3))
    unseen = replace(derived, table=replace(derived.table, rows=rows))
    drawn = figure.draw(image=neck.image, cord=neck.cord, derived=unseen, title="t2")
    assert len(drawn.axes) == 2
    assert figure.png(drawn).startswith(b"\x89PNG")


def test_an_image_that_ends_within_the_cord_can_be_drawn(neck: Neck, derived: Derived) -> None:
    grid = replace(neck.image.grid, shape=(33, 20, 60))
    part = Image(neck.image.data[:, :20, :60], grid)
    drawn = figure.draw(image=part, cord=neck.cord, derived=derived, title="part")
    assert figure.png(drawn).startswith(b"\x89PNG")


def test_spans_follow_the_world_not_the_origin_of_the_table(neck: Neck, derived: Derived) -> None:
    from_pmj = tuple(
        row
        if row.rostral_mm is None or row.caudal_mm is None
        else replace(row, rostral_mm=row.rostral_mm + 40, caudal_mm=row.caudal_mm + 40)
        for row in derived.table.rows
    )
    moved = replace(derived, table=replace(derived.table, rows=from_pmj, origin="PMJ"))
    for here, there in zip(spans_of(derived), spans_of(moved), strict=True):
        assert here == there or not here.is_known
    assert Scene.of(neck.image, neck.cord, moved, None).origin_mm == pytest.approx(40, abs=1e-3)


class Links(html.parser.HTMLParser):
    """Collects whatever a page would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.sources: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.sources += [value or "" for name, value in attrs if name in ("src", "href")]


def test_the_page_holds_everything_and_fetches_nothing(derived: Derived) -> None:
    page = report.page(
        title="<t2> & more.nii.gz",
        png=b"\x89PNG",
        table=derived.table,
        warnings=["C2 was <not> seen"],
        facts={"Model": "compact 1.0"},
    )
    links = Links()
    links.feed(page)
    assert all(source.startswith("data:image/png;base64,") for source in links.sources)
    assert len(links.sources) == 1
    assert "&lt;t2&gt; &amp; more.nii.gz" in page
    assert "C2 was &lt;not&gt; seen" in page
    for row in derived.table.rows:
        assert f">{row.level.name}</td>" in page
        assert row.caudal_mm is None or f"<td>{row.caudal_mm:.1f}</td>" in page
    assert "n/a" in page
