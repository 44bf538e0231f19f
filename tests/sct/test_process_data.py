"""The batch script of the documentation: steps, resuming, manual corrections.

What it decides is tested with a stand-in of ``sct_rootlets`` that writes the names of files and
takes no time; that the real commands take its options and make those files, with the real ones.
"""

from __future__ import annotations

import csv
import os
import re
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from sct_rootlets.image import load_labels, save
from sct_rootlets.phantom import Phantom
from sct_rootlets.sct.manual import SUFFIXES
from tests.scts import scts_environment, the_sct

REPOSITORY = Path(__file__).parents[2]
SCRIPT = REPOSITORY / "docs" / "sct" / "process_data.sh"

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")

#: Writes the files that the real one writes, of its words and its input; with DIE it is killed
#: halfway.
STAND_IN = r"""#!/bin/bash
set -e
echo "$*" >> "$CALLS"
case $1 in
  -version) echo "sct_rootlets 0"; exit;;
  models) exit 1;;
esac
words="$*"
value() { while [[ $# -gt 1 ]]; do [[ $1 == "$name" ]] && echo "$2"; shift; done; }
name=-i; image=$(value "$@"); stem=${image%.nii.gz}
name=-o; target=$(value "$@")
write() { for file in "$@"; do echo "$words" > "$file"; cat "$image" >> "$file"; done; }
table() {
  printf 'level\tspinal_level\tstatus\tsum\nC1\t1\tunseen\t\nC4\t4\tmeasured\t' > "$1"
  cksum "$image" >> "$1"
}
case $1 in
  run)
    if [[ -n $DIE ]]; then echo half > "${stem}_rootlets.nii.gz"; kill -9 $$; fi
    write "${stem}_rootlets.nii.gz" "${stem}_spinal_levels.nii.gz" "${stem}_spinal_levels.json"
    table "${stem}_spinal_levels.tsv";;
  levels)
    write "$target" "${target%.nii.gz}.json"; table "${target%.nii.gz}.tsv";;
  segment) write "$target"; (echo cord; cat "$image") > "${stem}_seg.nii.gz";;
  perlevel) write "$target";;
esac
"""


@dataclass
class Batch:
    """A dataset of one subject, and the environment in which sct_run_batch calls the script."""

    root: Path
    subject: str = "sub-01"

    @property
    def stem(self) -> str:
        return self.subject.replace("/", "_") + "_T2w"

    @property
    def folder(self) -> Path:
        return self.root / "out put" / "data_processed" / self.subject / "anat"

    @property
    def results(self) -> Path:
        return self.root / "out put" / "results"

    @property
    def calls(self) -> Path:
        return self.root / "calls"

    def file(self, suffix: str) -> Path:
        return self.folder / f"{self.stem}{suffix}"

    def raw(self) -> Path:
        return self.root / "data set" / self.subject / "anat" / f"{self.stem}.nii.gz"

    def manual(self, suffix: str) -> Path:
        labels = self.root / "data set" / "derivatives" / "labels" / self.subject / "anat"
        labels.mkdir(parents=True, exist_ok=True)
        return labels / f"{self.stem}{suffix}.nii.gz"

    def environment(self, **more: str) -> dict[str, str]:
        out = self.root / "out put"
        return {
            **{name: value for name, value in os.environ.items() if name != "EXCLUDE_FILES"},
            "PATH": os.pathsep.join([str(self.root / "bin"), "/usr/bin", "/bin"]),
            "PATH_DATA": str(self.root / "data set"),
            "PATH_DATA_PROCESSED": str(out / "data_processed"),
            "PATH_RESULTS": str(out / "results"),
            "PATH_LOG": str(out / "log"),
            "PATH_QC": str(out / "qc"),
            "CALLS": str(self.calls),
            **more,
        }

    def run(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        for name in ("data_processed", "results", "log", "qc"):
            (self.root / "out put" / name).mkdir(parents=True, exist_ok=True)
        self.calls.write_text("")
        return subprocess.run(
            ["bash", str(SCRIPT), self.subject, *words],
            env=self.environment(**more),
            cwd=self.root,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def commands(self) -> list[str]:
        """Return which commands of sct_rootlets the last run has called."""
        asked = [line.split()[0] for line in self.calls.read_text().splitlines()]
        return [word for word in asked if word not in ("models", "-version")]


def _executable(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.fixture
def batch(tmp_path: Path) -> Batch:
    """Return a subject with one image, discs, and the stand-in on the PATH."""
    made = Batch(tmp_path)
    made.raw().parent.mkdir(parents=True)
    made.raw().write_text("image\n")
    made.manual("_label-discs_dlabel").write_text("discs\n")
    _executable(tmp_path / "bin" / "sct_rootlets", STAND_IN)
    return made


def test_the_script_is_a_bash_program_that_may_be_executed() -> None:
    subprocess.run(["bash", "-n", SCRIPT], check=True)
    assert os.access(SCRIPT, os.X_OK)


def test_shellcheck_has_nothing_to_say() -> None:
    command = shutil.which("shellcheck")
    if command is None:
        pytest.skip("no shellcheck")
    subprocess.run([command, SCRIPT], check=True)


def test_it_looks_for_the_manual_files_that_run_looks_for() -> None:
    text = SCRIPT.read_text(encoding="utf-8")
    for kind, suffixes in SUFFIXES.items():
        names = re.search(rf'^{kind.upper()}_NAMES="(.*)"$', text, re.MULTILINE)
        assert names is not None
        assert tuple(names.group(1).split()) == suffixes


def test_from_the_image_to_the_tables(batch: Batch) -> None:
    done = batch.run()
    assert done.returncode == 0, done.stderr
    assert batch.commands() == ["segment", "run", "perlevel"]
    assert (batch.results / f"{batch.stem}_perlevel.tsv").exists()
    assert (batch.results / f"{batch.stem}_spinal_levels.tsv").exists()
    words = batch.file("_rootlets.nii.gz").read_text()
    assert f"-discs {batch.stem}_discs.nii.gz" in words
    assert "-model bundled" in words
    assert batch.raw().read_text() == "image\n"


def test_what_is_done_is_not_done_again(batch: Batch) -> None:
    batch.run()
    before = {path: path.stat().st_mtime_ns for path in batch.folder.iterdir() if path.is_file()}
    done = batch.run()
    assert done.returncode == 0
    assert batch.commands() == []
    after = {path: path.stat().st_mtime_ns for path in batch.folder.iterdir() if path.is_file()}
    assert after == before
    assert (batch.results / f"{batch.stem}_perlevel.tsv").exists()


def test_half_a_step_is_done_again(batch: Batch) -> None:
    killed = batch.run(DIE="1")
    assert killed.returncode != 0
    assert batch.file("_rootlets.nii.gz").read_text() == "half\n"
    assert list(batch.results.iterdir()) == []
    done = batch.run()
    assert done.returncode == 0
    assert batch.commands() == ["run", "perlevel"]
    assert batch.file("_rootlets.nii.gz").read_text() != "half\n"


def test_what_was_done_before_a_half_step_does_not_count(batch: Batch) -> None:
    batch.run()
    whole = batch.file("_rootlets.nii.gz").read_text()
    image = batch.raw().read_text()
    batch.raw().write_text("another\n")
    batch.run(DIE="1")
    batch.raw().write_text(image)
    batch.run()
    assert batch.file("_rootlets.nii.gz").read_text() == whole


def test_a_lost_output_is_made_again(batch: Batch) -> None:
    batch.run()
    batch.file("_spinal_levels.json").unlink()
    batch.run()
    assert batch.commands()[0] == "run"


def test_another_image_and_another_model_make_it_again(batch: Batch) -> None:
    batch.run()
    batch.run("rootlets@r20250318")
    assert batch.commands()[0] == "run"
    assert "-model rootlets@r20250318" in batch.file("_rootlets.nii.gz").read_text()
    # Older than what was made of the one before, as a file that is put back from a backup
    batch.raw().write_text("another\n")
    os.utime(batch.raw(), (0, 0))
    batch.run("rootlets@r20250318")
    assert batch.commands() == ["segment", "run", "perlevel"]


@pytest.mark.parametrize("name", ["_label-SC_seg", "_seg-manual"])
def test_a_manual_cord_mask_wins_until_it_is_taken_away(batch: Batch, name: str) -> None:
    batch.run()
    predicted = batch.file("_seg.nii.gz").read_text()
    batch.manual(name).write_text("a rater's cord\n")
    batch.run()
    assert batch.commands() == ["run", "perlevel"]
    assert f"-s {batch.stem}_seg.nii.gz" in batch.file("_rootlets.nii.gz").read_text()
    assert batch.file("_seg.nii.gz").read_text() == "a rater's cord\n"
    batch.run()
    assert batch.commands() == []
    batch.manual(name).unlink()
    batch.run()
    assert batch.file("_seg.nii.gz").read_text() == predicted


def test_manual_rootlets_win_until_they_are_taken_away(batch: Batch) -> None:
    batch.run()
    batch.manual("_label-rootlets_dseg").write_text("a rater's rootlets\n")
    batch.run()
    assert batch.commands() == ["levels", "perlevel"]
    assert batch.file("_rootlets.nii.gz").read_text() == "a rater's rootlets\n"
    batch.run()
    assert batch.commands() == []
    batch.manual("_label-rootlets_dseg").write_text("corrected\n")
    batch.run()
    assert batch.commands() == ["levels", "perlevel"]
    batch.manual("_label-rootlets_dseg").unlink()
    batch.run()
    assert batch.commands() == ["run", "perlevel"]


def test_manual_files_that_come_and_go(batch: Batch) -> None:
    cord, rootlets = batch.manual("_label-SC_seg"), batch.manual("_label-rootlets_dseg")
    rootlets.write_text("a rater's rootlets\n")
    batch.run()
    by_rater = batch.file("_spinal_levels.nii.gz").read_text()
    predicted = batch.file("_seg.nii.gz").read_text()
    rootlets.unlink()
    batch.run()
    rootlets.write_text("a rater's rootlets\n")
    batch.run()
    assert batch.file("_spinal_levels.nii.gz").read_text() == by_rater
    cord.write_text("a rater's cord\n")
    batch.run()
    assert batch.file("_seg.nii.gz").read_text() == "a rater's cord\n"
    cord.unlink()
    batch.run()
    assert batch.file("_seg.nii.gz").read_text() == predicted


def test_corrected_discs_and_a_pmj_are_taken(batch: Batch) -> None:
    batch.run()
    batch.manual("_label-discs_dlabel").write_text("corrected\n")
    batch.manual("_label-pmj").write_text("junction\n")
    batch.run()
    assert batch.file("_discs.nii.gz").read_text() == "corrected\n"
    assert f"-pmj {batch.stem}_pmj.nii.gz" in batch.file("_rootlets.nii.gz").read_text()
    batch.manual("_label-pmj").write_text("corrected\n")
    batch.run()
    assert batch.commands()[0] == "run"


def test_a_manual_file_without_content_stops_the_subject(batch: Batch) -> None:
    batch.manual("_label-SC_seg").symlink_to("../nowhere.nii.gz")
    done = batch.run()
    assert done.returncode != 0
    assert "not fetched" in done.stderr
    assert batch.commands() == []


def test_a_subject_that_fails_leaves_no_result_of_before(batch: Batch) -> None:
    batch.run()
    other = batch.results / "sub-011_T2w_perlevel.tsv"
    other.write_text("of another subject")
    batch.raw().write_text("another\n")
    assert batch.run(DIE="1").returncode != 0
    assert list(batch.results.iterdir()) == [other]


def test_sessions_and_excluded_files(batch: Batch) -> None:
    batch.subject = "sub-01/ses-02"
    batch.raw().parent.mkdir(parents=True)
    batch.raw().write_text("image\n")
    batch.manual("_label-discs_dlabel").write_text("discs\n")
    done = batch.run(EXCLUDE_FILES=f"other.nii.gz {batch.stem}.nii.gz")
    assert done.returncode == 0
    assert batch.commands() == []
    assert batch.run().returncode == 0
    assert batch.file("_spinal_levels.nii.gz").exists()


def test_scts_tasks_are_used_where_they_are_installed(batch: Batch) -> None:
    _executable(
        batch.root / "bin" / "sct_deepseg",
        "#!/bin/bash\n"
        'if [[ $1 == -task-details ]]; then\n'
        '  printf "TASK: \\033[1mspinalcord\\033[0m\\nINSTALLED: \\033[92mYes\\033[0m\\n"\n'
        '  printf "TASK: \\033[1mspine\\033[0m\\nINSTALLED: \\033[91mNo\\033[0m\\n"\n'
        "  exit\nfi\n"
        'echo "sct_deepseg $*" | tee -a "$CALLS" > "$5"\n',
    )  # fmt: skip
    batch.manual("_label-discs_dlabel").unlink()
    done = batch.run()
    assert done.returncode == 0, done.stderr
    assert batch.commands() == ["sct_deepseg", "run", "perlevel"]
    assert batch.file("_seg.nii.gz").read_text().startswith("sct_deepseg spinalcord -i")
    assert "No disc labels" in done.stdout
    words = batch.file("_rootlets.nii.gz").read_text()
    assert "-s " in words
    assert "-discs" not in words


# --- with the real commands ------------------------------------------------------------


#: This sct_rootlets with plain figures: real ones are most of what `run` takes.
REAL = f"""#!/bin/sh
PYTHONPATH="{REPOSITORY}" exec "{sys.executable}" -c '
import sys
if sys.argv[1] == "run":
    import pytest
    from tests.plain import plain_figures
    plain_figures(pytest.MonkeyPatch())
from sct_rootlets.cli.main import main
sys.exit(main())
' "$@"
"""


@pytest.fixture
def drawn(phantom_small: Phantom, tmp_path: Path) -> dict[str, Path]:
    """Write a neck, with its discs and its cord."""
    (tmp_path / "drawn").mkdir()
    paths = {name: tmp_path / "drawn" / f"{name}.nii.gz" for name in ("image", "discs", "cord")}
    for name, path in paths.items():
        save(getattr(phantom_small, name), path)
    return paths


@pytest.fixture
def real(tmp_path: Path, drawn: dict[str, Path]) -> Batch:
    """Return a phantom as a dataset, and this sct_rootlets on the PATH."""
    pytest.importorskip("nnunetv2")
    made = Batch(tmp_path)
    _executable(tmp_path / "bin" / "sct_rootlets", REAL)
    _add(made, drawn)
    return made


def _add(batch: Batch, drawn: dict[str, Path]) -> None:
    batch.raw().parent.mkdir(parents=True)
    shutil.copy(drawn["image"], batch.raw())
    shutil.copy(drawn["discs"], batch.manual("_label-discs_dlabel"))


def _areas(table: Path, delimiter: str, level: str) -> dict[str, float]:
    with table.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream, delimiter=delimiter))
    return {row[level]: float(row["MEAN(area)"]) for row in rows if row["MEAN(area)"] != "n/a"}


MIDDLE = [4, 5, 6, 7]


@pytest.mark.slow
def test_real_commands_without_sct(real: Batch) -> None:
    done = real.run()
    assert done.returncode == 0, done.stdout + done.stderr
    areas = _areas(real.results / f"{real.stem}_perlevel.tsv", "\t", "level")
    assert all(20 < areas[f"C{value}"] < 120 for value in MIDDLE)
    found = load_labels(real.file("_spinal_levels.nii.gz"))
    assert set(MIDDLE) <= set(np.unique(found.data).tolist())
    again = real.run()
    assert again.returncode == 0
    assert again.stdout.count("done before") == 3


@pytest.mark.slow
@pytest.mark.sct
def test_real_sct_run_batch(real: Batch, drawn: dict[str, Path]) -> None:
    command = the_sct().command("sct_run_batch")
    if command is None:
        pytest.skip("this SCT has no sct_run_batch")
    corrected = Batch(real.root, "sub-02")
    _add(corrected, drawn)
    shutil.copy(drawn["cord"], corrected.manual("_label-SC_seg"))
    words = [command, "-script", SCRIPT, "-path-data", real.root / "data set",
             "-path-output", real.root / "out put", "-jobs", "1"]  # fmt: skip
    path = os.pathsep.join([str(real.root / "bin"), str(command.parent), os.environ["PATH"]])
    environment = scts_environment()

    def run() -> str:
        done = subprocess.run(
            list(map(str, words)), env={**environment, "PATH": path}, cwd=real.root,
            capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        assert "completed successfully" in done.stdout
        logs = sorted((real.root / "out put" / "log").glob("process_data_sub-*.log"))
        assert len(logs) == 2
        return "".join(log.read_text(encoding="utf-8", errors="replace") for log in logs)

    run()
    assert corrected.file("_seg.nii.gz").read_bytes() == drawn["cord"].read_bytes()
    for subject in (real, corrected):
        ours = _areas(subject.results / f"{subject.stem}_perlevel.tsv", "\t", "level")
        scts = _areas(subject.results / f"{subject.stem}_csa.csv", ",", "VertLevel")
        for value in MIDDLE:
            # Slices of SCT against planes across the cord: alike within the bends of a neck
            assert ours[f"C{value}"] == pytest.approx(scts[str(value)], rel=0.05)
    assert run().count("done before") == 4 + 4  # a mask that is made, and the QC of a manual one
