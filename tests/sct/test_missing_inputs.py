"""Inputs that are given, manual, at hand, or made by SCT, with a stand-in for SCT."""

from __future__ import annotations

import json
import logging
import shlex
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from sct_rootlets.errors import InputError
from sct_rootlets.files.results import ResultSet
from sct_rootlets.files.sidecar import sidecar
from sct_rootlets.files.standing import Standing, standing
from sct_rootlets.image import load_labels, save
from sct_rootlets.phantom import Phantom
from sct_rootlets.sct.missing_inputs import KINDS, MadeInputs, Making, find_manual, make_missing
from tests.sct.stand_in_answers import StandIn, copy_as


@dataclass
class Case:
    """An image in a BIDS dataset, the SCT that there is, and the lines that the user was told."""

    sct: StandIn
    image: Path
    out: Path
    said: list[str] = field(default_factory=list)

    @property
    def labels(self) -> Path:
        """Where manual files of the image are."""
        return self.image.parents[2] / "derivatives" / "labels" / "sub-01" / "anat"

    def make(
        self,
        image: Path | None = None,
        out: Path | None = None,
        *,
        with_sct: bool = True,
        with_rootlets: bool = False,
        wanted: Collection[str] = tuple(KINDS),
        needed: Collection[str] = ("discs",),
        offline: bool | None = None,
        volume: int | None = None,
        **given: Path,
    ) -> MadeInputs:
        return make_missing(
            image or self.image,
            out or self.out,
            sct=self.sct.sct if with_sct else None,
            given=given,
            wanted=wanted,
            needed=needed,
            with_rootlets=with_rootlets,
            making=Making(volume, offline=offline, say=self.said.append),
        )


@pytest.fixture
def case(
    stand_in: StandIn, phantom_small: Phantom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Case:
    """Write the phantom into a dataset, and go there."""
    path = tmp_path / "data" / "sub-01" / "anat" / "sub-01_T2w.nii.gz"
    path.parent.mkdir(parents=True)
    save(phantom_small.image, path)
    monkeypatch.chdir(tmp_path)
    return Case(stand_in, path, tmp_path / "out")


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.exists() else set()


def same(path: Path, truth: Path) -> bool:
    return bool(np.array_equal(load_labels(path).data, load_labels(truth).data))


def test_sct_makes_all_that_is_missing(case: Case) -> None:
    beside = names(case.image.parent)
    made = case.make()
    assert {kind: path.name for kind, path in made.paths.items()} == {
        "cord": "sub-01_T2w_seg.nii.gz",
        "discs": "sub-01_T2w_totalspineseg_discs.nii.gz",
        "pmj": "sub-01_T2w_pmj.nii.gz",
    }
    for kind, path in made.paths.items():
        assert path.parent == case.out
        assert same(path, case.sct.truth / f"{kind}.nii.gz")
        content = json.loads(path.with_name(path.name.replace(".nii.gz", ".json")).read_text())
        assert content["GeneratedBy"][0]["Name"].startswith("spinalcordtoolbox: sct_de")
        assert standing(path) is Standing.FOREIGN
    assert made.warnings == ()
    assert made.origins == {
        "cord": "SCT 7.4.stand-in: sct_deepseg spinalcord -i sub-01_T2w.nii.gz "
        "-o sub-01_T2w_seg.nii.gz",
        "discs": "SCT 7.4.stand-in: sct_deepseg spine -i sub-01_T2w.nii.gz -o sub-01_T2w.nii.gz",
        "pmj": made.origins["pmj"],
    }
    # the PMJ is looked for along the mask that was made before
    assert case.sct.calls[2]["argv"][-2:] == ["-s", str(made.paths["cord"])]
    # nothing lands beside the image, and nothing else of SCT in the results
    assert names(case.image.parent) == beside
    results = {path.name for path in made.paths.values()}
    sidecars = {name.replace(".nii.gz", ".json") for name in results}
    assert names(case.out) == {*results, *sidecars, "sub-01_T2w_sct.log"}
    log = (case.out / "sub-01_T2w_sct.log").read_text()
    shown = [line.strip() for line in case.said if "/sct_" in line]
    assert [shlex.split(line)[1:] for line in shown] == [call["argv"] for call in case.sct.calls]
    assert all(f"$ {line}\n" in log for line in shown)


def test_given_then_manual_then_at_hand(case: Case) -> None:
    cord, discs, pmj = (case.sct.truth / f"{kind}.nii.gz" for kind in KINDS)
    manual = {
        "cord": case.labels / "sub-01_T2w_label-SC_seg.nii.gz",
        "discs": case.labels / "sub-01_T2w_labels-disc-manual.nii.gz",
    }
    for kind, path in manual.items():
        copy_as(case.sct.truth / f"{kind}.nii.gz", path)
    copy_as(cord, case.out / "sub-01_T2w_seg.nii.gz")
    copy_as(discs, case.out / "sub-01_T2w_totalspineseg_discs.nii.gz")
    copy_as(pmj, case.out / "sub-01_T2w_pmj.nii.gz")
    copy_as(cord, own := case.out.parent / "own.nii.gz")
    made = case.make(cord=own)
    assert made.origins == {"cord": "given", "discs": "manual", "pmj": "at hand"}
    assert made.paths == {
        "cord": own,
        "discs": manual["discs"],
        "pmj": case.out / "sub-01_T2w_pmj.nii.gz",
    }
    assert case.sct.calls == []
    assert case.said == [
        f"Disc labels: {manual['discs']} (manual)",
        f"PMJ: {case.out / 'sub-01_T2w_pmj.nii.gz'} (at hand)",
    ]
    assert case.make().paths["cord"] == manual["cord"]


def test_what_sct_made_is_at_hand_the_next_time_also_beside_the_image(case: Case) -> None:
    first = case.make(out=case.image.parent)
    before = {path: path.stat().st_mtime_ns for path in first.paths.values()}
    count = len(case.sct.calls)
    for folder in (case.image.parent, case.out):
        again = case.make(out=folder)
        assert again.paths == first.paths
        assert set(again.origins.values()) == {"at hand"}
    assert len(case.sct.calls) == count
    assert {path: path.stat().st_mtime_ns for path in first.paths.values()} == before


def test_a_mask_that_we_predicted_gives_way_to_one_of_sct_unless_it_was_corrected(
    case: Case,
) -> None:
    mask = case.out / "sub-01_T2w_seg.nii.gz"

    def predict() -> None:
        about = sidecar(beside=case.out, sources=(), description="A mask.")
        with ResultSet(overwrite=True) as outputs:
            outputs.write(mask, (case.sct.truth / "discs.nii.gz").read_bytes())
            outputs.record(case.out / "sub-01_T2w_seg.json", about, [mask])

    predict()
    made = case.make(wanted=["cord"])
    assert same(made.paths["cord"], case.sct.truth / "cord.nii.gz")
    assert made.origins["cord"].startswith("SCT")
    predict()
    copy_as(case.sct.truth / "cord.nii.gz", mask)  # its sidecar stays
    made = case.make(wanted=["cord"])
    assert made.origins["cord"] == "at hand"
    assert standing(mask) is Standing.CHANGED


def test_without_sct_only_manual_files_count(case: Case) -> None:
    copy_as(case.sct.truth / "pmj.nii.gz", case.image.with_name("sub-01_T2w_pmj.nii.gz"))
    assert case.make(with_sct=False) == MadeInputs({}, {})
    copy_as(case.sct.truth / "cord.nii.gz", mask := case.labels / "sub-01_T2w_label-SC_mask.nii.gz")
    assert case.make(with_sct=False) == MadeInputs({"cord": mask}, {"cord": "manual"})
    assert not case.out.exists()


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        ("fail", "sct_deepseg spinalcord failed with exit status 1"),
        ("nothing", "sct_deepseg spinalcord found none"),
        ("grid", "made cannot be used: it is not on the grid of"),
        ("empty", "made cannot be used: it is empty"),
    ],
)
def test_what_sct_cannot_make_is_a_warning(
    case: Case, caplog: pytest.LogCaptureFixture, mode: str, reason: str
) -> None:
    case.sct.behave(**{"sct_deepseg spinalcord": mode})
    with caplog.at_level(logging.WARNING):
        made = case.make()
    assert set(made.paths) == {"discs", "pmj"}
    assert made.origins["cord"].startswith("none: ")
    assert reason in made.origins["cord"]
    assert str(case.out) not in made.origins["cord"]  # it goes to sidecars
    (warning,) = made.warnings
    assert warning.startswith("No cord mask by SCT: ")
    assert "another can be given with -s" in warning
    assert [record.message for record in caplog.records] == [warning]
    assert not (case.out / "sub-01_T2w_seg.nii.gz").exists()
    assert not list(case.out.glob(".*"))


@pytest.mark.slow
def test_discs_by_the_template_where_the_network_fails(case: Case) -> None:
    for mode in ("fail", "nothing", "empty", "disorder"):
        case.sct.behave(**{"sct_deepseg spine": mode})
        made = case.make(out=case.out / mode)
        assert made.paths["discs"].name == "sub-01_T2w_seg_labeled_discs.nii.gz"
        assert "sct_label_vertebrae -i sub-01_T2w.nii.gz -s sub-01" in made.origins["discs"]
        assert "-c t2" in made.origins["discs"]
        assert made.warnings == ()
    assert "  sct_deepseg spine failed with exit status 1" in case.said
    assert not (case.out / "fail" / "warp_curve2straight.nii.gz").exists()


def test_discs_that_nothing_can_make(case: Case) -> None:
    case.sct.behave(sct_deepseg="fail", sct_label_vertebrae="fail", sct_detect_pmj="nothing")
    made = case.make()
    assert made.paths == {}
    _, discs, pmj = made.warnings
    assert "sct_deepseg spine failed" in discs
    assert "sct_label_vertebrae needs a cord mask" in discs
    assert "C2/C3 alone" in discs
    assert "sct_detect_pmj found none" in pmj
    assert "sct_label_vertebrae" not in case.sct.called


def test_a_model_that_is_not_installed_is_downloaded_only_where_it_may_be(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    case.sct.tasks(spinalcord="installed", spine="missing")
    case.make(out=case.out / "needed")
    assert case.sct.called == ["sct_deepseg spinalcord", "sct_deepseg spine", "sct_detect_pmj"]
    assert (
        "  The model of sct_deepseg spine is not installed: SCT downloads it first, once"
        in case.said
    )
    # discs that are not needed are not worth a large download
    made = case.make(out=case.out / "optional", needed=())
    assert made.paths["discs"].name.endswith("_labeled_discs.nii.gz")
    case.sct.tasks(spinalcord="missing", spine="missing")
    count = len(case.sct.calls)
    made = case.make(out=case.out / "offline", offline=True)
    assert case.sct.called[count:] == ["sct_detect_pmj"]
    assert "is not installed. SCT downloads it with 'sct_deepseg spinal" in made.warnings[0]
    monkeypatch.setenv("SCT_ROOTLETS_OFFLINE", "1")
    assert case.make(out=case.out / "variable").origins == made.origins


def test_sct_is_not_made_to_remove_a_model_that_is_out_of_date(case: Case) -> None:
    case.sct.tasks(spinalcord="old", spine="old")
    made = case.make()
    assert case.sct.called == ["sct_detect_pmj"]
    assert "the model of sct_deepseg spine is out of date" in made.origins["discs"]


def test_an_sct_without_the_task_or_that_does_not_answer(case: Case) -> None:
    case.sct.tasks(spinalcord="installed")
    made = case.make(out=case.out / "old")
    assert made.paths["discs"].name.endswith("_labeled_discs.nii.gz")
    (case.sct.folder / "spinalcordtoolbox" / "deepseg" / "models.py").write_text("import nothing")
    made = case.make(out=case.out / "dumb")
    assert "sct_deepseg spine" in made.origins["discs"]
    made = case.make(out=case.out / "dumb and offline", offline=True)
    assert set(made.paths) == {"pmj"}


def test_one_volume_and_an_image_that_is_not_compressed(case: Case, phantom_small: Phantom) -> None:
    data = np.stack([np.zeros_like(phantom_small.image.data), phantom_small.image.data], axis=-1)
    nifti = nib.Nifti1Image(data.astype(np.float32), phantom_small.image.grid.affine)
    nib.save(nifti, series := case.image.with_name("series.nii.gz"))
    made = case.make(image=series, volume=1)
    assert set(made.paths) == set(KINDS)
    (copy,) = {call["argv"][call["argv"].index("-i") + 1] for call in case.sct.calls}
    assert Path(copy).name == "series.nii.gz"
    assert Path(copy) != series
    save(phantom_small.image, plain := case.image.with_name("plain.nii"))
    made = case.make(image=plain)
    assert "_totalspineseg_discs" in made.paths["discs"].name
    with pytest.raises(InputError, match="-volume"):
        case.make(image=series)


def test_a_manual_file_that_cannot_be_used_is_an_error_before_sct_runs(case: Case) -> None:
    case.labels.mkdir(parents=True)
    (case.labels / "sub-01_T2w_label-SC_seg.nii.gz").symlink_to("../annex/objects/not-fetched")
    with pytest.raises(InputError, match=r"link to a file that is not there.*git annex get"):
        case.make()
    (case.labels / "sub-01_T2w_label-SC_seg.nii.gz").unlink()
    copy_as(case.sct.truth / "discs.nii.gz", case.labels / "sub-01_T2w_label-pmj.nii.gz")
    other = nib.load(case.sct.truth / "cord.nii.gz")
    nib.save(other.slicer[:, :, 3:], case.labels / "sub-01_T2w_label-SC_seg.nii.gz")
    with pytest.raises(InputError, match=r"label-SC_seg\.nii\.gz: is not on the grid"):
        case.make()
    assert case.sct.calls == []


def test_the_cord_mask_beside_rootlets_at_hand_is_theirs(case: Case) -> None:
    """Whoever made it, without SCT; with SCT one that we predicted gives way as otherwise."""
    mask = case.image.with_name("sub-01_T2w_seg.nii.gz")
    copy_as(case.sct.truth / "cord.nii.gz", mask)
    assert case.make(with_sct=False).paths == {}
    made = case.make(with_sct=False, with_rootlets=True)
    assert (made.paths, made.origins) == ({"cord": mask}, {"cord": "at hand"})


def test_manual_files_by_their_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, processed = tmp_path / "data", tmp_path / "processed"
    for root in (data, processed):
        copy_as(Path(__file__), root / "sub-01" / "ses-M0" / "anat" / "sub-01_ses-M0_T2w.nii.gz")
    image = data / "sub-01" / "ses-M0" / "anat" / "sub-01_ses-M0_T2w.nii.gz"
    copied = processed / image.relative_to(data)
    labels = data / "derivatives" / "labels" / "sub-01" / "ses-M0" / "anat"
    older, newer, discs, pmj = (
        labels / f"sub-01_ses-M0_T2w{suffix}.nii.gz"
        for suffix in ("_seg-manual", "_label-SC_seg", "_label-discs_dlabel", "_label-PMJ_dlabel")
    )
    copy_as(Path(__file__), older, discs, pmj)
    assert find_manual(image) == {"cord": older, "discs": discs, "pmj": pmj}
    copy_as(Path(__file__), newer)
    assert find_manual(image)["cord"] == newer
    monkeypatch.chdir(image.parent)
    assert find_manual(image.name)["cord"] == newer
    # a copy of the image, as scripts of sct_run_batch make them
    assert find_manual(copied) == {}
    monkeypatch.setenv("PATH_DATA", str(data))
    assert find_manual(copied) == {}  # PATH_DATA alone may be anything
    monkeypatch.setenv("PATH_DATA_PROCESSED", str(processed))
    assert find_manual(copied)["cord"] == newer
    # another subject, another image, and no dataset at all
    copy_as(Path(__file__), other := data / "sub-02" / "anat" / "sub-02_T2w.nii.gz")
    assert find_manual(other) == {}
    assert find_manual(image.with_name("sub-01_ses-M0_T1w.nii.gz")) == {}
    assert find_manual(tmp_path / "T2w.nii.gz") == {}
    assert find_manual("/t2.nii.gz") == {}
