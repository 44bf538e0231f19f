"""``sct_rootlets levels``: spinal levels from rootlets that are segmented already."""

from __future__ import annotations

import argparse
from typing import Any

from sct_rootlets.cli import options, quality, values
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
        "mm along the cord. Without\nrootlets the levels are predicted from the vertebrae.\n\n"
        "Writes for -o X.nii.gz:\n"
        "  X.nii.gz, .json                  spinal levels on the cord, and how they were made\n"
        "  X.tsv                            their table, one row a level\n"
        "  X_dseg.tsv                       look-up of the values: index, name, color\n"
        "  X_midpoint.nii.gz                a voxel at the middle of each level, as for -lspinal\n"
        "  X_rostral.nii.gz, X_caudal...    a voxel at either border of each level\n"
        "  X.png                            the cord unrolled, if matplotlib is installed",
        examples=(
            "sct_rootlets levels -i t2_rootlets.nii.gz -s t2_seg.nii.gz",
            "sct_rootlets levels -i t2_rootlets.nii.gz -s t2_seg.nii.gz -vertfile "
            "t2_seg_labeled.nii.gz -extend T12",
            "sct_rootlets levels -s t2_seg.nii.gz -discs discs.nii.gz -o predicted.nii.gz",
            "sct_rootlets levels -i rootlets.nii.gz -s cord.nii.gz -definition valosek2024 -ocsv "
            "levels.csv",
        ),
    )
    parser.takes(
        "-i <file>",
        "Rootlets: spinal level values (C1 = 1 ... T1 = 9 ... S5 = 30), or 1 throughout, in "
        "which case -discs, -vertfile or -c2c3 is needed too. Without rootlets the levels are "
        "predicted from the vertebrae alone.",
    )
    parser.needs(
        "-s <file>",
        "Cord mask with the voxels of the rootlets, in any orientation. Probabilities are cut "
        "at 0.5.",
    )
    options.add_identity_options(parser)
    options.add_analysis_options(parser)
    where = parser.optional.add_mutually_exclusive_group()
    options.add_option(
        where,
        "-o <file>",
        "Label image of levels to write, which gives the others their names. By default "
        "t2_spinal_levels.nii.gz for t2_rootlets.nii.gz, and "
        "sub-1_T2w_label-spinallevels_dseg.nii.gz for sub-1_T2w_label-rootlets_dseg.nii.gz.",
        type=values.nifti_output,
    )
    options.add_option(
        where,
        "-ofolder <folder>",
        "Folder for results of that default name, made if missing. By default that of the "
        "rootlets.",
    )
    options.add_overwrite_option(parser)
    quality.add_qc_options(parser)
    parser.takes(
        "-qc-image <file>",
        "MR image to draw the levels on, on any grid of the same world. Without it the masks "
        "are drawn alone.",
    )
    options.add_common_options(
        parser, execute, intermediate="the numbered rootlets and the centerline"
    )


def execute(arguments: argparse.Namespace, console: Console) -> None:
    """Derive the levels of one segmentation."""
    from dataclasses import replace

    from sct_rootlets import pipeline
    from sct_rootlets.files.guards import Planned, require_free
    from sct_rootlets.files.names import (
        intermediate_files,
        level_files,
        levels_target,
        page_stem,
        with_qc,
    )
    from sct_rootlets.files.results import ResultSet
    from sct_rootlets.files.sidecar import split_nifti
    from sct_rootlets.image import load_image
    from sct_rootlets.levels.table.text import format_table
    from sct_rootlets.pipeline.earlier_results import require_same_image
    from sct_rootlets.qc import figure
    from sct_rootlets.result.stage import stage_intermediate

    quality.check(arguments)
    source = arguments.i or arguments.s
    target = arguments.o or levels_target(source, arguments.ofolder)
    folder, stem, _ = split_nifti(target)
    overwrite = bool(arguments.overwrite)
    landmarks = options.landmarks(arguments)
    given = (arguments.i, arguments.s, *landmarks.files, arguments.qc_image)
    planned = level_files(target)
    if arguments.ocsv is not None:
        planned["csv"] = arguments.ocsv
    if arguments.r == 0:
        between = intermediate_files(folder, stem)
        planned |= {what: between[what] for what in ("predicted", "centerline")}
    page = page_stem(source, stem, arguments.qc)
    planned = with_qc(planned, arguments.qc, page)
    inputs = [path for path in given if path is not None]
    require_same_image(str(source), Planned(planned, overwrite))
    require_free(planned.values(), inputs, overwrite=overwrite)
    image = None if arguments.qc_image is None else load_image(arguments.qc_image)
    result = pipeline.levels(
        arguments.i,
        arguments.s,
        landmarks=landmarks,
        options=options.level_options(arguments),
    )
    result = replace(result, image=image)
    derived = result.derived
    with ResultSet(overwrite=overwrite) as outputs:
        files = result.stage(outputs, target, csv=arguments.ocsv)
        if arguments.r == 0:
            files |= stage_intermediate(
                outputs,
                folder,
                stem,
                files["json"],
                rootlets=derived.rootlets,
                centerline=derived.centerline,
            )
    table = derived.table
    console.say(f"Spinal levels of {shown(source)}")
    console.say(f"({table.definition}), mm along the cord from the {table.origin}:\n")
    console.say(format_table(table))
    console.files(dict.fromkeys(files.values()))
    if "figure" not in files:
        console.say(f"\nNo figure: {figure.HOW_TO_INSTALL}")
    overlays = [(target, "subcortical", 50.0)]
    if arguments.i is not None:
        overlays.insert(0, (arguments.i, "subcortical", 70.0))
    quality.write(console, arguments, result, image=arguments.qc_image or source, stem=page)
    console.viewer(fsleyes_line(arguments.qc_image or arguments.s, overlays))
