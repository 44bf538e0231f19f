"""Our command lines through SCT's own parsers and its own code that names and writes outputs.

Its networks and binaries are replaced by known answers; everything around them is SCT's.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from sct_rootlets.phantom import Phantom
from sct_rootlets.sct import recipes
from sct_rootlets.sct.commands import environment, state_of_tasks
from sct_rootlets.sct.installation import SctInstallation
from sct_rootlets.sct.making import check_usable
from sct_rootlets.sct.recipes import Recipe
from tests.sct.stand_in_answers import write_truth

#: Puts known answers in place of what SCT's networks and binaries would find.
PROGRAM = """
import json, os, shutil, sys, types
from pathlib import Path
command, truth, argv = sys.argv[1], Path(sys.argv[2]), sys.argv[3:]
import importlib
script = importlib.import_module(f"spinalcordtoolbox.scripts.{command}")
from spinalcordtoolbox.image import Image
script.get_parser().parse_args(argv)

if command == "sct_deepseg":
    models = script.models
    folder = truth / "model"
    (folder / "nnUNet" / "results" / "r20990101").mkdir(parents=True, exist_ok=True)
    (folder / "source.json").write_text('{"model_urls": "nowhere"}')
    models.folder = lambda name: str(folder)
    models.is_valid = models.is_up_to_date = lambda path: True
    models.check_model_software_type = lambda path: "nnunet"
    models.load_crop_metadata = lambda name, path: {}
    real = importlib.import_module("spinalcordtoolbox.deepseg.inference")

    def found_by_totalspineseg(input_path, output_path, keep_only, **options):
        for name in keep_only:
            target = Path(output_path) / name / Path(input_path).name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(truth / "discs.nii.gz", target)

    def found_by_nnunet(path_img, tmpdir, **options):
        return [str(truth / "cord.nii.gz")], ["_seg"]

    real.tss_inference = found_by_totalspineseg
    real.segment_nnunet = found_by_nnunet
    real.ds_nnunet.create_nnunet_from_plans = lambda *a, **k: None
    if argv[0] == "spine":
        models.folder = lambda name: os.path.join(truth, name)
        shutil.copytree(folder, models.folder(models.TASKS["spine"]["models"][0]))

if command == "sct_detect_pmj":
    import nibabel, numpy

    def spine_detect(cmd, **options):
        slice2d = nibabel.load(f"{cmd[2]}.nii")
        data = numpy.zeros(slice2d.shape, numpy.float32)
        data[data.shape[0] // 2, data.shape[1] // 2, 0] = 5
        nibabel.save(nibabel.Nifti1Pair(data, slice2d.affine), f"{cmd[3]}_svm.hdr")
        return 0, ""

    script.run_proc = spine_detect

if command == "sct_label_vertebrae":
    argv += ["-discfile", str(truth / "discs.nii.gz")]

script.main(argv)
"""


@pytest.fixture
def truth(phantom_small: Phantom, tmp_path: Path) -> Path:
    images = {"cord": phantom_small.cord, "discs": phantom_small.discs}
    return write_truth(tmp_path / "truth", t2=phantom_small.image, **images)


@pytest.mark.sct
@pytest.mark.parametrize("kind", ["cord", "discs", "template", "pmj"])
def test_sct_takes_our_options_and_writes_where_we_look(
    real_sct: SctInstallation, phantom_small: Phantom, truth: Path, tmp_path: Path, kind: str
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    image, mask = truth / "t2.nii.gz", truth / "cord.nii.gz"
    recipe: Recipe = {
        "cord": lambda: recipes.cord(image, out),
        "discs": lambda: recipes.discs_by_network(image, out),
        "template": lambda: recipes.discs_by_template(image, out, mask),
        "pmj": lambda: recipes.pmj(image, out, mask),
    }[kind]()
    before = {path.name for path in truth.iterdir()}
    done = subprocess.run(
        [real_sct.python, "-c", PROGRAM, recipe.command, truth, *recipe.options],
        cwd=out,
        env=environment(temporary=tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    moved = f"SCT {real_sct.version} does not do any more what {recipe.name} is called for:\n"
    assert done.returncode == 0, moved + done.stdout + done.stderr
    assert recipe.made.exists(), moved + f"it wrote {sorted(p.name for p in out.iterdir())}"
    check_usable("discs" if kind == "template" else kind, recipe.made, phantom_small.image, mask)
    assert {path.name for path in truth.iterdir() if path.suffix == ".gz"} <= before
    assert recipe.line.startswith(recipe.name)


@pytest.mark.sct
def test_sct_says_which_tasks_it_has(real_sct: SctInstallation) -> None:
    states = state_of_tasks(real_sct, ("spinalcord", "spine", "rootlets", "nonsense"))
    assert states is not None, "spinalcordtoolbox.deepseg.models has moved"
    assert set(states) == {"spinalcord", "spine", "rootlets"}
    assert set(states.values()) <= {"installed", "missing", "old"}
    named = recipes.cord(Path("t2.nii.gz"), Path()), recipes.discs_by_network(Path("x"), Path())
    assert {recipe.task for recipe in named} < set(states)


@pytest.mark.sct
@pytest.mark.parametrize("command", ["sct_deepseg", "sct_label_vertebrae", "sct_detect_pmj"])
def test_sct_has_a_launcher_of_each_command(real_sct: SctInstallation, command: str) -> None:
    launcher = real_sct.command(command)
    assert launcher is not None
    subprocess.run([launcher, "-h"], env=environment(), capture_output=True, check=True)


@pytest.mark.parametrize(
    ("name", "contrast"), [("sub-1_T1w", "t1"), ("sub-1_UNIT1", "t1"), ("t2", "t2")]
)
def test_the_contrast_is_that_of_the_name(name: str, contrast: str) -> None:
    assert f"-c {contrast} " in recipes.pmj(Path(f"{name}.nii.gz"), Path(), None).line


def test_names_do_not_collide(tmp_path: Path) -> None:
    image = tmp_path / "t2.nii.gz"
    # SCT copies image and mask into one folder by their names
    assert "-s" not in recipes.pmj(image, tmp_path, tmp_path / "masks" / "t2.nii.gz").options
    recipe = recipes.discs_by_template(image, tmp_path, tmp_path / "own.nii")
    assert recipe.made == tmp_path / "own_labeled_discs.nii"
