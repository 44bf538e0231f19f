"""One image through the pipeline, with an engine that knows the answer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sct_rootlets import pipeline
from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.colours import colour_of
from sct_rootlets.engines import Segmentation
from sct_rootlets.errors import InputError, ModelError, UsageError
from sct_rootlets.image import LabelImage, load_labels
from sct_rootlets.levels import LevelTable
from sct_rootlets.manifest import InstalledModel
from sct_rootlets.pipeline import network
from sct_rootlets.qc import figure
from tests.levels.bent_cord import turned
from tests.synthetic import Neck, make_neck


class KnowingEngine:
    """Returns the truth of a synthetic neck in place of a prediction."""

    def __init__(self, neck: Neck, *, identity: bool, cord: bool = True) -> None:
        self.neck, self.identity, self.cord = neck, identity, cord
        self.given_cord: LabelImage | None = None

    def predict(self, image: Any, *, cord: Any = None, progress: Any = None) -> Segmentation:
        self.given_cord = cord
        if progress is not None:
            progress("segmenting", 1, 1)
        values = self.neck.rootlets.data
        rootlets = image.with_data(values if self.identity else (values > 0).astype(int))
        return Segmentation(
            LabelImage(rootlets.data, image.grid, image.header, image.path),
            self.neck.cord if self.cord else None,
            None,
            self.identity,
            {},
            ["a note of the engine"],
        )


@pytest.fixture(scope="module")
def neck() -> Neck:
    return make_neck()


@pytest.fixture
def use_engine(monkeypatch: pytest.MonkeyPatch, neck: Neck) -> Callable[..., KnowingEngine]:
    """Put an engine and its model in place of the bundled ones."""

    def use(*, identity: bool = True, compact: bool = True) -> KnowingEngine:
        engine = KnowingEngine(neck, identity=identity, cord=compact)
        model = InstalledModel(
            "knowing", "1.0", Path("nowhere"), "cd" * 32, {}, "LPI", identity, compact
        )
        monkeypatch.setattr(network, "located", lambda reference, progress: model)
        monkeypatch.setattr(network, "load_engine", lambda *a, **k: engine)
        return engine

    return use


@pytest.fixture
def no_engine(
    monkeypatch: pytest.MonkeyPatch, use_engine: Callable[..., Any]
) -> Callable[..., None]:
    """Put a model in place that must not be loaded."""

    def forbid(**kwargs: Any) -> None:
        use_engine(**kwargs)

        def load(*args: Any, **kwargs: Any) -> None:
            pytest.fail("the model was loaded before the inputs were checked")

        monkeypatch.setattr(network, "load_engine", load)

    return forbid


def measured(table: LevelTable) -> dict[str, tuple[float, float]]:
    return {
        row.level.name: (row.rostral_mm, row.caudal_mm)
        for row in table.rows
        if row.status == "measured"
    }


def test_levels_come_out_where_the_rootlets_are(
    neck: Neck, tmp_path: Path, use_engine: Callable[..., KnowingEngine]
) -> None:
    use_engine()
    paths = neck.write(tmp_path)
    result = pipeline.run(paths["image"], definition="extent")
    found = measured(result.derived.table)
    assert list(found) == ["C3", "C4", "C5", "C6"]
    # Entry zones start at 20, 36, 52 and 66 mm; within 1.5 mm they descend by as much.
    np.testing.assert_allclose([r for r, _ in found.values()], [20, 36, 52, 66], atol=1.6)
    np.testing.assert_allclose([c for _, c in found.values()], [31.5, 47.5, 62.5, 76.5], atol=1.6)
    assert result.cord_is_ours
    assert result.stem == "t2"
    assert set(result.timings_s) == {"loading the model", "prediction", "deriving the levels"}


def test_discs_number_rootlets_without_identity(
    neck: Neck, use_engine: Callable[..., KnowingEngine]
) -> None:
    use_engine(identity=False)
    result = pipeline.run(neck.image, discs=neck.discs)
    np.testing.assert_array_equal(result.rootlets.data, neck.rootlets.data)
    by_point = pipeline.run(neck.image, c2c3_world=(0.0, 9.0, 65.5))
    assert measured(by_point.derived.table).keys() == {"C3", "C4", "C5", "C6"}


def test_a_given_cord_mask_is_used_and_not_written(
    neck: Neck, tmp_path: Path, use_engine: Callable[..., KnowingEngine]
) -> None:
    engine = use_engine()
    paths = neck.write(tmp_path / "in")
    result = pipeline.run(paths["image"], cord=paths["cord"])
    assert engine.given_cord is result.cord
    assert not result.cord_is_ours
    files = result.write(tmp_path / "out")
    assert "cord" not in files
    assert not (tmp_path / "out" / "t2_seg.nii.gz").exists()


def test_what_is_written(
    neck: Neck, tmp_path: Path, use_engine: Callable[..., KnowingEngine]
) -> None:
    use_engine()
    paths = neck.write(tmp_path / "in")
    before = {path: path.read_bytes() for path in paths.values()}
    result = pipeline.run(paths["image"], discs=paths["discs"])
    files = result.write(tmp_path / "out" / "new")
    names = sorted(path.name for path in (tmp_path / "out" / "new").iterdir())
    assert names == [
        "t2_rootlets.json",
        "t2_rootlets.nii.gz",
        "t2_seg.json",
        "t2_seg.nii.gz",
        "t2_spinal_levels.json",
        "t2_spinal_levels.nii.gz",
        *(["t2_spinal_levels.png"] if figure.has_matplotlib() else []),
        "t2_spinal_levels.tsv",
        "t2_spinal_levels_caudal.nii.gz",
        "t2_spinal_levels_dseg.tsv",
        "t2_spinal_levels_midpoint.nii.gz",
        "t2_spinal_levels_rostral.nii.gz",
    ]
    levels = load_labels(files["levels"])
    assert levels.grid.matches(neck.image.grid)
    assert set(levels.labels) == {3, 4, 5, 6}
    assert (levels.data[neck.cord.data == 0] == 0).all()
    np.testing.assert_array_equal(load_labels(files["rootlets"]).data, neck.rootlets.data)
    table = LevelTable.from_tsv(files["table"].read_text())
    assert measured(table).keys() == measured(result.derived.table).keys()
    for what in ("rootlets", "cord", "levels"):
        content = json.loads((files[what].parent / f"t2_{_stem(what)}.json").read_text())
        maker = content["GeneratedBy"][0]
        assert maker["Name"] == "sct_rootlets"
        assert maker["Model"] == {"Name": "knowing", "Version": "1.0", "SHA256": "cd" * 32}
        assert content["Sources"] == ["../../in/t2.nii.gz", "../../in/discs.nii.gz"]
    assert {path: path.read_bytes() for path in paths.values()} == before
    result.write(tmp_path / "out" / "new")  # a second time: results of ours may be replaced


def _stem(what: str) -> str:
    return {"rootlets": "rootlets", "cord": "seg", "levels": "spinal_levels"}[what]


def test_intermediate_files_on_request(
    neck: Neck, tmp_path: Path, use_engine: Callable[..., KnowingEngine]
) -> None:
    use_engine(identity=False)
    result = pipeline.run(neck.image, discs=neck.discs)
    files = result.write(tmp_path, keep_intermediate=True)
    assert load_labels(files["predicted"]).labels == [1]
    rows = np.loadtxt(files["centerline"], skiprows=1)
    np.testing.assert_allclose(rows[:, 0], result.derived.centerline.s_mm, atol=1e-3)


def test_an_error_while_writing_leaves_nothing(
    neck: Neck, tmp_path: Path, use_engine: Callable[..., KnowingEngine]
) -> None:
    use_engine()
    result = pipeline.run(neck.image)
    broken = replace(result, parameters={"reach_mm": float("nan")})  # JSON refuses it
    with pytest.raises(ValueError, match="JSON"):
        broken.write(tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_without_a_disc_the_model_is_not_even_loaded(
    neck: Neck, no_engine: Callable[..., None]
) -> None:
    no_engine(identity=False)
    with pytest.raises(UsageError, match="-discs"):
        pipeline.run(neck.image)


def test_a_disc_file_without_discs_is_no_disc(neck: Neck, no_engine: Callable[..., None]) -> None:
    no_engine(identity=False)
    data = np.zeros_like(neck.discs.data)
    data[16, 16, 90] = 50
    only_pmj = LabelImage(data, neck.discs.grid, path="pmj.nii.gz")
    with pytest.raises(UsageError, match=r"pmj\.nii\.gz: holds no disc label"):
        pipeline.run(neck.image, discs=only_pmj)


def test_a_model_without_cord_needs_one_before_it_is_loaded(
    neck: Neck, no_engine: Callable[..., None]
) -> None:
    no_engine(compact=False)
    with pytest.raises(UsageError, match="-s"):
        pipeline.run(neck.image)


def test_conflicts_with_files_are_found_before_the_model_is_loaded(
    neck: Neck, tmp_path: Path, no_engine: Callable[..., None]
) -> None:
    no_engine()
    (tmp_path / "image_seg.nii.gz").write_text("a manual mask")
    with pytest.raises(UsageError, match="did not make"):
        pipeline.run(neck.image, write_to=tmp_path)


def test_an_input_with_the_name_of_a_result_is_found_before_the_model_is_loaded(
    neck: Neck, tmp_path: Path, no_engine: Callable[..., None]
) -> None:
    no_engine()
    paths = neck.write(tmp_path)
    discs = paths["discs"].rename(tmp_path / "t2_rootlets.nii.gz")
    before = discs.read_bytes()
    with pytest.raises(UsageError, match=r"t2_rootlets\.nii\.gz: is an input"):
        pipeline.run(paths["image"], discs=discs, write_to=tmp_path)
    assert discs.read_bytes() == before


def test_other_grids_are_refused(neck: Neck, no_engine: Callable[..., None]) -> None:
    no_engine()
    smaller = replace(neck.image.grid, shape=(33, 33, 99))
    cropped = LabelImage(neck.cord.data[:, :, :99], smaller, path="cropped.nii.gz")
    with pytest.raises(InputError, match=r"cropped\.nii\.gz: is not on the grid"):
        pipeline.run(neck.image, cord=cropped)


def test_a_mask_is_no_image(neck: Neck, no_engine: Callable[..., None]) -> None:
    no_engine()
    mask = neck.image.with_data((neck.cord.data > 0).astype(np.float32))
    with pytest.raises(InputError, match="mask or labels"):
        pipeline.run(mask)


def test_a_point_outside_the_image_is_refused(neck: Neck, no_engine: Callable[..., None]) -> None:
    no_engine(identity=False)
    with pytest.raises(UsageError, match="outside the field of view"):
        pipeline.run(neck.image, c2c3_world=(0.0, 9.0, 650.0))


def test_no_rootlets_is_an_answer_one_can_read(
    neck: Neck, use_engine: Callable[..., KnowingEngine]
) -> None:
    engine = use_engine()
    empty = neck.rootlets.with_data(np.zeros_like(neck.rootlets.data))
    engine.neck = replace(neck, rootlets=empty)
    with pytest.raises(InputError, match="no rootlets were found"):
        pipeline.run(neck.image)


def test_segment_keeps_the_value_one_without_a_disc(
    neck: Neck, use_engine: Callable[..., KnowingEngine]
) -> None:
    use_engine(identity=False)
    plain = pipeline.segment(neck.image)
    assert plain.rootlets.labels == [1]
    assert not plain.numbered
    numbered = pipeline.segment(neck.image, discs=neck.discs)
    assert numbered.rootlets.labels == [3, 4, 5, 6]
    assert numbered.numbered


@pytest.fixture
def loads(
    monkeypatch: pytest.MonkeyPatch, use_engine: Callable[..., KnowingEngine]
) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
    """Return with what the model is loaded, each time."""
    engine, calls = use_engine(), []

    def load(*args: Any, **kwargs: Any) -> KnowingEngine:
        calls.append((args[1:], kwargs))
        return engine

    monkeypatch.setattr(network, "load_engine", load)
    return calls


def test_the_engine_is_told_how_and_where_it_may_keep_networks(
    neck: Neck, loads: list[Any], store_home: Path
) -> None:
    cache = {"cache": store_home / "compiled"}
    pipeline.run(neck.image)
    wishes: dict[str, Any] = {
        "device": "cpu",
        "threads": 2,
        "engine": "openvino",
        "fast": True,
        "mirror": True,
    }
    pipeline.run(neck.image, **wishes)
    pipeline.segment(neck.image, **wishes)
    list(pipeline.segment_many([neck.image], **wishes))
    finders = [wish.pop("finder") for _, wish in loads]
    told = ("cpu", 2), {"engine": "openvino", "fast": True, "mirror": True, **cache}
    plain = ("auto", None), {"engine": "auto", "fast": False, "mirror": False, **cache}
    assert loads == [plain, *[told] * 3]
    assert finders == [None] * 4  # the bundled model finds the cord by itself
    assert not cache["cache"].exists()  # the engine's to make


def test_several_images_load_the_model_once(neck: Neck, tmp_path: Path, loads: list[Any]) -> None:
    path = neck.write(tmp_path)["image"]
    images = [path, neck.image, path]
    stages: dict[str, None] = {}
    outcomes = list(
        pipeline.segment_many(images, progress=lambda stage, *_: stages.setdefault(stage))
    )
    assert [outcome.item for outcome in outcomes] == images
    for outcome in outcomes:
        predicted = outcome.result()
        assert predicted.files == {}
        np.testing.assert_array_equal(predicted.rootlets.data, neck.rootlets.data)
    assert len(loads) == 1
    assert {f"segmenting [{n}/3]" for n in (1, 2, 3)} < set(stages)


def test_each_of_several_images_has_its_own_mask(
    neck: Neck, use_engine: Callable[..., KnowingEngine]
) -> None:
    use_engine()
    other = replace(neck.cord, data=np.roll(neck.cord.data, 1, axis=0))
    outcomes = pipeline.segment_many([neck.image] * 3, cords=[neck.cord, None, other])
    used = [outcome.result() for outcome in outcomes]
    assert [predicted.cord_is_ours for predicted in used] == [False, True, False]
    np.testing.assert_array_equal(used[2].cord.data, other.data)


def test_images_that_cannot_be_opened_come_first_and_load_no_model(
    neck: Neck, tmp_path: Path, no_engine: Callable[..., None]
) -> None:
    no_engine()
    good = neck.write(tmp_path)["image"]
    outcomes = pipeline.segment_many([good, tmp_path / "missing.nii.gz"])
    first = next(outcomes)
    assert first.item == tmp_path / "missing.nii.gz"
    with pytest.raises(InputError, match="no such file"):
        first.result()
    assert list(pipeline.segment_many([tmp_path, tmp_path / "x.nii"])) != []


def test_a_model_that_cannot_be_loaded_is_no_fault_of_an_image(
    neck: Neck, monkeypatch: pytest.MonkeyPatch, use_engine: Callable[..., KnowingEngine]
) -> None:
    use_engine()

    def load(*args: Any, **kwargs: Any) -> None:
        raise ModelError("is broken", path="model")

    monkeypatch.setattr(network, "load_engine", load)
    with pytest.raises(ModelError, match="is broken"):
        list(pipeline.segment_many([neck.image, neck.image]))


def test_an_engine_that_fails_on_one_image_goes_on_with_the_next(
    neck: Neck, use_engine: Callable[..., KnowingEngine]
) -> None:
    engine = use_engine()
    predict = engine.predict

    def failing(image: Any, **kwargs: Any) -> Segmentation:
        if image.path == "b":
            raise RuntimeError("out of memory")
        return predict(image, **kwargs)

    engine.predict = failing  # type: ignore[method-assign]
    images = [replace(neck.image, path=name) for name in "abc"]
    outcomes = list(pipeline.segment_many(images))
    assert [str(outcome.error) for outcome in outcomes] == ["None", "out of memory", "None"]


def test_a_volume_of_an_image_in_memory(neck: Neck, no_engine: Callable[..., None]) -> None:
    no_engine()
    with pytest.raises(UsageError, match="has one volume"):
        pipeline.run(neck.image, volume=2)


def test_remarks_about_every_input_are_notes_of_a_segmentation(
    neck: Neck, tmp_path: Path, use_engine: Callable[..., KnowingEngine]
) -> None:
    use_engine()
    image, cord = (
        replace(x, remarks=(f"about the {x.path}",))
        for x in (replace(neck.image, path="image"), replace(neck.cord, path="cord"))
    )
    predicted = pipeline.segment(image, cord=cord)
    files = predicted.write({"rootlets": tmp_path / "r.nii.gz"})
    notes = json.loads((tmp_path / "r.json").read_text())["Notes"]
    assert notes == ["about the image", "about the cord", "a note of the engine"]
    assert files == {"rootlets": tmp_path / "r.nii.gz"}


def test_levels_of_a_segmentation_that_is_there(neck: Neck) -> None:
    derived = pipeline.derive_levels(neck.rootlets, neck.cord, definition="caudal")
    found = measured(derived.table)
    assert found["C4"][0] == found["C3"][1]  # contiguous


def test_a_cord_mask_in_another_orientation_changes_nothing(neck: Neck) -> None:
    reference = pipeline.levels(neck.rootlets, neck.cord)
    other = pipeline.levels(neck.rootlets, turned(neck.cord, (2, 0, 1), (True, False, True)))
    assert other.derived.table.to_tsv() == reference.derived.table.to_tsv()
    np.testing.assert_array_equal(other.derived.levels.data, reference.derived.levels.data)


def test_axial_levels_fill_slices(neck: Neck) -> None:
    derived = pipeline.derive_levels(neck.rootlets, neck.cord, axial=True)
    for k in range(neck.cord.data.shape[2]):
        inside = neck.cord.data[:, :, k] > 0
        assert len(np.unique(derived.levels.data[:, :, k][inside])) == 1


def test_the_published_method_comes_with_its_own_slices(neck: Neck) -> None:
    derived = pipeline.derive_levels(
        neck.rootlets, neck.cord, definition="valosek2024", dilation_voxels=1
    )
    table = derived.table
    assert table.definition == "valosek2024"
    assert table.reach_mm is None
    c4, c5 = (table.row(SpinalLevel(value)) for value in (4, 5))
    assert c5.rostral_mm > c4.caudal_mm + 1  # gaps stay
    for row in table.rows:
        assert row.status in ("measured", "unseen")
        assert row.rostral_sd_mm is None
    assert c4.slices is not None
    # Slice k has its middle 99.5 - k mm below the top.
    assert c4.rostral_mm == pytest.approx(99 - c4.slices.end, abs=0.3)
    assert c4.caudal_mm == pytest.approx(100 - c4.slices.start, abs=0.3)
    content = pipeline.levels(
        neck.rootlets, neck.cord, definition="valosek2024", dilation_voxels=1
    ).parameters
    assert content["dilation_voxels"] == 1


def test_the_published_method_on_rootlets_that_discs_number(neck: Neck) -> None:
    nameless = neck.rootlets.with_data((neck.rootlets.data > 0).astype(np.int32))
    derived = pipeline.derive_levels(
        nameless, neck.cord, discs=neck.discs, definition="valosek2024"
    )
    named = pipeline.derive_levels(
        neck.rootlets, neck.cord, discs=neck.discs, definition="valosek2024"
    )
    assert derived.table.to_tsv() == named.table.to_tsv()
    assert derived.numbering is not None


@pytest.mark.parametrize(
    "options",
    [
        {"definition": "caudal", "dilation_voxels": 2},
        {"definition": "valosek2024", "extend": SpinalLevel.T12},
        {"definition": "valosek2024", "renumber": True},
    ],
)
def test_options_that_contradict_each_other(neck: Neck, options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        pipeline.derive_levels(neck.rootlets, neck.cord, **options)


def test_nothing_to_derive_from(neck: Neck) -> None:
    with pytest.raises(UsageError, match="-vertfile"):
        pipeline.derive_levels(None, neck.cord)


def test_remarks_about_inputs_are_warnings_of_the_result(neck: Neck) -> None:
    soft = replace(neck.cord, remarks=("cord.nii.gz was cut at 0.5",))
    table = pipeline.derive_levels(neck.rootlets, soft).table
    assert "cord.nii.gz was cut at 0.5" in table.warnings


def test_levels_with_their_files(neck: Neck, tmp_path: Path) -> None:
    paths = neck.write(tmp_path / "in")
    result = pipeline.levels(paths["rootlets"], paths["cord"], discs=paths["discs"])
    files = result.write(tmp_path / "out" / "X.nii.gz", csv=tmp_path / "out" / "published.csv")
    levels = load_labels(files["levels"])
    assert levels.data.shape == neck.image.grid.shape
    table = LevelTable.from_tsv(files["table"].read_text())
    assert table.fname == "rootlets.nii.gz"
    for place in ("midpoint", "rostral", "caudal"):
        points = load_labels(files[place])
        assert points.labels == [3, 4, 5, 6]
        for value in points.labels:
            row = table.row(SpinalLevel(value))
            assert len(points.points_world(value)) == 1
            s = result.derived.centerline.project(points.points_world(value)).s_mm[0]
            assert s == pytest.approx(getattr(row, f"{place}_mm"), abs=0.6)
    lookup = [line.split("\t") for line in files["lookup"].read_text().splitlines()]
    assert lookup[0] == ["index", "name", "color"]
    assert ["4", "C4", colour_of(4)] in lookup
    assert [line[0] for line in lookup[1:]] == [str(row.level.value) for row in table.rows]
    content = json.loads(files["json"].read_text())
    assert content["GeneratedBy"][0]["Parameters"]["definition"] == "caudal"
    assert set(content["GeneratedBy"][0]["Parameters"]) == {
        *("definition", "reach_mm", "dilation_voxels", "extend", "renumber", "axial"),
        *("discs", "vertebrae", "c2c3_world_mm", "pmj"),
    }
    assert content["SourceSHA256"] == {
        f"../in/{name}.nii.gz": hashlib.sha256(
            (tmp_path / f"in/{name}.nii.gz").read_bytes()
        ).hexdigest()
        for name in ("rootlets", "cord", "discs")
    }
    assert content["origin"].startswith("s = 0 mm is the")
    assert content["Columns"]["caudal_mm"]["Units"] == "mm"
    assert isinstance(content["rejected"], list)
    lines = files["csv"].read_text().splitlines()
    assert lines[0].startswith("spinal_level,fname,slice_start")
    assert lines[1].startswith("3,rootlets.nii.gz,")


def test_rejected_components_and_identity_are_in_the_json(neck: Neck, tmp_path: Path) -> None:
    """Whatever of them a derivation reports."""
    result = pipeline.levels(neck.rootlets, neck.cord)

    class Reporting(type(result.derived)):  # type: ignore[misc]
        strays = (SimpleNamespace(level=SpinalLevel.C5, n_voxels=3, s_mm=18.333, reason="apart"),)
        identity = SimpleNamespace(report=lambda: {"shift": 0})

    fields = {name: getattr(result.derived, name) for name in result.derived.__dataclass_fields__}
    for name in ("strays", "identity"):
        fields.pop(name, None)
    reporting = object.__new__(Reporting)
    for name, value in fields.items():
        object.__setattr__(reporting, name, value)
    files = replace(result, derived=reporting).write(tmp_path / "X.nii.gz")
    content = json.loads(files["json"].read_text())
    assert content["rejected"] == [{"level": "C5", "n_voxels": 3, "s_mm": 18.33, "reason": "apart"}]
    assert content["identity"] == {"shift": 0}


def test_without_matplotlib_everything_but_the_figure_is_written(
    neck: Neck, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figure, "has_matplotlib", lambda: False)
    files = pipeline.levels(neck.rootlets, neck.cord).write(tmp_path / "X.nii.gz")
    assert "figure" not in files
    assert not (tmp_path / "X.png").exists()
    assert files["table"].exists()


def test_one_file_given_twice_is_refused(neck: Neck) -> None:
    with pytest.raises(UsageError, match="same voxels"):
        pipeline.derive_levels(neck.cord, neck.cord, discs=neck.discs)


def test_the_quality_control_is_whole(
    neck: Neck, tmp_path: Path, use_engine: Callable[..., KnowingEngine]
) -> None:
    pytest.importorskip("matplotlib")
    from sct_rootlets.files.outputs import OutputSet

    use_engine()
    result = pipeline.run(neck.image)
    with OutputSet() as outputs:
        files = result.stage_qc(outputs, tmp_path / "qc")
    assert files["figure"].read_bytes().startswith(b"\x89PNG")
    assert files["report"].name == "image_spinal_levels.html"
    page = files["report"].read_text()
    assert "knowing 1.0" in page
    assert "cd" * 32 in page
    assert "a note of the engine" in page
    assert "http://" not in page  # nothing is fetched from anywhere
    assert "https://" not in page


@pytest.mark.parametrize("identity", [True, False])
def test_the_quality_control_of_rootlets_alone(
    neck: Neck, tmp_path: Path, use_engine: Callable[..., KnowingEngine], identity: bool
) -> None:
    pytest.importorskip("matplotlib")
    from sct_rootlets.files.outputs import OutputSet

    use_engine(identity=identity, compact=False)
    predicted = pipeline.segment(neck.image)
    assert predicted.cord is None
    with OutputSet() as outputs:
        files = predicted.stage_qc(outputs, tmp_path / "qc", "t2_rootlets")
    assert files == {"report": tmp_path / "qc" / "t2_rootlets.html"}
    page = files["report"].read_text()
    assert "knowing 1.0" in page
    assert "a note of the engine" in page
    assert page.count("data:image/png;base64,") == 2
    assert predicted.mosaic().background != predicted.mosaic(left_on_left=True).background
