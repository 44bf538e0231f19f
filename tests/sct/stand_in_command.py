"""What the launchers of the stand-in run: options, names and habits of SCT 7.4's commands.

``modes.json`` in the folder of the stand-in says by command (``sct_deepseg spine`` before
``sct_deepseg``) how it behaves instead: ``fail`` prints an error and returns 1, ``killed`` is
killed, ``nothing`` writes nothing and returns 0, ``grid`` and ``empty`` write what cannot be used,
``disorder`` writes discs in disorder, ``hang`` starts a process of its own and waits.
"""

# ruff: noqa: T201 - a program
from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def main(name: str, home: Path, truth: Path, argv: list[str]) -> int:
    arguments = parser_of(name).parse_args(argv)
    task = getattr(arguments, "task", None)
    print(f"\n--\nSpinal Cord Toolbox (7.4.stand-in)\n\n{name} {' '.join(argv)}\n--\n")
    names = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "TMPDIR", "OMP_NUM_THREADS")
    env = {key: os.environ.get(key) for key in names}
    call = {"name": name, "task": task, "argv": argv, "cwd": os.getcwd(), "env": env}
    with (home / "calls.jsonl").open("a") as stream:
        stream.write(json.dumps(call) + "\n")
    modes = home / "modes.json"
    known = json.loads(modes.read_text()) if modes.exists() else {}
    mode = known.get(f"{name} {task}", known.get(name, ""))
    if mode == "fail":
        print("\033[31;1mERROR: the model did not like this image\033[0m", file=sys.stderr)
        print("Total runtime; 3.018 seconds.")
        return 1
    if mode == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if mode == "hang":
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        (home / "hanging.json").write_text(json.dumps([os.getpid(), child.pid]))
        time.sleep(600)
    folder = Path(tempfile.mkdtemp(prefix="sct_stand_in_"))  # SCT leaves these where it fails
    (folder / "leftover.nii").write_bytes(b"0" * 1000)
    if mode == "nothing":
        return 0
    globals()[f"run_{name}"](arguments, truth, mode)
    return 0


def parser_of(name: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=name, allow_abbrev=False)
    if name == "sct_deepseg":
        tasks = parser.add_subparsers(dest="task", required=True)
        for task in ("spinalcord", "spine"):
            of_task = tasks.add_parser(task, allow_abbrev=False)
            of_task.add_argument("-i", nargs="+", required=True)
            of_task.add_argument("-o")
        return parser
    parser.add_argument("-i", required=True)
    parser.add_argument("-c", choices=("t1", "t2"), required=True)
    parser.add_argument("-s", required=name == "sct_label_vertebrae")
    parser.add_argument("-ofolder", default=".")
    if name == "sct_detect_pmj":
        parser.add_argument("-o")
    return parser


def run_sct_deepseg(arguments: argparse.Namespace, truth: Path, mode: str) -> None:
    (image,) = arguments.i
    target = arguments.o or image.replace(".nii.gz", "_seg.nii.gz")
    if arguments.task == "spinalcord":
        shutil.copyfile(image, target.replace(".nii.gz", "_cropbox.nii.gz"))
        outputs = {target: "cord"}
    else:
        if not image.endswith(".nii.gz"):
            raise FileNotFoundError(f"step1_levels/{image}")
        ends = ("_totalspineseg_discs.nii.gz", "_totalspineseg_all.nii.gz")
        outputs = {target.replace(".nii.gz", end): "discs" for end in ends}
    for path, what in outputs.items():
        give(truth / f"{what}.nii.gz", Path(path), mode)
        sidecar = {"GeneratedBy": [{"Name": f"spinalcordtoolbox: sct_deepseg {arguments.task}"}]}
        Path(path.replace(".nii.gz", ".json")).write_text(json.dumps(sidecar))


def run_sct_label_vertebrae(arguments: argparse.Namespace, truth: Path, mode: str) -> None:
    name, folder = Path(arguments.s).name, Path(arguments.ofolder)
    Path(arguments.s).read_bytes()
    stem = name.removesuffix(".gz").removesuffix(".nii")
    extension = name[len(stem) :]
    for name in ("warp_curve2straight.nii.gz", "straightening.cache"):
        (folder / name).write_bytes(b"0")
    shutil.copyfile(arguments.s, folder / f"{stem}_labeled{extension}")
    give(truth / "discs.nii.gz", folder / f"{stem}_labeled_discs{extension}", mode)


def run_sct_detect_pmj(arguments: argparse.Namespace, truth: Path, mode: str) -> None:
    image, here = Path(arguments.i).resolve(), os.getcwd()
    work = Path(tempfile.mkdtemp(prefix="sct_detect-pmj_"))
    shutil.copy(image, work)
    if arguments.s:
        shutil.copy(arguments.s, work)
    os.chdir(work)
    name = arguments.o or image.name.replace(".nii.gz", "_pmj.nii.gz")
    give(truth / "pmj.nii.gz", Path(name), mode)
    os.chdir(here)
    shutil.copy(os.path.join(work, name), os.path.join(arguments.ofolder, name))


def give(source: Path, target: Path, mode: str) -> None:
    """Write the truth, or what cannot be used."""
    if mode not in ("empty", "grid", "disorder") and source.suffix == target.suffix:
        shutil.copyfile(source, target)
        return
    import site

    site.main()  # left out at the start, with -S: a process is started by almost every test
    import nibabel as nib
    import numpy as np

    image = nib.load(source)
    data = np.asarray(image.dataobj)
    if mode == "empty":
        data = np.zeros_like(data)
    if mode == "grid":
        data = data[:-1]
    if mode == "disorder":
        data = np.where(data == 3, 5, np.where(data == 5, 3, data))
    nib.save(nib.Nifti1Image(data, image.affine, image.header), target)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4:]))
