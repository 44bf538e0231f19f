"""The figure, on a small synthetic neck."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from itertools import combinations
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.colours import colour_of
from sct_rootlets.errors import MissingDependencyError
from sct_rootlets.image import Image
from sct_rootlets.levels import Derived, LevelRow, derive
from sct_rootlets.qc import figure
from sct_rootlets.qc.around import HATCHES
from tests.qc.conftest import eventful
from tests.synthetic import Neck

pytest.importorskip("matplotlib")


def draw(neck: Neck, derived: Derived, **more: Any) -> Any:
    given = {"image": neck.image, "cord": neck.cord, "title": "t2.nii.gz", "discs": neck.discs}
    return figure.draw(**{**given, "derived": derived, "subtitle": "compact 1.0", **more})


@pytest.fixture(scope="module")
def drawn(neck: Neck, derived: Derived) -> Any:
    return draw(neck, derived)


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
    x = neck.image.grid.world_from_ijk(np.argwhere(np.ones(data.shape)))[:, 0]
    data[x.reshape(data.shape) > 0] = 0  # RAS+: x > 0 is the subject's right
    left_only = derive(neck.rootlets.with_data(data), neck.cord)
    drawn = figure.draw(image=neck.image, cord=neck.cord, derived=left_only, title="left")
    for part in drawn.axes[-1].collections:
        for path in part.get_paths():
            assert path.get_extents().x1 < 0


def test_the_png_is_the_same_each_time(neck: Neck, derived: Derived, drawn: Any) -> None:
    assert figure.png(draw(neck, derived)) == figure.png(drawn)


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


@pytest.fixture(scope="module", params=["image", "alone"])
def crowded(request: pytest.FixtureRequest, neck: Neck, derived: Derived) -> Any:
    return draw(
        neck,
        eventful(derived),
        image=neck.image if request.param == "image" else None,
        title="sub-amu01_ses-headneck_acq-highres_rec-bet_T2w_label-rootlets_dseg.nii.gz",
        subtitle="rootlets r20250318 (sha256 0123456789ab)  ·  definition: valosek2024  ·  reach "
        "1.5 mm  ·  sct_rootlets 0.1.0",
    )


def boxes(drawn: Any) -> dict[str, Any]:
    """Return where every text beside the panels is on the figure, in pixels."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    renderer = FigureCanvasAgg(drawn).get_renderer()
    drawn.draw(renderer)
    found = {}
    legends = [text for legend in drawn.legends for text in legend.get_texts()]
    around = drawn.axes[-1]
    labels = [around.yaxis.label, *around.get_xticklabels(), *around.get_yticklabels()]
    for number, text in enumerate([*drawn.texts, *legends, *around.texts, *labels]):
        if text.get_text():
            found[f"{number} {text.get_text()}"] = text.get_window_extent(renderer)
    return found


def test_no_text_is_clipped_or_on_another(crowded: Any) -> None:
    width, height = crowded.get_size_inches() * crowded.dpi
    places = boxes(crowded)
    assert len(places) > 20
    for name, box in places.items():
        assert box.x0 >= 0, name
        assert box.y0 >= 0, name
        assert box.x1 <= width, name
        assert box.y1 <= height, name
    for one, other in combinations(places, 2):
        a, b = places[one], places[other]
        # A pixel of touching is no overlap.
        apart = a.x1 <= b.x0 + 1 or b.x1 <= a.x0 + 1 or a.y1 <= b.y0 + 1 or b.y1 <= a.y0 + 1
        assert apart, f"{one} / {other}"


def test_statuses_have_hatches_and_cut_ends_are_jagged(crowded: Any) -> None:
    from matplotlib.colors import to_hex

    bands = {to_hex(patch.get_facecolor()).upper(): patch for patch in crowded.axes[-1].patches
             if patch.get_hatch() is not None and len(patch.get_path().vertices) > 10}  # fmt: skip
    assert bands[colour_of(4)].get_hatch() == HATCHES["interpolated"]
    assert bands[colour_of(6)].get_hatch() == HATCHES["extrapolated"]
    assert bands[colour_of(2)].get_hatch() == HATCHES["predicted"]
    assert bands[colour_of(3)].get_hatch() == ""
    ends = {value: bands[colour_of(value)].get_path().vertices[:, 1] for value in (3, 4, 5)}
    assert len(np.unique(ends[4])) == 2
    assert (np.sort(np.unique(ends[3]))[:2] == 13.0).sum() == 1
    assert len(np.unique(ends[3])) == 3
    assert len(np.unique(ends[5])) == 3


def test_intervals_are_1_96_standard_deviations(crowded: Any) -> None:
    def middle_and_half(y: Any) -> tuple[float, float]:
        return round(float(y[0] + y[-1]) / 2, 3), round(abs(float(y[-1] - y[0])) / 2, 3)

    whiskers = {
        middle_and_half(line.get_ydata())
        for line in crowded.axes[-1].lines
        if len(line.get_ydata()) == 2 and line.get_ydata()[0] != line.get_ydata()[1]
    }
    assert (31.0, round(1.96 * 0.3, 3)) in whiskers
    assert (76.0, round(1.96 * 2.0, 3)) in whiskers


def test_the_pmj_is_where_it_is_or_at_the_edge(neck: Neck, derived: Derived) -> None:
    for pmj_mm, shown in ((-30.0, "PMJ\n\N{UPWARDS ARROW} 30 mm"), (20.0, "PMJ")):
        assert shown in texts(draw(neck, eventful(derived, pmj_mm), image=None))


def test_discs_of_a_labelled_cord_are_shown_too(neck: Neck, derived: Derived) -> None:
    class WithColumn(SimpleNamespace):
        """Levels and the vertebrae along the cord, wherever they come from."""

    known = {name: getattr(derived, name) for name in derived.__dataclass_fields__}
    column = SimpleNamespace(disc_s_mm={3: 34.0, 4: 50.0})
    with_column: Any = WithColumn(**{**known, "column": column})
    drawn = figure.draw(image=None, cord=neck.cord, derived=with_column, title="t2")
    assert {"C2/C3", "C3/C4"} <= set(texts(drawn))


def test_without_rootlets_the_levels_are_still_shown(neck: Neck, derived: Derived) -> None:
    predicted = replace(eventful(derived), rootlets=None, entry_zones=None)
    drawn = figure.draw(image=None, cord=neck.cord, derived=predicted, title="t2")
    assert len(drawn.axes) == 1
    assert not drawn.axes[0].collections
    assert "C1*" in texts(drawn)


def test_matplotlib_is_asked_for_without_being_imported_and_pyplot_never(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code = (
        "import sys, sct_rootlets.qc.figure as f; f.require_matplotlib(); "
        "early = 'matplotlib' in sys.modules; f.figure_class(); "
        "sys.exit(early or 'matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert not figure.has_matplotlib()
    with pytest.raises(MissingDependencyError, match="is not installed"):
        figure.require_matplotlib()
