"""``sct_rootlets levels``: spinal levels from rootlets that are segmented already."""

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
        "levels",
        summary="Derive spinal levels from segmented rootlets and a cord mask.",
        description="Derive spinal levels from a segmentation of the rootlets (of sct_rootlets "
        "segment, sct_deepseg\nrootlets, or by hand) and a cord mask, and print their borders in "
        "mm along the cord.\n\n"
        "-o X.nii.gz writes X.nii.gz (levels on the cord mask), X.tsv (table) and X.json.",
        examples=(
            "sct_rootlets levels -i t2_rootlets.nii.gz -s t2_seg.nii.gz -o t2_levels.nii.gz",
            "sct_rootlets levels -i rootlets.nii.gz -s cord.nii.gz -discs discs.nii.gz -definition "
            "extent -o X.nii.gz",
        ),
    )
    parser.mandatory.add_argument(
        "-i",
        metavar="<file>",
        type=Path,
        required=True,
        help="Rootlets: spinal level values (C2 = 2 ... T1 = 9), or 1 throughout, in which "
        "case -discs or -c2c3 is needed too.",
    )
    parser.mandatory.add_argument(
        "-s", metavar="<file>", type=Path, required=True, help="Cord mask, on the same grid."
    )
    parser.mandatory.add_argument(
        "-o",
        metavar="<file>",
        type=options.nifti_output,
        required=True,
        help="Label image of levels to write; .tsv and .json of the same name beside it.",
    )
    options.add_identity_options(parser)
    options.add_analysis_options(parser)
    options.add_common_options(parser, intermediate="the numbered rootlets and the centerline")
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace, console: Console) -> None:
    """Derive the levels of one segmentation."""
    from sct_rootlets import pipeline, writing
    from sct_rootlets.outputs import OutputSet
    from sct_rootlets.sidecar import split_nifti

    given = (arguments.i, arguments.s, arguments.discs, arguments.pmj)
    inputs = [path for path in given if path is not None]
    writing.require_free({"levels": arguments.o}, inputs)
    derived = pipeline.derive_levels(
        arguments.i,
        arguments.s,
        discs=arguments.discs,
        c2c3_world=arguments.c2c3,
        pmj=arguments.pmj,
        definition=arguments.definition,
        reach_mm=arguments.reach,
    )
    parameters = {
        "definition": arguments.definition,
        "reach_mm": arguments.reach,
        "c2c3_world_mm": None if arguments.c2c3 is None else list(arguments.c2c3),
    }
    folder, stem, _ = split_nifti(arguments.o)
    with OutputSet() as outputs:
        files = writing.stage_levels(
            outputs, arguments.o, derived, sources=inputs, parameters=parameters
        )
        if arguments.r == 0:
            files |= writing.stage_intermediate(
                outputs, folder, stem, rootlets=derived.rootlets, centerline=derived.centerline
            )
    table = derived.table
    console.say(f"Spinal levels of {shown(arguments.i)}")
    console.say(f"({table.definition}), mm along the cord from the {table.origin}:\n")
    console.say(table.format_table())
    console.files(files.values())
    overlays = [(arguments.i, "subcortical", 70.0), (arguments.o, "subcortical", 50.0)]
    console.viewer(fsleyes_line(arguments.s, overlays))
