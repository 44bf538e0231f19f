"""``sct_rootlets deepseg``: the tasks of rootlets, with the command line of ``sct_deepseg``."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sct_rootlets.cli import options
from sct_rootlets.cli.console import Console, fsleyes_line, shown
from sct_rootlets.cli.deepseg_options import (
    HelpWithTasks,
    OldSyntax,
    TaskDetails,
    add_scts_options,
    program,
)
from sct_rootlets.errors import RootletsError, UsageError

if TYPE_CHECKING:
    from sct_rootlets.deepseg import Made, Request

__all__ = ["add_parser"]

#: Options that SCT's developers measure SCT with.
_OF_DEVELOPERS = ("-profile-time", "-trace-memory")

_MODEL = (
    "By default the recommended version of the official model 'rootlets', or what -custom-url "
    "has installed."
)
_DEVICE = "By default cpu, or auto where SCT_USE_GPU is set, as in SCT."


def add_parser(subparsers: Any) -> None:
    """Add the parser of this subcommand, and those of its tasks."""
    name = program()
    parser = options.add_subcommand(
        subparsers,
        "deepseg",
        summary="Segment rootlets with the command line of sct_deepseg.",
        description="Segment rootlets with the command line of sct_deepseg: the same options and "
        "the same output names,\nwithout SCT. A task more derives the spinal levels as well.",
        examples=(
            f"{name} rootlets -install",
            f"{name} rootlets -i t2.nii.gz",
            f"{name} rootlets_levels -i t2.nii.gz -qc qc",
        ),
    )
    parser.prog = name
    parser.optional.add_argument(
        "-task-details",
        action=TaskDetails,
        help="Show the tasks in detail: their model, its version, and whether it is installed.",
    )
    parser.misc.add_argument(
        "-task", action=OldSyntax, nargs="?", metavar="TASK", help=argparse.SUPPRESS
    )
    parser.misc.add_argument(
        "-h",
        "--help",
        action=HelpWithTasks,
        help="Show this help message, with the tasks and whether they are installed, and exit.",
    )
    nested = parser.add_subparsers(
        title="TASKS", dest="task", metavar="TASK", prog=name, parser_class=options.Parser
    )
    _add_task(
        nested,
        "rootlets",
        summary="Segment the spinal nerve rootlets.",
        description="Segment the rootlets of an image, with the official model unless another is "
        "named.\n\nWrites t2_rootlets.nii.gz, .json for t2.nii.gz, beside the image: spinal level "
        "values (C2 = 2 ... T1 = 9).\nOf several images each has its own output, and one that "
        "cannot be used does not stop the others.",
        examples=(
            f"{name} rootlets -i t2.nii.gz",
            f"{name} rootlets -i t2.nii.gz -o out/rootlets.nii.gz -remove-small 5vox",
            f"{name} rootlets -install -custom-url https://example.org/model.zip",
        ),
    )
    levels = _add_task(
        nested,
        "rootlets_levels",
        summary="Segment the rootlets and derive the spinal levels.",
        description="Segment the rootlets of an image as the task rootlets does, and derive the "
        "spinal levels from them.\n\nThe cord mask is that of -s, else t2_seg.nii.gz beside the "
        "image, else made by SCT if it is\ninstalled, else predicted by the bundled model.\n\n"
        "Writes beside the image, or beside -o, for t2.nii.gz:\n"
        "  t2_rootlets.nii.gz, .json           rootlets by the value of their spinal level\n"
        "  t2_seg.nii.gz, .json                cord mask, where there was none\n"
        "  t2_spinal_levels.nii.gz, .json      spinal levels on the cord\n"
        "  t2_spinal_levels.tsv, .png          their table and their figure\n"
        "  t2_spinal_levels_*.nii.gz, .tsv     points and look-up, as sct_rootlets levels -h says",
        examples=(
            f"{name} rootlets_levels -i t2.nii.gz",
            f"{name} rootlets_levels -i t2.nii.gz -s t2_seg.nii.gz -discs discs.nii.gz -qc qc",
            f"{name} rootlets_levels -i t2.nii.gz -model bundled -c2c3 0.4,-31.2,18.5",
        ),
    )
    levels.takes(
        "-s <file>",
        "Cord mask with the voxels of the image, in any orientation; one for each image.",
        nargs="+",
    )
    options.add_identity_options(levels)
    options.add_analysis_options(levels)
    parser.set_defaults(execute=_no_task, v=1)


def _add_task(nested: Any, name: str, **texts: Any) -> options.Parser:
    """Add the parser of one task: SCT's options as SCT has them, and then ours."""
    parser = options.add_subcommand(nested, name, **texts)
    add_scts_options(parser)
    options.add_overwrite_option(parser)
    options.add_volume_option(parser)
    options.add_model_options(parser, model=_MODEL, device=_DEVICE, mirror=False)
    options.add_common_options(
        parser,
        _execute,
        intermediate="the rootlets before post-processing, the CSF mask and the centerline",
    )
    for option in _OF_DEVELOPERS:
        parser.misc.add_argument(option, nargs="?", const="", help=argparse.SUPPRESS)
    return parser


def _no_task(arguments: argparse.Namespace, console: Console) -> None:
    raise UsageError(
        "a task is missing",
        remedy=f"Type a task with -install or with an image (-i), or: {program()} -task-details",
    )


def _execute(arguments: argparse.Namespace, console: Console) -> None:
    """Install the model of a task, or segment."""
    if not arguments.install and not arguments.i:
        raise UsageError(
            "neither -install nor an image (-i) is given",
            remedy=f"Type: {program()} {arguments.task} -i image.nii.gz",
        )
    for option, value in zip(
        _OF_DEVELOPERS, (arguments.profile_time, arguments.trace_memory), strict=True
    ):
        if value is not None:
            console.warn(f"{option} measures SCT, and has no effect here")
    if arguments.install:
        _install(arguments, console)
        return
    if arguments.custom_url:
        console.warn("-custom-url has an effect with -install only")
    _segment(_request(arguments), console)


def _install(arguments: argparse.Namespace, console: Console) -> None:
    from sct_rootlets.deepseg import install_task

    with console.progress() as progress:
        model = install_task(
            options.chosen_model(arguments),
            console.say,
            custom=arguments.custom_url,
            progress=progress,
        )
    console.say(f"{model.reference} is installed and whole: {shown(model.folder)}")


def _request(arguments: argparse.Namespace) -> Request:
    from sct_rootlets.deepseg import QualityControl, Request
    from sct_rootlets.deepseg.request import default_device
    from sct_rootlets.postprocess import Steps, read_sizes

    of_levels: dict[str, Any] = {}
    if arguments.task == "rootlets_levels":
        of_levels = {
            "cords": None if arguments.s is None else tuple(arguments.s),
            "landmarks": options.landmarks(arguments),
            "level_options": options.level_options(arguments),
            "csv": arguments.ocsv,
        }
    small = arguments.remove_small
    words = [os.path.basename(word) for word in arguments.words[1:]]
    return Request(
        task_name=arguments.task,
        images=tuple(arguments.i),
        output=arguments.o,
        command=" ".join([program(), *words]),
        model=options.chosen_model(arguments),
        steps=Steps(
            threshold=arguments.thr,
            largest=bool(arguments.largest),
            fill_holes=bool(arguments.fill_holes),
            remove_small=None if small is None else read_sizes(small),
        ),
        volume=arguments.volume,
        keep_intermediate=arguments.r == 0,
        qc=None
        if arguments.qc is None
        else QualityControl(arguments.qc, arguments.qc_dataset, arguments.qc_subject),
        settings=options.settings(arguments, default_device()),
        overwrite=bool(arguments.overwrite),
        **of_levels,
    )


def _segment(request: Request, console: Console) -> None:
    from sct_rootlets import deepseg

    count = len(request.images)
    console.say(f"Rootlets of {shown(request.images[0]) if count == 1 else f'{count} images'}")
    failed: list[str] = []
    incomplete: list[str] = []
    lines: list[str] = []
    with console.progress() as progress:
        for outcome in deepseg.run(request, say=console.say, progress=progress):
            progress.close()
            name = shown(outcome.item)
            if outcome.error is not None:
                console.failure(outcome.error, about=name)
                failed.append(name)
                continue
            made = outcome.result()
            if not lines:
                console.say(f"Model: {made.predicted.model.name} {made.predicted.model.version}")
            _show(console, request, outcome.item, made)
            lines.append(_viewer_line(outcome.item, made))
            for failure in made.failures:
                console.failure(failure.error, about=name)
                incomplete.append(f"{failure.what} of {name}")
    if lines:
        console.viewer("\n".join(lines))
    _require_all(failed, incomplete, count)


def _require_all(failed: list[str], incomplete: list[str], count: int) -> None:
    """Raise if something failed; what was written stays."""
    problems = []
    if failed:
        problems.append(f"{len(failed)} of {count} images could not be segmented")
    if incomplete:
        problems.append(f"the segmentation is written, and {', '.join(incomplete)} failed")
    if problems:
        raise RootletsError("; ".join(problems), remedy="The reasons are above")


def _show(console: Console, request: Request, image: Path, made: Made) -> None:
    """Print what was made of an image."""
    predicted = made.predicted
    if not predicted.rootlets.labels:
        console.warn(f"no rootlets were found in {shown(image)}; the image written is empty")
    if request.steps.threshold:
        console.warn("-thr has made one value of all levels, as in sct_deepseg")
    elif request.steps.largest and predicted.numbered:
        console.warn("-largest has kept one object of all levels together, as in sct_deepseg")
    if not predicted.numbered and not request.steps.threshold:
        console.say("The rootlets have no level identity (value 1).")
    if made.levels is not None:
        from sct_rootlets.levels.table.text import format_table

        table = made.levels.derived.table
        console.say(f"\n{shown(image)}: {table.definition}, mm from the {table.origin}:\n")
        console.say(format_table(table))
    console.files(dict.fromkeys(made.files.values()))


def _viewer_line(image: Path, made: Made) -> str:
    overlays = [(made.files["rootlets"], "subcortical" if made.predicted.numbered else "red", 70.0)]
    if "levels" in made.files:
        overlays.insert(0, (made.files["levels"], "subcortical", 50.0))
    return fsleyes_line(image, overlays)
