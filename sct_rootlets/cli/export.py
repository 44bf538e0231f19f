"""``sct_rootlets export``: names and colours of levels for FSLeyes, ITK-SNAP and 3D Slicer."""

from __future__ import annotations

import argparse
from typing import Any

from sct_rootlets.cli import options
from sct_rootlets.cli.console import Console, shown

__all__ = ["add_parser", "execute"]

_VIEWERS = ("fsleyes", "itksnap", "slicer")
_TITLES = {"fsleyes": "FSLeyes", "itksnap": "ITK-SNAP", "slicer": "3D Slicer"}


def add_parser(subparsers: Any) -> None:
    """Add the parser of this subcommand."""
    parser = options.add_subcommand(
        subparsers,
        "export",
        summary="Write names and colours of levels for FSLeyes, ITK-SNAP and 3D Slicer.",
        description="Write look-ups with the names and colours of a label image, so that a viewer "
        "shows spinal levels\nby name, and in the same colours as the figures of this package; and "
        "print the command that\nopens it. With levels go their rootlets, where they are found.\n\n"
        "Writes for X.nii.gz:\n"
        "  X.lut            FSLeyes: look-up table\n"
        "  X_itksnap.txt    ITK-SNAP: label descriptions\n"
        "  X.ctbl           3D Slicer: color table\n"
        "  X_lookups.json   what they were made of",
        examples=(
            "sct_rootlets export -i t2_spinal_levels.nii.gz",
            "sct_rootlets export -i t2_rootlets.nii.gz -to itksnap -ofolder colours",
            "sct_rootlets export -i bold_levels_regions_dseg.nii.gz -to fsleyes -image bold.nii.gz",
        ),
    )
    parser.needs(
        "-i <file>", "Label image: spinal levels, rootlets, or regions of sct_rootlets map."
    )
    parser.takes(
        "-to <str>",
        f"Viewer: {', '.join(_VIEWERS)}, or all of them. Default: all.",
        choices=(*_VIEWERS, "all"),
        default="all",
    )
    parser.takes(
        "-ofolder <folder>",
        "Folder for the look-ups, made if missing. By default that of the label image.",
    )
    parser.takes(
        "-image <file>",
        "MR image for the command that opens it all. By default the one that the labels were "
        "made of, if it is found.",
    )
    options.add_overwrite_option(parser)
    options.add_common_options(parser, execute)


def execute(arguments: argparse.Namespace, console: Console) -> None:
    """Write look-ups."""
    from sct_rootlets.export import export

    viewers = _VIEWERS if arguments.to == "all" else (arguments.to,)
    made = export(
        arguments.i,
        viewers,
        arguments.ofolder,
        image=arguments.image,
        shown=shown,
        overwrite=bool(arguments.overwrite),
    )
    console.files(made.files)
    for viewer, commands in made.commands.items():
        console.say(f"\nTo see it in {_TITLES[viewer]}, type:")
        for command in commands:
            console.say(command)
