"""An entry in SCT's QC report, made by SCT or by a stand-in for it."""

from __future__ import annotations

import json
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from sct_rootlets.errors import RootletsError, UsageError
from sct_rootlets.sct.installation import SctInstallation
from sct_rootlets.sct.qc_report import add_entry, bids_names

#: What `create_qc_entry` of SCT does, without its lock and its page.
CREATE = """
import contextlib, json
from pathlib import Path
print("noise on the standard output")
@contextlib.contextmanager
def create_qc_entry(path_input, path_qc, command, cmdline, plane, dataset, subject,
                    image_extension="png"):
    folder = path_qc / (dataset or "folder") / (subject or "none") / command
    folder.mkdir(parents=True, exist_ok=True)
    yield {f"path_{name}_img": folder / f"{name}_img.png" for name in ("background", "overlay")}
    entry = dict(command=command, cmdline=cmdline, plane=plane, dataset=dataset, subject=subject,
                 input=str(path_input), image_extension=image_extension)
    (path_qc / "entry.json").write_text(json.dumps(entry))
    (path_qc / "index.html").write_text("page")
    print("To see the results in a browser")
"""
BACKGROUND, OVERLAY = b"\x89PNG background", b"\x89PNG overlay"


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that makes an SCT of the source of its module `qc2`."""

    def make(source: str, python: str = sys.executable) -> SctInstallation:
        folder = tmp_path / "sct"
        reports = folder / "spinalcordtoolbox" / "reports"
        reports.mkdir(parents=True)
        for package in (reports.parent, reports):
            (package / "__init__.py").write_text("")
        (reports / "qc2.py").write_text(source)
        monkeypatch.setenv("PYTHONPATH", str(folder))
        return SctInstallation(folder, "7.0", Path(python), "a test")

    return make


def add(sct: SctInstallation, folder: Path, **options: Any) -> Path:
    given: dict[str, Any] = {
        "image": "/data/spine/sub-01/anat/sub-01_T2w.nii.gz",
        "background": BACKGROUND,
        "overlay": OVERLAY,
        "command": "sct_rootlets",
        "cmdline": "sct_rootlets run -i 'a b.nii.gz'",
        **options,
    }
    return add_entry(sct, folder, **given)


def test_the_entry_has_the_pictures_and_the_words(stand_in: Any, tmp_path: Path) -> None:
    qc = tmp_path / "q c"
    assert add(stand_in(CREATE), qc) == qc / "index.html"
    assert json.loads((qc / "entry.json").read_text()) == {
        "command": "sct_rootlets",
        "cmdline": "sct_rootlets run -i 'a b.nii.gz'",
        "plane": "Axial",
        "dataset": "spine",
        "subject": "sub-01",
        "input": "/data/spine/sub-01/anat/sub-01_T2w.nii.gz",
        "image_extension": "png",
    }
    pictures = qc / "spine" / "sub-01" / "sct_rootlets"
    assert (pictures / "background_img.png").read_bytes() == BACKGROUND
    assert (pictures / "overlay_img.png").read_bytes() == OVERLAY


def test_names_that_are_given_come_first(stand_in: Any, tmp_path: Path) -> None:
    add(stand_in(CREATE), tmp_path / "qc", dataset="mine", subject="sub-7/ses-1")
    entry = json.loads((tmp_path / "qc" / "entry.json").read_text())
    assert (entry["dataset"], entry["subject"]) == ("mine", "sub-7/ses-1")


def test_an_image_without_bids_is_left_to_sct_and_links_are_not_followed(
    stand_in: Any, tmp_path: Path
) -> None:
    (tmp_path / "annex").write_text("")
    link = tmp_path / "t2.nii.gz"
    link.symlink_to(tmp_path / "annex")
    add(stand_in(CREATE), tmp_path / "qc", image=link)
    entry = json.loads((tmp_path / "qc" / "entry.json").read_text())
    assert (entry["dataset"], entry["subject"]) == (None, None)
    assert entry["input"] == str(link)


def test_a_module_beside_the_script_does_not_hide_one_of_sct(stand_in: Any, tmp_path: Path) -> None:
    sct = stand_in("import report; assert report.is_theirs\n" + CREATE)
    (tmp_path / "sct" / "report.py").write_text("is_theirs = True")
    assert add(sct, tmp_path / "qc").exists()


@pytest.mark.parametrize(
    ("source", "said", "remedy"),
    [
        ("", "cannot import name 'create_qc_entry'", "another QC report"),
        ("def create_qc_entry(path_input): ...", "unexpected keyword argument", "another QC"),
        (CREATE.replace("path_{name}_img", "{name}"), "path_background_img", "another QC report"),
        (CREATE + "\nraise PermissionError(13, 'denied')", "denied", "another folder with -qc"),
        ("class AlreadyLocked(Exception): ...\nraise AlreadyLocked()", "AlreadyLocked", "again"),
        ("raise SystemExit(3)", "exit status 3", "-v 2"),
        ("import sys; sys.exit(0)", "exit status 0", "-v 2"),
        (CREATE.replace('"index.html"', '"other.html"'), "without this page", "another report"),
    ],
)
def test_whatever_goes_wrong_is_one_error_with_its_reason(
    stand_in: Any, tmp_path: Path, source: str, said: str, remedy: str
) -> None:
    with pytest.raises(RootletsError) as caught:
        add(stand_in(source), tmp_path / "qc")
    assert said in caught.value.problem
    assert remedy in caught.value.remedy
    assert str(tmp_path / "qc") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_sct_that_hangs_is_given_up(stand_in: Any, tmp_path: Path) -> None:
    sct = stand_in("import time; time.sleep(600)")
    with pytest.raises(RootletsError, match="within 1 s"):
        add(sct, tmp_path / "qc", timeout_s=1.0)


def test_a_python_that_is_gone_is_named(stand_in: Any, tmp_path: Path) -> None:
    sct = stand_in(CREATE, python=str(tmp_path / "no" / "python"))
    with pytest.raises(RootletsError, match="No such file") as caught:
        add(sct, tmp_path / "qc")
    assert caught.value.path == str(tmp_path / "no" / "python")


def test_a_folder_that_is_a_file(stand_in: Any, tmp_path: Path) -> None:
    (tmp_path / "qc").write_text("a file")
    with pytest.raises(RootletsError, match="Name another folder"):
        add(stand_in(CREATE), tmp_path / "qc")
    assert (tmp_path / "qc").read_text() == "a file"


@pytest.mark.parametrize("name", ["/etc", "../elsewhere", "a/../../b"])
def test_names_cannot_lead_out_of_the_report(stand_in: Any, tmp_path: Path, name: str) -> None:
    sct = stand_in(CREATE)
    for option in ("dataset", "subject"):
        with pytest.raises(UsageError):
            add(sct, tmp_path / "qc", **{option: name})
    assert not (tmp_path / "qc").exists()


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/d/ds/sub-01/anat/sub-01_T2w.nii.gz", ("ds", "sub-01")),
        ("/d/ds/sub-01/ses-A/anat/sub-01_ses-A_T2w.nii.gz", ("ds", "sub-01/ses-A")),
        ("/d/ds/sub-01/ses-A.old/x.nii.gz", ("ds", "sub-01")),
        ("/d/ds/derivatives/labels/sub-01/anat/x.nii.gz", ("ds", "sub-01")),
        ("/d/derivatives/ds/derivatives/p/sub-01/x.nii.gz", ("ds", "sub-01")),
        ("/sub-01/x.nii.gz", (None, "sub-01")),
        ("/derivatives/sub-01/x.nii.gz", (None, "sub-01")),
        ("/d/sub-1_old/t2.nii.gz", (None, None)),
    ],
)
def test_bids_names(path: str, names: tuple[str | None, str | None]) -> None:
    assert bids_names(Path(path)) == names


def entries(qc: Path) -> list[dict[str, str]]:
    """Return the entries that the page of SCT lists."""
    text = (qc / "js" / "datasets.js").read_text()
    match = re.search(r"window\.SCT_QC_DATASETS = (\[.*\]);", text)
    assert match is not None
    listed: list[dict[str, str]] = json.loads(match.group(1))
    return listed


@pytest.mark.sct
def test_sct_lists_the_entry_with_its_pictures(real_sct: SctInstallation, tmp_path: Path) -> None:
    qc = tmp_path / "qc"
    page = add(real_sct, qc)
    assert page == qc / "index.html"
    assert "js/datasets.js" in page.read_text()
    (entry,) = entries(qc)
    (stored,) = [json.loads(path.read_text()) for path in (qc / "_json").glob("*.json")]
    assert entry == stored
    for name, value in {
        "command": "sct_rootlets",
        "cmdline": "sct_rootlets run -i 'a b.nii.gz'",
        "dataset": "spine",
        "subject": "sub-01",
        "contrast": "anat",
        "inputFile": "sub-01_T2w.nii.gz",
        "plane": "Axial",
        "sctVersion": real_sct.version,
    }.items():
        assert entry[name] == value
    assert (qc / entry["backgroundImage"]).read_bytes() == BACKGROUND
    assert (qc / entry["overlayImage"]).read_bytes() == OVERLAY


@pytest.mark.sct
def test_commands_at_the_same_time_all_add_their_entry(
    real_sct: SctInstallation, tmp_path: Path
) -> None:
    subjects = [f"sub-{k}" for k in range(4)]
    with ThreadPoolExecutor(2) as pool:
        pages = list(pool.map(lambda name: add(real_sct, tmp_path / "qc", subject=name), subjects))
    assert set(pages) == {tmp_path / "qc" / "index.html"}
    listed = entries(tmp_path / "qc")
    assert sorted(entry["subject"] for entry in listed) == subjects
    assert all((tmp_path / "qc" / entry["overlayImage"]).is_file() for entry in listed)


@pytest.mark.sct
def test_sct_cannot_write_into_a_file(real_sct: SctInstallation, tmp_path: Path) -> None:
    (tmp_path / "qc").write_text("a file")
    with pytest.raises(RootletsError, match="Name another folder"):
        add(real_sct, tmp_path / "qc")
