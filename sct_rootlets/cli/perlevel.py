"""``sct_rootlets perlevel``: cord area and the means of maps per spinal level."""

from __future__ import annotations

import argparse
from typing import Any

from sct_rootlets.cli import options, values
from sct_rootlets.cli.console import Console, fsleyes_line, shown

__all__ = ["add_parser", "execute"]


def add_parser(subparsers: Any) -> None:
    """Add the parser of this subcommand."""
    parser = options.add_subcommand(
        subparsers,
        "perlevel",
        summary="Measure cord area and the means of maps per spinal level.",
        description="Measure the area and the diameters of the cord, and mean, standard deviation "
        "and median of any\nmap within it, for every spinal level, on planes perpendicular to the "
        "centerline.\n\n"
        "Writes for -o X.tsv:\n"
        "  X.tsv                            one row a level, with its name\n"
        "  X.json                           what the columns mean, and how they were made",
        examples=(
            "sct_rootlets perlevel -i t2_seg.nii.gz -levels t2_spinal_levels.tsv",
            "sct_rootlets perlevel -i seg.nii.gz -levels levels.tsv -m mtr.nii.gz -mask wm.nii.gz "
            "-level C3:T1",
            "sct_rootlets perlevel -i seg.nii.gz -levels levels.tsv -o study.csv -append 1",
        ),
    )
    parser.needs(
        "-i <file>",
        "Mask of the cord, in any orientation, or the share of every voxel that the cord "
        "fills (0 to 1).",
    )
    parser.needs(
        "-levels <file>",
        "Spinal levels: the table (.tsv) that 'sct_rootlets levels' or 'run' wrote, with the "
        "uncertainty of the borders; or an image of them, C1 = 1 ... T1 = 9 ... S5 = 30, such as "
        "PAM50_spinal_levels warped to the image. In the same world as -i, and an image on any "
        "grid. A cord labelled with vertebral levels looks alike and is not meant.",
    )
    parser.takes(
        "-m <file>",
        "Maps to average within the cord, such as MTR or FA: 3D, on any grid of the same "
        "world. NaN and infinite voxels do not count.",
        nargs="+",
    )
    parser.takes(
        "-mask <file>",
        "Region of the cord within which maps are averaged, such as white matter: a mask or "
        "shares, on any grid of the same world. It does not change the area.",
    )
    parser.takes(
        "-erode <mm>",
        "Leave out of the maps what is nearer than this to the edge of the cord, within its plane.",
        type=values.distance,
        default=0.0,
    )
    parser.takes(
        "-method <str>",
        "'wa': every point of a map counts with its share of the cord and of -mask. 'bin': "
        "it counts wholly where that share is at least 0.5, and else not.",
        choices=("wa", "bin"),
        default="wa",
    )
    parser.takes(
        "-x <str>",
        "How maps are read. 'nn': a point has the value of the voxel that it lies in, so that "
        "a map on the grid of -i is averaged voxel by voxel. 'linear': between voxels; mixes some "
        "CSF into the edge of the cord.",
        choices=("nn", "linear"),
        default="nn",
    )
    parser.takes(
        "-level <levels>",
        "Levels to measure, by name, such as C5 or C3:T1 or C5,C7. By default all.",
        type=values.spinal_levels,
    )
    parser.takes(
        "-o <file>",
        "Table to write, .tsv or .csv. By default t2_seg_perlevel.tsv for t2_seg.nii.gz.",
        type=values.table_output,
    )
    parser.takes(
        "-append <int>",
        "1 adds the rows to the table, if it is there and has the same columns. Several jobs "
        "of a batch may do so at once.",
        type=int,
        choices=(0, 1),
        default=0,
    )
    options.add_overwrite_option(parser)
    options.add_common_options(parser, execute)


def execute(arguments: argparse.Namespace, console: Console) -> None:
    """Measure one cord."""
    from sct_rootlets import perlevel
    from sct_rootlets.errors import UsageError
    from sct_rootlets.files.guards import require_free
    from sct_rootlets.perlevel.result import perlevel_files

    append, overwrite = bool(arguments.append), bool(arguments.overwrite)
    if append and overwrite:
        raise UsageError(
            "-append 1 keeps the table and -overwrite 1 replaces it", remedy="Give one of them"
        )
    target = arguments.o or perlevel.perlevel_target(arguments.i)
    given = (arguments.i, arguments.levels, *(arguments.m or ()), arguments.mask)
    require_free(
        perlevel_files(target).values(),
        [path for path in given if path is not None],
        overwrite=append or overwrite,  # nothing is lost where rows are added
    )
    result = perlevel.measure(
        arguments.i,
        arguments.levels,
        maps=arguments.m or (),
        region=arguments.mask,
        only=arguments.level,
        method=arguments.method,
        erode_mm=arguments.erode,
        interpolation=arguments.x,
    )
    files = result.write(target, append=append, overwrite=overwrite)
    console.say(f"Measures per spinal level of {shown(arguments.i)} (mean ± SD):\n")
    console.say(result.table.format_table())
    console.files(files.values())
    if arguments.levels.suffix.lower() not in (".tsv", ".csv"):
        console.viewer(fsleyes_line(arguments.i, [(arguments.levels, "subcortical", 50.0)]))
