"""``sct_rootlets segment``: the rootlets of an image, and nothing else."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from sct_rootlets.cli import options
from sct_rootlets.cli.console import Console, fsleyes_line, shown

__all__ = ["add_parser", "execute"]


def add_parser(subparsers: Any) -> None:
    """Add the parser of this subcommand."""
    parser = options.add_subcommand(
        subparsers,
        "segment",
        summary="Segment the rootlets of an image.",
        description="Segment the rootlets of an image, on its own grid.\n\n"
        "Writes t2_rootlets.nii.gz and its .json for t2.nii.gz, beside the image as sct_deepseg "
        "does; and,\nwhere the model predicts the cord and none is given, the mask t2_seg.nii.gz "
        "in the same folder.\nA model that names levels, as the official ones, gives spinal level "
        "values (C2 = 2 ... T1 = 9).\nThe bundled one gives the value 1 throughout, unless -discs, "
        "-vertfile or\n-c2c3 says which level is which.",
        examples=(
            "sct_rootlets segment -i t2.nii.gz",
            "sct_rootlets segment -i t2.nii.gz -discs t2_discs.nii.gz -o out/t2_rootlets.nii.gz",
        ),
    )
    parser.mandatory.add_argument(
        "-i", metavar="<file>", type=Path, required=True, help="Image, in any orientation."
    )
    parser.optional.add_argument(
        "-o",
        metavar="<file>",
        type=options.nifti_output,
        help="Rootlets to write. By default <image>_rootlets.nii.gz beside the image.",
    )
    parser.optional.add_argument(
        "-s",
        metavar="<file>",
        type=Path,
        help="Cord mask with the voxels of the image, which spares the search for the cord.",
    )
    options.add_identity_options(parser)
    options.add_model_options(parser)
    options.add_common_options(
        parser, intermediate="the rootlets before numbering and the CSF mask"
    )
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace, console: Console) -> None:
    """Segment one image."""
    from sct_rootlets import pipeline, writing
    from sct_rootlets.outputs import OutputSet
    from sct_rootlets.sidecar import split_nifti

    image_folder, stem, _ = split_nifti(arguments.i)
    target = arguments.o or image_folder / f"{stem}_rootlets.nii.gz"
    planned = {"rootlets": target, "cord": target.parent / f"{stem}_seg.nii.gz"}
    if arguments.s is not None:
        del planned["cord"]
    console.say(f"Rootlets of {shown(arguments.i)}")
    with console.progress() as progress:
        predicted = pipeline.segment(
            arguments.i,
            cord=arguments.s,
            discs=arguments.discs,
            vertebrae=arguments.vertfile,
            c2c3_world=arguments.c2c3,
            model=options.chosen_model(arguments),
            device=arguments.device,
            threads=arguments.threads,
            progress=progress,
            write_to=planned,
        )
    files = {what: path for what, path in planned.items() if what != "cord"}
    if predicted.cord_is_ours:
        files["cord"] = planned["cord"]
    with OutputSet() as outputs:
        writing.stage_segmentation(
            outputs,
            files,
            predicted.rootlets,
            predicted.cord,
            sources=predicted.sources,
            model=predicted.model,
            numbered=predicted.numbered,
            notes=predicted.segmentation.notes,
        )
        if arguments.r == 0:
            before = predicted.segmentation.rootlets if predicted.numbered else None
            files |= writing.stage_intermediate(
                outputs, target.parent, stem, rootlets=before, csf=predicted.segmentation.csf
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
    colour_map = "subcortical" if predicted.numbered else "red"
    console.viewer(fsleyes_line(arguments.i, [(target, colour_map, 70.0)]))
