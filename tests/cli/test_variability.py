"""``sct_rootlets variability`` as users call it: studies, and everything that can be wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.variability.studies import C5, C6, DISCS, table_of, write_table

pytestmark = pytest.mark.usefixtures("no_figures")

PEOPLE = "participant_id\tvendor\nsub-1\tGE\nsub-2\tGE\nsub-3\tPhilips\nsub-4\tPhilips\n"


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Four subjects, two sessions each, in the current folder; the names of the tables."""
    monkeypatch.chdir(tmp_path)
    names = []
    for k in range(1, 5):
        for ses in (1, 2):
            table = table_of({C5: 84.0 + k + 0.3 * ses, C6: 99.0 + k}, discs=DISCS)
            name = f"sub-{k}/ses-{ses}/sub-{k}_ses-{ses}_T2w_spinal_levels.tsv"
            write_table(tmp_path / name, table)
            names.append(name)
    Path("participants.tsv").write_text(PEOPLE)
    return names


def test_a_study(study: list[str], figures: None, command: Command) -> None:
    options = "-participants participants.tsv -by vendor,session -ofolder out -resamples 300"
    out = command(f"variability {options} -i", *study).out
    assert "within subjects, session" in out
    assert "between subjects, vendor GE" in out
    assert "out/variability_icc.tsv" in out
    assert {path.suffix for path in Path("out").iterdir()} == {".tsv", ".json", ".png", ".svg"}
    header = Path("out/variability.tsv").read_text().split("\n", 1)[0]
    assert header.startswith("scope\tfactor\tgroup\tlevel\tmeasure\t")


def test_from_the_disc_and_another_name(study: list[str], command: Command) -> None:
    command("variability -from c2c3 -o mine.tsv -v 0 -by session -i", *study)
    lines = [line.split("\t") for line in Path("mine_distances.tsv").read_text().splitlines()]
    first = dict(zip(lines[0], lines[1], strict=True))
    assert float(first["midpoint_mm"]) == pytest.approx(85.3 - DISCS[3])
    assert "-from" not in Path("mine.json").read_text()
    assert "the disc C2/C3" in Path("mine.json").read_text()


def test_a_simulated_study_and_the_command_it_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    monkeypatch.chdir(tmp_path)
    out = command("variability -simulate 3x3x2 -planted 4,1,1 -ofolder s").out
    words = out.strip().splitlines()[-1].split()[2:]
    globbed = sorted(str(path) for path in Path().glob(words[1]))
    assert len(globbed) == 18
    command("variability -o x.tsv -v 0 -resamples 200 -i", *globbed, *words[2:])


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["-i", "none.tsv"], 1, "none.tsv: cannot be read (No such file or directory)"),
        (["-i", "participants.tsv"], 1, "participants.tsv: is no table of levels"),
        (["-i", "{0}"], 2, "one table has no variability"),
        (["-i", "{0}", "{1}"], 2, "all of sub-1, and no factor tells them apart"),
        (["-i", "{0}", "{0}"], 2, "is of the same image as"),
        (["-i", "{0}", "{2}", "-by", "vendor"], 2, "'vendor' (-by) is neither a column"),
        (["-i", "{0}", "{2}", "-by", "vendor", "-participants", "participants.tsv"], 2,
         "'vendor' (-by) is 'GE' for all of the 2 tables"),
        (["-i", "{0}", "{2}", "-by", "session"], 2, "'session' (-by) is '1' for all of the 2"),
        (["-i", "{0}", "{2}", "-participants", "none.tsv"], 1, "none.tsv: cannot be read"),
        (["-i", "{0}", "{2}", "-participants", "{0}"], 1, "has no column participant_id"),
        (["-i", "{0}", "{2}", "-status", "mesured"], 2, "'mesured' (-status) is no status"),
        (["-i", "{0}", "{2}", "-status", "predicted"], 1, "has a level that counts"),
        (["-i", "{0}", "{2}", "-resamples", "10"], 2, "too few for an interval"),
        (["-i", "{0}", "{2}", "-o", "x.csv"], 2, "x.csv: does not end in .tsv"),
        (["-i", "{0}", "{2}", "-o", "{0}"], 2, "is an input"),
        (["-simulate", "3x3x2"], 2, "-simulate needs -ofolder"),
        (["-simulate", "3x3x2", "-planted", "99,1,1", "-ofolder", "s"], 2, "from 0 to 30 %"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(
    study: list[str], refused: Callable[..., None], words: list[str], status: int, message: str
) -> None:
    refused(" ".join(["variability", *(word.format(*study) for word in words)]), status, message)


def test_tables_without_a_pmj(study: list[str], command: Command) -> None:
    bare = []
    for k in (1, 2):
        table = table_of({C5: 80.0 + k}, pmj_mm=None)
        bare.append(str(write_table(Path(f"sub-{k}_x_spinal_levels.tsv"), table)))
    shown = command("variability -i", *bare, status=1).err
    assert "has no distances from the pontomedullary junction" in shown
    assert "-pmj" in shown
    assert "-from c2c3" in shown
    assert "-discs" in command("variability -from c2c3 -i", *bare, status=1).err
    shown = " ".join(command("variability -i", *bare, study[-1]).err.split())
    assert "2 of 3 tables have no distance" in shown


def test_an_output_that_cannot_be_written(study: list[str], command: Command) -> None:
    Path("taken").write_text("a file")
    err = command("variability -ofolder taken -i", *study, status=1).err
    assert "taken: is not a folder" in err
    assert Path("taken").read_text() == "a file"
