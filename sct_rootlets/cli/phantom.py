"""``sct_rootlets phantom``: a procedural cervical spine with known truth."""

from __future__ import annotations

import argparse
from pathlib import Path
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
    parser.mandatory.add_argument(
        "-o", metavar="<folder>", type=Path, required=True, help="Folder, made if missing."
    )
    parser.optional.add_argument(
        "-seed",
        metavar="<int>",
        type=values.whole_number,
        default=0,
        help="Seed of the anatomy, the contrast and the noise.",
    )
    parser.optional.add_argument(
        "-contrast",
        metavar="<str>",
        choices=("T2w", "T1w", "random"),
        default="T2w",
        help="Contrast: T2w, T1w, or random.",
    )
    parser.optional.add_argument(
        "-spacing",
        metavar="<mm>",
        type=values.millimetres,
        default=(0.8, 0.8, 0.8),
        help="Voxel size in mm, one number or left-right,front-back,along the body. Default: 0.8.",
    )
    parser.optional.add_argument(
        "-orientation",
        metavar="<str>",
        default="RPI",
        help="Orientation of the voxels, in SCT's letters (where the axes start).",
    )
    parser.optional.add_argument(
        "-oblique",
        metavar="<deg>",
        type=values.angle,
        default=0.0,
        help="Angle in degrees by which the volume is turned about the left-right axis, and by a "
        "third of it about the front-back axis.",
    )
    parser.optional.add_argument(
        "-noise",
        metavar="<float>",
        type=values.share,
        default=0.02,
        help="Standard deviation of the noise, as a share of the brightest signal.",
    )
    parser.optional.add_argument(
        "-bias",
        metavar="<float>",
        type=values.share,
        default=0.25,
        help="Strength of the uneven receive field, from 0 (even) to 1.",
    )
    parser.optional.add_argument(
        "-fov",
        metavar="<mm>",
        type=values.millimetres,
        default=(60.0, 110.0, 210.0),
        help="Field of view in mm: left-right,front-back,along the body. Default: 60,110,210.",
    )
    options.add_common_options(parser)
    parser.set_defaults(execute=execute)


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
        )
    console.files(files.values())
    console.viewer(fsleyes_line(files["image"], [(files["rootlets"], "subcortical", 70.0)]))
