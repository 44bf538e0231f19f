"""``sct_rootlets phantom``: a procedural cervical spine with known truth."""

from __future__ import annotations

import argparse
from typing import Any

from sct_rootlets.cli import options, values
from sct_rootlets.cli.console import Console, fsleyes_line

__all__ = ["add_parser", "execute"]


def add_parser(subparsers: Any) -> None:
    """Add the parser of this subcommand."""
    parser = options.add_subcommand(
        subparsers,
        "phantom",
        summary="Make a procedural cervical spine with known truth.",
        description="Draw an anatomy at random and render an MR image of it, with its cord, CSF, "
        "rootlets (by level,\nside and dorsal or ventral), discs and PMJ, and the true borders of "
        "its spinal levels.\n\nThe same seed and options give the same files. Seeds of 1000000 "
        "and above are those the bundled\nmodel was trained on; anything below it has never seen.",
        examples=(
            "sct_rootlets phantom -o phantoms -seed 7",
            "sct_rootlets phantom -o phantoms -seed 7 -contrast T1w -spacing 2,0.8,0.8 -oblique 15",
            "sct_rootlets phantom -o phantoms -seed 7 -orientation AIL -bias 0.6 -fov 60,110,90",
        ),
    )
    parser.needs("-o <folder>", "Folder, made if missing.")
    parser.takes(
        "-seed <int>",
        "Seed of the anatomy, the contrast and the noise.",
        type=values.whole_number,
        default=0,
    )
    parser.takes(
        "-contrast <str>",
        "Contrast: T2w, T1w, or random.",
        choices=("T2w", "T1w", "random"),
        default="T2w",
    )
    parser.takes(
        "-spacing <mm>",
        "Voxel size in mm, one number or left-right,front-back,along the body. Default: 0.8.",
        type=values.millimetres,
        default=(0.8, 0.8, 0.8),
    )
    parser.takes(
        "-orientation <str>",
        "Orientation of the voxels, in SCT's letters (where the axes start).",
        default="RPI",
    )
    parser.takes(
        "-oblique <deg>",
        "Angle in degrees by which the volume is turned about the left-right axis, and by a "
        "third of it about the front-back axis.",
        type=values.angle,
        default=0.0,
    )
    parser.takes(
        "-noise <float>",
        "Standard deviation of the noise, as a share of the brightest signal.",
        type=values.share,
        default=0.02,
    )
    parser.takes(
        "-bias <float>",
        "Strength of the uneven receive field, from 0 (even) to 1.",
        type=values.share,
        default=0.25,
    )
    parser.takes(
        "-fov <mm>",
        "Field of view in mm: left-right,front-back,along the body. Default: 60,110,210.",
        type=values.millimetres,
        default=(60.0, 110.0, 210.0),
    )
    options.add_overwrite_option(parser)
    options.add_common_options(parser, execute)


def execute(arguments: argparse.Namespace, console: Console) -> None:
    """Make one phantom."""
    from sct_rootlets.phantom import Acquisition, write

    with console.progress() as progress:
        files = write(
            arguments.o,
            arguments.seed,
            acquisition=Acquisition(arguments.contrast, arguments.noise, arguments.bias),
            spacing_mm=arguments.spacing,
            field_of_view_mm=arguments.fov,
            orientation_sct=arguments.orientation,
            oblique_deg=arguments.oblique,
            progress=progress,
            overwrite=bool(arguments.overwrite),
        )
    console.files(files.values())
    console.viewer(fsleyes_line(files["image"], [(files["rootlets"], "subcortical", 70.0)]))
