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


def test_the_defaults_of_segment() -> None:
    arguments = parse("segment", "-i", "t2.nii.gz")
    assert arguments.i == [Path("t2.nii.gz")]
    assert arguments.o is arguments.s is arguments.ofolder is arguments.volume is None
    assert (arguments.engine, arguments.fast) == ("auto", False)


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


@pytest.mark.parametrize(
    "words",
    [
        ["levels", "-s", "s.nii.gz", "-discs", "d.nii.gz", "-vertfile", "v.nii.gz"],
        ["levels", "-s", "s.nii.gz", "-o", "x.nii.gz", "-ofolder", "out"],
        ["segment", "-i", "t2.nii.gz", "-o", "x.nii.gz", "-ofolder", "out"],
        ["run", "-i", "t2.nii.gz", "-vertfile", "v.nii.gz", "-discs", "d.nii.gz"],
    ],
)
def test_what_excludes_each_other(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parse(*words)
    assert caught.value.code == 2
    assert "not allowed with" in capsys.readouterr().err


@pytest.mark.parametrize("point", ["-3.5,42,-20", "3.5,-42,20", "-3.5e0,42.0,-.2e2"])
def test_a_point_may_start_with_a_minus_sign(point: str) -> None:
    x, y, z = (float(part) for part in point.split(","))
    assert parse(*RUN, "-c2c3", point).c2c3 == (x, y, z)
    assert parse(*RUN, f"-c2c3={point}").c2c3 == (x, y, z)


def test_an_option_after_c2c3_is_not_taken_for_its_point() -> None:
    assert join_coordinates(["-c2c3", "-discs", "d.nii.gz"]) == ["-c2c3", "-discs", "d.nii.gz"]


@pytest.mark.parametrize(
    "words",
    [
        ["-c2c3", "1,2"],
        ["-c2c3", "1,2,3,4"],
        ["-c2c3", "a,b,c"],
        ["-c2c3", "1,2,nan"],
        ["-c2c3", "1,2,inf"],
        ["-reach", "0"],
        ["-reach", "-1"],
        ["-reach", "nan"],
        ["-reach", "far"],
        ["-threads", "0"],
        ["-threads", "1.5"],
        ["-engine", "steam"],
        ["-volume", "-1"],
        ["-volume", "last"],
        ["-definition", "bone"],
        ["-dilation", "-1"],
        ["-dilation", "1.5"],
        ["-extend", "T13"],
        ["-extend", "12"],
        ["-v", "3"],
        ["-r", "2"],
        ["-nonsense"],
        ["stray.nii.gz"],
    ],
)
def test_bad_values_exit_with_2_and_name_the_option(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        parse(*RUN, *words)
    assert caught.value.code == 2
    message = capsys.readouterr().err
    assert "sct_rootlets: error:" in message
    assert words[0] in message


@pytest.mark.parametrize(
    ("words", "missing"),
    [
        (["run"], "-i"),
        (["segment"], "-i"),
        (["levels", "-i", "a.nii.gz"], "-s"),
        (["phantom"], "-o"),
        ([], "COMMAND"),
    ],
)
def test_what_is_mandatory(
    words: list[str], missing: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        parse(*words)
    assert caught.value.code == 2
    assert missing in capsys.readouterr().err


@pytest.mark.parametrize("name", ["x.mgz", "levels", "levels.nii.gz.txt"])
def test_outputs_are_nifti(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parse("levels", "-i", "a.nii.gz", "-s", "b.nii.gz", "-o", name)
    assert caught.value.code == 2
    assert ".nii.gz" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "sizes"), [("1", (1.0, 1.0, 1.0)), ("0.8,0.8,2", (0.8, 0.8, 2.0))]
)
def test_voxel_sizes(text: str, sizes: tuple[float, float, float]) -> None:
    assert parse("phantom", "-o", "out", "-spacing", text).spacing == sizes


@pytest.mark.parametrize(
    "words",
    [
        ["-spacing", "1,2"],
        ["-spacing", "0"],
        ["-noise", "2"],
        ["-bias", "-1"],
        ["-fov", "60,110"],
        ["-oblique", "90"],
        ["-seed", "x"],
        ["-contrast", "PDw"],
    ],
)
def test_bad_values_of_the_phantom(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parse("phantom", "-o", "out", *words)
    assert caught.value.code == 2
    assert words[0] in capsys.readouterr().err


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
