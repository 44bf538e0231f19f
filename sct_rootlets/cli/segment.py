"""``sct_rootlets segment``: the rootlets of one image or of several, and nothing else."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sct_rootlets.cli import options, values
from sct_rootlets.cli.console import Console, fsleyes_line, shown
from sct_rootlets.errors import RootletsError, UsageError

if TYPE_CHECKING:
    from sct_rootlets.files.guards import Planned
    from sct_rootlets.result import Predicted

__all__ = ["add_parser", "execute"]


def add_parser(subparsers: Any) -> None:
    """Add the parser of this subcommand."""
    parser = options.add_subcommand(
        subparsers,
        "segment",
        summary="Segment the rootlets of one or several images.",
        description="Segment the rootlets of an image, on its own grid.\n\n"
        "Writes t2_rootlets.nii.gz and its .json for t2.nii.gz, beside the image as sct_deepseg "
        "does; and,\nwhere the model predicts the cord and none is given, the mask t2_seg.nii.gz "
        "in the same folder.\nA model that names levels, as the official ones, gives spinal level "
        "values (C2 = 2 ... T1 = 9).\nThe bundled one gives the value 1 throughout, unless -discs, "
        "-vertfile or\n-c2c3 says which level is which.\n\n"
        "Several images share one loaded model, and an image that cannot be used does not stop "
        "the others;\nthe exit status is then 1.",
        examples=(
            "sct_rootlets segment -i t2.nii.gz",
            "sct_rootlets segment -i t2.nii.gz -discs t2_discs.nii.gz -o out/t2_rootlets.nii.gz",
            "sct_rootlets segment -i a.nii.gz b.nii.gz c.nii.gz -ofolder out",
        ),
    )
    parser.needs("-i <file> ...", "Image, in any orientation; or several.")
    outputs = parser.optional.add_mutually_exclusive_group()
    options.add_option(
        outputs,
        "-o <file> ...",
        "Rootlets to write, a name for each image. By default <image>_rootlets.nii.gz beside "
        "the image.",
        type=values.nifti_output,
    )
    options.add_option(
        outputs,
        "-ofolder <folder>",
        "Folder for the results under their default names, made if missing.",
    )
    parser.takes(
        "-s <file> ...",
        "Cord mask with the voxels of the image, which spares the search for the cord; one "
        "for each image.",
    )
    options.add_overwrite_option(parser)
    options.add_volume_option(parser)
    options.add_identity_options(parser)
    options.add_model_options(parser)
    options.add_common_options(
        parser, execute, intermediate="the rootlets before numbering and the CSF mask"
    )


def execute(arguments: argparse.Namespace, console: Console) -> None:
    """Segment one image, or several."""
    from sct_rootlets.files.guards import Planned
    from sct_rootlets.files.names import segmentation_targets

    images: list[Path] = arguments.i
    targets = _one_each(arguments.o, images, "-o")
    cords = _one_each(arguments.s, images, "-s")
    planned = [
        Planned(
            segmentation_targets(image, target, arguments.ofolder, intermediate=arguments.r == 0),
            bool(arguments.overwrite),
        )
        for image, target in zip(images, targets, strict=True)
    ]
    if len(images) == 1:
        _segment_one(arguments, console, images[0], cords[0], planned[0])
    else:
        _segment_many(arguments, console, images, cords, planned)


def _one_each(given: list[Path] | None, images: list[Path], option: str) -> list[Any]:
    """Return what an option gives for each image, or raise a `UsageError`."""
    if given is not None and len(given) != len(images):
        raise UsageError(
            f"{option} has {len(given)} and -i has {len(images)} files",
            remedy=f"Give one file with {option} for each image, in the same order, or none",
        )
    return [None] * len(images) if given is None else given


def _segment_one(
    arguments: argparse.Namespace,
    console: Console,
    image: Path,
    cord: Path | None,
    planned: Planned,
) -> None:
    from sct_rootlets import pipeline

    console.say(f"Rootlets of {shown(image)}")
    with console.progress() as progress:
        predicted = pipeline.segment(
            image,
            volume=arguments.volume,
            cord=cord,
            landmarks=options.landmarks(arguments),
            model=options.chosen_model(arguments),
            settings=options.settings(arguments),
            progress=progress,
            write_to=planned,
        )
    files = predicted.write(
        planned.files, keep_intermediate=arguments.r == 0, overwrite=planned.overwrite
    )
    console.say(f"Model: {predicted.model.name} {predicted.model.version}")
    if predicted.cord_is_ours:
        console.say(f"The model also predicted the cord: {shown(files['cord'])}")
    if not predicted.numbered:
        console.say(
            "The rootlets have no level identity (value 1): give -discs or -c2c3 to number them."
        )
    if not predicted.rootlets.labels:
        console.warn("no rootlets were found; the image written is empty")
    console.files(files.values())
    console.viewer(_viewer_line(image, predicted, files["rootlets"]))


def _segment_many(
    arguments: argparse.Namespace,
    console: Console,
    images: list[Path],
    cords: list[Path | None],
    planned: list[Planned],
) -> None:
    from sct_rootlets import pipeline

    for option, value in {
        "-discs": arguments.discs,
        "-vertfile": arguments.vertfile,
        "-c2c3": arguments.c2c3,
    }.items():
        if value is not None:
            raise UsageError(
                f"{option} belongs to one image, and -i has {len(images)}",
                remedy="Number the rootlets image by image: sct_rootlets segment or run, in a loop",
            )
    console.say(f"Rootlets of {len(images)} images")
    failed: list[str] = []
    lines: list[str] = []
    with console.progress() as progress:
        for outcome in pipeline.segment_many(
            images,
            volume=arguments.volume,
            cords=cords,
            model=options.chosen_model(arguments),
            settings=options.settings(arguments),
            progress=progress,
            write_to=planned,
            keep_intermediate=arguments.r == 0,
        ):
            progress.close()
            name = shown(outcome.item)
            if outcome.error is not None:
                console.failure(outcome.error, about=name)
                failed.append(name)
                continue
            predicted = outcome.result()
            if not lines:
                console.say(f"Model: {predicted.model.name} {predicted.model.version}")
            if not predicted.rootlets.labels:
                console.warn(f"no rootlets were found in {name}; the image written is empty")
            console.say(f"{name}: {', '.join(shown(f) for f in predicted.files.values())}")
            lines.append(_viewer_line(outcome.item, predicted, predicted.files["rootlets"]))
    if failed:
        raise RootletsError(
            f"{len(failed)} of {len(images)} images could not be segmented: {', '.join(failed)}",
            remedy="The reasons are above; the others are written" if lines else "",
        )
    console.viewer("\n".join(lines))


def _viewer_line(image: Path, predicted: Predicted, rootlets: Path) -> str:
    colour_map = "subcortical" if predicted.numbered else "red"
    return fsleyes_line(image, [(rootlets, colour_map, 70.0)])
