"""Options are read as written, and refused with a reason."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import pytest

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.cli import values
from sct_rootlets.cli.main import COMMANDS, get_parser
from sct_rootlets.cli.options import settings
from sct_rootlets.cli.values import join_coordinates
from sct_rootlets.engines import ENGINES
from sct_rootlets.pipeline import Settings

RUN = ["run", "-i", "t2.nii.gz"]


def parse(*words: str):
    return get_parser().parse_args(join_coordinates(words))


def test_the_defaults_of_run() -> None:
    arguments = parse(*RUN)
    assert arguments.i == Path("t2.nii.gz")
    assert (arguments.definition, arguments.reach, arguments.model) == ("caudal", 1.5, "bundled")
    assert (arguments.device, arguments.threads, arguments.v, arguments.r) == ("auto", None, 1, 1)
    assert arguments.s is arguments.discs is arguments.c2c3 is arguments.pmj is None
    assert arguments.ofolder is arguments.qc is None
    assert arguments.vertfile is arguments.dilation is arguments.extend is arguments.ocsv is None
    assert arguments.renumber is arguments.axial is arguments.fast is False
    assert (arguments.engine, arguments.volume) == ("auto", None)


def test_several_images_may_be_given_at_once_or_one_by_one() -> None:
    at_once = parse("segment", "-i", "a.nii.gz", "b.nii.gz", "-o", "x.nii.gz", "y.nii.gz")
    one_by_one = parse(
        *("segment", "-i", "a.nii.gz", "-o", "x.nii.gz", "-i", "b.nii.gz", "-o", "y.nii.gz")
    )
    assert at_once.i == one_by_one.i == [Path("a.nii.gz"), Path("b.nii.gz")]
    assert at_once.o == one_by_one.o == [Path("x.nii.gz"), Path("y.nii.gz")]


@pytest.mark.parametrize("command", ["run", "segment"])
@pytest.mark.parametrize("engine", ["auto", "nnunet", "openvino", "torch"])
def test_the_engines(command: str, engine: str) -> None:
    arguments = parse(command, "-i", "t2.nii.gz", "-engine", engine, "-fast", "-device", "cuda:1")
    assert settings(arguments) == Settings("cuda:1", None, engine, fast=True, mirror=False)
    assert engine in ENGINES


def test_mirrored_views_have_scts_name() -> None:
    assert settings(parse("segment", "-i", "t2.nii.gz", "-test-time-aug")).mirror


def test_the_last_level_may_be_any() -> None:
    assert parse(*RUN, "-extend", "T12").extend is SpinalLevel.T12
    assert parse(*RUN, "-extend", "s5").extend is SpinalLevel.S5


@pytest.mark.parametrize("point", ["-3.5,42,-20", "3.5,-42,20", "-3.5e0,42.0,-.2e2"])
def test_a_point_may_start_with_a_minus_sign(point: str) -> None:
    x, y, z = (float(part) for part in point.split(","))
    assert parse(*RUN, "-c2c3", point).c2c3 == (x, y, z)
    assert parse(*RUN, f"-c2c3={point}").c2c3 == (x, y, z)


def test_an_option_after_c2c3_is_not_taken_for_its_point() -> None:
    assert join_coordinates(["-c2c3", "-discs", "d.nii.gz"]) == ["-c2c3", "-discs", "d.nii.gz"]


A_RUN, SOME_LEVELS, A_PHANTOM = "run -i x.nii", "levels -s x.nii", "phantom -o out"
#: Values that are none, by the option.
BAD_OF_RUN = {
    "-c2c3": "1,2 1,2,3,4 a,b,c 1,2,nan 1,2,inf",
    "-reach": "0 -1 nan far",
    "-threads": "0 1.5",
    "-engine": "steam",
    "-volume": "-1 last",
    "-definition": "bone",
    "-dilation": "-1 1.5",
    "-extend": "T13 12",
    "-v": "3",
    "-r": "2",
}
BAD_OF_PHANTOM = {
    "-spacing": "1,2 0",
    "-noise": "2",
    "-bias": "-1",
    "-fov": "60,110",
    "-oblique": "90",
    "-seed": "x",
    "-contrast": "PDw",
}
REFUSED = {
    **{
        f"{command} {option} {value}": option
        for command, bad in ((A_RUN, BAD_OF_RUN), (A_PHANTOM, BAD_OF_PHANTOM))
        for option, wrong in bad.items()
        for value in wrong.split()
    },
    f"{A_RUN} -nonsense": "-nonsense",
    f"{A_RUN} stray.nii.gz": "stray.nii.gz",
    f"{A_RUN} -vertfile v.nii -discs d.nii": "not allowed with",
    f"{SOME_LEVELS} -discs d.nii -vertfile v.nii": "not allowed with",
    f"{SOME_LEVELS} -o x.nii -ofolder out": "not allowed with",
    "segment -i x.nii -o y.nii -ofolder out": "not allowed with",
    **{f"{SOME_LEVELS} -o {name}": ".nii.gz" for name in ("x.mgz", "x", "x.nii.gz.txt")},
    "run": "-i",
    "segment": "-i",
    "levels -i a.nii.gz": "-s",
    "phantom": "-o",
    "": "COMMAND",
    "models export rootlets -o model.tar": "does not end in .zip",
    "variability -by session": "one of the arguments -i -simulate is required",
    "variability -i a.tsv -simulate 1x1x1": "not allowed with",
    "variability -simulate 3x3": "is not subjects x sites x sessions",
    "variability -simulate 0x3x2": "is not subjects x sites x sessions",
    "variability -simulate 3x3x2 -planted 1,2": "is not three numbers",
    "variability -i a.tsv -by vendor,,site": "is no list of words",
    "variability -i a.tsv -from nose": "invalid choice",
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_is_refused_exits_with_2_and_says_why(
    words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        parse(*words.split())
    assert caught.value.code == 2
    assert REFUSED[words] in capsys.readouterr().err.partition("sct_rootlets: error: ")[2]


@pytest.mark.parametrize(
    ("text", "sizes"), [("1", (1.0, 1.0, 1.0)), ("0.8,0.8,2", (0.8, 0.8, 2.0))]
)
def test_voxel_sizes(text: str, sizes: tuple[float, float, float]) -> None:
    assert parse("phantom", "-o", "out", "-spacing", text).spacing == sizes


NAMES = [module.__name__.rpartition(".")[2] for module in COMMANDS]
OF_MODELS = ("list", "show", "install", "verify", "path", "export", "remove")
OF_SCT = ("status", "enable", "disable")
NESTED = [*(f"models {name}" for name in OF_MODELS), *(f"sct {name}" for name in OF_SCT)]


@pytest.mark.parametrize("command", [*NAMES, *NESTED])
def test_every_command_has_help_in_scts_groups_with_an_example_that_parses(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        parse(*command.split(), "-h")
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert "MISC ARGUMENTS" in text
    assert "OPTIONAL ARGUMENTS" in text or command in (
        "models",
        "models remove",
        "sct",
        *NESTED[-3:],
    )
    examples = text.partition("EXAMPLES\n")[2].strip().splitlines()
    assert examples
    for example in examples:
        assert max(map(len, text.splitlines())) <= 110
        words = example.split()
        assert " ".join(words).startswith(f"sct_rootlets {command}")
        assert parse(*words[1:]).command == command.split()[0]


@pytest.mark.parametrize(
    "read", [values.share, values.angle, values.distance, values.positive_float]
)
@pytest.mark.parametrize("text", ["inf", "-inf", "nan", "1e999", "three", ""])
def test_what_is_no_finite_number_is_refused(read: Callable[[str], float], text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is not a"):
        read(text)
