"""Every wrong input through the real command: status, message, and nothing written."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from sct_rootlets.files.names import level_files
from tests.forked import sct_rootlets
from tests.levels.bent_cord import turned
from tests.synthetic import RAS_1MM, Neck, make_model_folder, make_neck, save_array


@pytest.fixture(scope="module")
def neck() -> Neck:
    return make_neck()


@pytest.fixture(scope="module")
def inputs(neck: Neck, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder of good and of wrong inputs; no test may change it."""
    folder = tmp_path_factory.mktemp("inputs")
    neck.write(folder)
    grid, grey = neck.image.grid, neck.image.data
    whole = (folder / "t2.nii.gz").read_bytes()
    (folder / "folder.nii.gz").mkdir()
    (folder / "text.nii.gz").write_text("no image\n" * 50)
    (folder / "truncated.nii.gz").write_bytes(whole[: len(whole) // 2])
    (folder / "nothing.nii.gz").write_bytes(b"")
    plain = gzip.decompress(whole)
    for other in ("other.nii.gz", "again/t2.nii.gz"):
        (folder / other).parent.mkdir(exist_ok=True)
        (folder / other).write_bytes(whole)
    (folder / "t2.nii").write_bytes(plain)
    (folder / "truncated.nii").write_bytes(plain[: len(plain) // 2])
    save_array(folder / "flat.nii.gz", grey[:, :, 50], grid.affine)
    save_array(folder / "series.nii.gz", np.stack([grey[:9, :9, :9]] * 3, axis=-1), grid.affine)
    save_array(folder / "constant.nii.gz", np.full_like(grey, 7), grid.affine)
    nan = grey.copy()
    nan[:, :, :60] = np.nan
    save_array(folder / "nan.nii.gz", nan, grid.affine)
    save_array(folder / "slice.nii.gz", grey[:, :, 50:51], grid.affine)
    save_array(folder / "no_voxels.nii.gz", grey[:, :, :0], grid.affine)
    save_array(folder / "tensors.nii.gz", np.zeros((9, 9, 9, 1, 6), np.float32), grid.affine)
    colours = np.zeros((9, 9, 9), np.dtype([(c, np.uint8) for c in "RGB"]))
    save_array(folder / "colours.nii.gz", colours, grid.affine)
    claims = bytearray(plain)
    claims[42:48] = np.array([10000, 10000, 10000], "<i2").tobytes()  # dim[1:4]
    (folder / "claims.nii.gz").write_bytes(gzip.compress(bytes(claims)))
    with (folder / "huge.nii").open("wb") as file:
        claims[42:48] = np.array([2000, 1000, 1000], "<i2").tobytes()
        file.write(bytes(claims[:352]))
        file.truncate(352 + 4 * 2000 * 1000 * 1000)  # sparse
    save_array(folder / "zeros.nii.gz", np.zeros(grid.shape, np.uint8), grid.affine)
    moved = grid.affine.copy()
    moved[2, 3] += 20
    cord, rootlets = (x.data.astype(np.uint8) for x in (neck.cord, neck.rootlets))
    save_array(folder / "moved.nii.gz", cord, moved)
    save_array(folder / "cropped.nii.gz", cord[:, :, :80], grid.affine)
    save_array(folder / "unnumbered.nii.gz", (rootlets > 0).astype(np.uint8), grid.affine)
    for name, image in (("turned_cord", neck.cord), ("turned_discs", neck.discs)):
        other = turned(image, (2, 0, 1), (True, False, True))
        save_array(folder / f"{name}.nii.gz", other.data.astype(np.uint8), other.grid.affine)
    soft = np.clip(0.9 * cord + 0.05, 0, 1).astype(np.float32)
    save_array(folder / "soft_cord.nii.gz", soft, grid.affine)
    save_array(
        folder / "soft_rootlets.nii.gz", 0.7 * (rootlets > 0).astype(np.float32), grid.affine
    )
    save_array(folder / "faint_cord.nii.gz", 0.3 * cord.astype(np.float32), grid.affine)
    save_array(folder / "one_volume.nii.gz", rootlets[..., None], grid.affine)
    save_array(folder / "beyond_s5.nii.gz", np.where(rootlets == 6, 31, rootlets), grid.affine)
    save_array(folder / "negative.nii.gz", -rootlets.astype(np.int16), grid.affine)
    save_array(folder / "whole_numbers.nii.gz", np.rint(grey).astype(np.int16), grid.affine)
    far = grid.affine.copy()
    far[2, 3] += 500
    save_array(folder / "far_discs.nii.gz", neck.discs.data.astype(np.uint8), far)
    vertebrae = cord * (2 + (99 - np.arange(100)) // 18).astype(np.uint8)
    save_array(folder / "labelled_cord.nii.gz", vertebrae, grid.affine)
    nan_affine = save_array(folder / "nan_affine.nii", cord, grid.affine)
    raw = bytearray(nan_affine.read_bytes())
    raw[280:284] = np.array([np.nan], "<f4").tobytes()  # srow_x[0]
    nan_affine.write_bytes(bytes(raw))
    pmj = np.zeros(grid.shape, np.uint8)
    pmj[16, 20, 95] = 50
    save_array(folder / "pmj.nii.gz", pmj, grid.affine)
    make_model_folder(folder / "model", has_level_identity=False)
    assert np.allclose(RAS_1MM, np.eye(4))
    return folder


def listing(folder: Path) -> dict[str, tuple[int, int]]:
    """Return size and time of change of everything in a folder."""
    return {
        str(path.relative_to(folder)): (path.lstat().st_size, path.lstat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
    }


def assert_refused(inputs: Path, command: str, status: int, *told: str) -> None:
    """Run `command` in the folder of inputs; check status, message, and that nothing changed."""
    before = listing(inputs)
    done = sct_rootlets(*command.split(), folder=inputs)
    assert done.returncode == status, done.stderr
    assert listing(inputs) == before
    message = done.stderr.partition("sct_rootlets: error: ")[2]
    assert message, done.stderr
    for text in told:
        assert text in message
    assert "Traceback" not in done.stderr
    assert len(message.strip().splitlines()) == 1


IMAGES = {
    "missing.nii.gz": "no such file",
    "folder.nii.gz": "is a folder",
    "text.nii.gz": "cannot be read",
    "truncated.nii.gz": "",  # found while reading the header or the voxels
    "truncated.nii": "truncated or damaged",
    "nothing.nii.gz": "empty file",
    "flat.nii.gz": "2 dimensions",
    "series.nii.gz": "with -volume N",
    "constant.nii.gz": "is constant",
    "zeros.nii.gz": "is constant",
    "nan.nii.gz": f"{33 * 33 * 60} voxels that are NaN or infinite, of {33 * 33 * 100}",
    "slice.nii.gz": "single slice",
    "no_voxels.nii.gz": "no voxels",
    "tensors.nii.gz": "5 dimensions",
    "colours.nii.gz": "holds colours",
    "claims.nii.gz": "header promises 4e+03 GB",
    "huge.nii": "2e+09 voxels",
    "cord.nii.gz": "mask or labels",
}


@pytest.mark.parametrize("name", IMAGES)
def test_wrong_images(inputs: Path, name: str) -> None:
    command = f"run -i {name} -discs discs.nii.gz -model model -ofolder out -qc qc"
    assert_refused(inputs, command, 1, name, IMAGES[name])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("-i series.nii.gz -volume 3", "series.nii.gz: has 3 volumes, 0 to 2"),
        ("-i t2.nii.gz -volume 1", "t2.nii.gz: has one volume"),
    ],
)
@pytest.mark.parametrize(
    "command", ["run -ofolder out -discs discs.nii.gz", "segment -ofolder out"]
)
def test_volumes_that_are_not_there(inputs: Path, command: str, words: str, told: str) -> None:
    assert_refused(inputs, f"{command} {words} -model model", 2, told, "counted from 0")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("-i t2.nii.gz other.nii.gz -o out/a.nii.gz", "-o has 1 and -i has 2 files"),
        ("-i t2.nii.gz -o out/a.nii.gz out/b.nii.gz", "-o has 2 and -i has 1 files"),
        ("-i t2.nii.gz other.nii.gz -s cord.nii.gz -ofolder out", "-s has 1 and -i has 2"),
        ("-i t2.nii.gz other.nii.gz -discs discs.nii.gz", "-discs belongs to one image"),
        ("-i t2.nii.gz other.nii.gz -vertfile discs.nii.gz", "-vertfile belongs to one image"),
        ("-i t2.nii.gz other.nii.gz -c2c3 0,9,65", "-c2c3 belongs to one image"),
        ("-i t2.nii.gz ./t2.nii.gz -ofolder out", "would be written for t2.nii.gz and again"),
        ("-i t2.nii.gz t2.nii", "t2_rootlets.nii.gz: would be written"),
        ("-i t2.nii.gz other.nii.gz -o out/a.nii.gz out/a.nii", "out/a.json: would be written"),
        ("-i t2.nii.gz other.nii.gz -o out/a.nii.gz other.nii.gz", "other.nii.gz: is an input"),
        ("-i t2.nii.gz -o out/t2_seg.nii.gz", "out/t2_seg.nii.gz: would be written"),
    ],
)
def test_several_images_that_do_not_go_together(inputs: Path, words: str, told: str) -> None:
    assert_refused(inputs, f"segment {words} -model model", 2, told)


def test_the_same_stem_in_two_folders_has_one_cord_mask(inputs: Path) -> None:
    """The rootlets have names of their own, and the masks beside them have not."""
    command = "segment -i t2.nii.gz again/t2.nii.gz -o out/a.nii.gz out/b.nii.gz -model model"
    assert_refused(inputs, command, 2, "out/t2_seg.nii.gz: would be written for t2.nii.gz")


def test_nothing_but_broken_images_loads_no_model(inputs: Path) -> None:
    before = listing(inputs)
    command = "segment -i missing.nii.gz series.nii.gz -model nowhere/model"
    done = sct_rootlets(*command.split(), folder=inputs)
    assert done.returncode == 1
    assert listing(inputs) == before
    errors = [text for text in done.stderr.splitlines() if "sct_rootlets: error: " in text]
    assert len(errors) == 3
    assert "missing.nii.gz: no such file" in errors[0]
    assert "series.nii.gz: has 4 dimensions" in errors[1]
    assert "2 of 2 images could not be segmented: missing.nii.gz, series.nii.gz" in errors[2]
    assert "nowhere" not in done.stderr


SEGMENTATIONS = {
    "missing.nii.gz": "no such file",
    "truncated.nii.gz": "",
    "flat.nii.gz": "2 dimensions",
    "series.nii.gz": "4 dimensions",
    "zeros.nii.gz": "is empty",
    "t2.nii.gz": "not whole numbers",
    "soft_rootlets.nii.gz": "not whole numbers",
    "beyond_s5.nii.gz": "no spinal levels: [31]",
    "negative.nii.gz": "out of range",
    "discs.nii.gz": "point labels",
    "whole_numbers.nii.gz": "no spinal levels",
}


@pytest.mark.parametrize("name", SEGMENTATIONS)
def test_wrong_rootlets(inputs: Path, name: str) -> None:
    command = f"levels -i {name} -s cord.nii.gz -o out/levels.nii.gz"
    assert_refused(inputs, command, 1, name, SEGMENTATIONS[name])


CORDS = {
    "zeros.nii.gz": "is empty",
    "faint_cord.nii.gz": "is empty at a probability of 0.5",
    "t2.nii.gz": "not whole numbers",
    "whole_numbers.nii.gz": "looks like an MR image",
    "series.nii.gz": "4 dimensions",
    "nan_affine.nii": "no valid orientation",
    "discs.nii.gz": "is no usable cord mask",
}


@pytest.mark.parametrize("name", CORDS)
def test_wrong_cords(inputs: Path, name: str) -> None:
    command = f"levels -i rootlets.nii.gz -s {name} -o out/levels.nii.gz"
    assert_refused(inputs, command, 1, name, CORDS[name])


@pytest.mark.parametrize(
    ("landmarks", "status", "told"),
    [
        ("-discs far_discs.nii.gz", 1, "all its discs outside the field of view"),
        ("-discs series.nii.gz", 1, "4 dimensions"),
        ("-discs soft_cord.nii.gz", 1, "not whole numbers"),
        ("-discs pmj.nii.gz", 2, "holds no disc label"),
        ("-discs labelled_cord.nii.gz", 2, "-vertfile"),
        ("-pmj rootlets.nii.gz", 1, "no PMJ label"),
        ("-pmj nan_affine.nii", 1, "no valid orientation"),
        ("-c2c3 0,9,650", 2, "outside the field of view"),
        ("-dilation 3", 2, "-definition valosek2024"),
        ("-definition valosek2024 -extend T12", 2, "-extend"),
    ],
)
def test_wrong_landmarks_and_options(inputs: Path, landmarks: str, status: int, told: str) -> None:
    command = f"levels -i rootlets.nii.gz -s cord.nii.gz {landmarks} -o out/levels.nii.gz"
    assert_refused(inputs, command, status, told)


def test_neither_rootlets_nor_vertebrae(inputs: Path) -> None:
    assert_refused(inputs, "levels -s cord.nii.gz -o out/levels.nii.gz", 2, "-i", "-discs")


def test_the_published_method_needs_rootlets(inputs: Path) -> None:
    command = "levels -s cord.nii.gz -discs discs.nii.gz -definition valosek2024 -o out/x.nii.gz"
    assert_refused(inputs, command, 2, "needs rootlets")


MEANINGS = {
    "a cord mask in another orientation": ("rootlets.nii.gz", "turned_cord.nii.gz", ""),
    "probabilities": ("rootlets.nii.gz", "soft_cord.nii.gz", "was cut at 0.5"),
    "one volume in four dimensions": ("one_volume.nii.gz", "cord.nii.gz", ""),
}


@pytest.mark.parametrize("case", MEANINGS)
def test_plain_meanings_are_understood(inputs: Path, tmp_path: Path, case: str) -> None:
    rootlets, cord, told = MEANINGS[case]
    tables = []
    for name, words in {
        "as_usual": "rootlets.nii.gz -s cord.nii.gz",
        "other": f"{rootlets} -s {cord}",
    }.items():
        target = tmp_path / f"{name}.nii.gz"
        done = sct_rootlets(*f"levels -i {words} -o {target}".split(), folder=inputs)
        assert done.returncode == 0, done.stderr
        text = (tmp_path / f"{name}.tsv").read_text()
        tables.append(text.replace(rootlets, "rootlets.nii.gz"))
    assert tables[0] == tables[1]
    warnings = json.loads((tmp_path / "other.json").read_text())["warnings"]
    assert told in " ".join(done.stderr.split())
    assert told in " ".join(warnings)


def test_discs_in_another_orientation_or_on_another_grid(inputs: Path, tmp_path: Path) -> None:
    tables = []
    for discs in ("discs.nii.gz", "turned_discs.nii.gz"):
        target = tmp_path / f"{discs}.nii.gz"
        command = f"levels -i unnumbered.nii.gz -s cord.nii.gz -discs {discs} -o {target}"
        done = sct_rootlets(*command.split(), folder=inputs)
        assert done.returncode == 0, done.stderr
        tables.append((tmp_path / f"{discs}.tsv").read_text())
    assert tables[0] == tables[1]


@pytest.mark.parametrize("name", ["moved.nii.gz", "cropped.nii.gz"])
@pytest.mark.parametrize(
    "command",
    [
        "levels -i rootlets.nii.gz -s {} -o out/levels.nii.gz",
        "run -i t2.nii.gz -s {} -discs discs.nii.gz -model model -ofolder out",
        "segment -i t2.nii.gz -s {} -model model -o out/rootlets.nii.gz",
    ],
)
def test_other_grids(inputs: Path, command: str, name: str) -> None:
    assert_refused(inputs, command.format(name), 1, name, "is not on the grid of")


def test_cord_and_rootlets_swapped(inputs: Path) -> None:
    command = "levels -i cord.nii.gz -s rootlets.nii.gz -discs discs.nii.gz -o out/levels.nii.gz"
    assert_refused(inputs, command, 2, "cord.nii.gz", "rootlets.nii.gz", "-i", "-s")


def test_the_same_file_as_cord_and_as_rootlets(inputs: Path) -> None:
    command = "levels -i cord.nii.gz -s cord.nii.gz -discs discs.nii.gz -o out/levels.nii.gz"
    assert_refused(inputs, command, 2, "cord.nii.gz", "same voxels")


@pytest.mark.parametrize(
    "command",
    [
        "run -i t2.nii.gz -model model -ofolder out",
        "run -i t2.nii.gz -model model -discs pmj.nii.gz -ofolder out",
        "levels -i unnumbered.nii.gz -s cord.nii.gz -o out/levels.nii.gz",
        "levels -i unnumbered.nii.gz -s cord.nii.gz -discs pmj.nii.gz -o out/levels.nii.gz",
    ],
)
def test_no_disc_label(inputs: Path, command: str) -> None:
    assert_refused(inputs, command, 2, "-discs", "-c2c3", "C2/C3")


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("levels -i rootlets.nii.gz -s cord.nii.gz -o rootlets.nii.gz", "rootlets.nii.gz"),
        ("levels -i rootlets.nii.gz -s cord.nii.gz -o ./cord.nii.gz", "cord.nii.gz"),
        ("segment -i t2.nii.gz -o t2.nii.gz -model model", "t2.nii.gz"),
    ],
)
def test_an_input_as_the_output(inputs: Path, command: str, name: str) -> None:
    assert_refused(inputs, command, 2, name, "is an input")


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("run -i t2.nii.gz -discs discs.nii.gz -model nowhere/model -ofolder out", "nowhere/model"),
        ("run -i t2.nii.gz -discs discs.nii.gz -model unheard-of -ofolder out", "unheard-of"),
        ("run -i t2.nii.gz -discs discs.nii.gz -model folder.nii.gz -ofolder out", "folder.nii.gz"),
    ],
)
def test_no_such_model(inputs: Path, command: str, told: str) -> None:
    assert_refused(inputs, command, 1, told)


def test_a_file_where_the_output_folder_should_be(inputs: Path) -> None:
    command = "levels -i rootlets.nii.gz -s cord.nii.gz -o t2.nii.gz/levels.nii.gz"
    assert_refused(inputs, command, 1, "t2.nii.gz", "is not a folder")


def test_a_trained_on_seed_is_no_demonstration(inputs: Path) -> None:
    assert_refused(inputs, "demo -o out -seed 1000000", 2, "1000000")


def test_the_good_inputs_are_good(inputs: Path, tmp_path: Path) -> None:
    """What the tests above get wrong is the one thing they mean to get wrong."""
    pytest.importorskip("matplotlib", reason="the figure is one of the files")
    target = tmp_path / "made" / "levels.nii.gz"
    for rootlets in ("rootlets.nii.gz", "unnumbered.nii.gz -discs discs.nii.gz"):
        command = f"levels -i {rootlets} -s cord.nii.gz -o {target}"
        done = sct_rootlets(*command.split(), folder=inputs)
        assert done.returncode == 0, done.stderr
        assert {p.name for p in target.parent.iterdir()} == {
            path.name for path in level_files(target).values()
        }
        assert "C4     measured" in done.stdout
        assert "fsleyes" in done.stdout.splitlines()[-1]
