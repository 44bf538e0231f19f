"""``sct_rootlets map``: spinal levels in the space of an EPI."""

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
        "map",
        summary="Bring spinal levels to the grid of an EPI, as fractions and labels.",
        description="Bring a label image of spinal levels to the grid of an EPI (fMRI, diffusion, "
        "MT, ...). Thick\nslices hold parts of several levels: the share of every voxel in each "
        "level is computed through\nthe whole chain of transforms at once, and nothing is "
        "resampled in between.\n\n"
        "Writes for -o X.nii.gz:\n"
        "  X.nii.gz, .json           the level with the largest share, and the coverage of each\n"
        "  X_dseg.tsv                look-up of the values: index, name, color\n"
        "  X_slices.tsv, .json       which slice holds which level, and how much of it\n"
        "  X_probseg.nii.gz, .json   with -probseg: the shares, one volume a level",
        examples=(
            "sct_rootlets map -i t2_spinal_levels.nii.gz -d bold.nii.gz -o bold_levels.nii.gz",
            "sct_rootlets map -i t2_spinal_levels.nii.gz -d bold.nii.gz -w warp_t22bold.nii.gz -s "
            "bold_seg.nii.gz -o bold_levels.nii.gz -probseg",
            "sct_rootlets map -i t2_spinal_levels.nii.gz -d bold.nii.gz -w "
            "bold2t2.mat,bold_mean.nii.gz,t2.nii.gz -winv bold2t2.mat,bold_mean.nii.gz,t2.nii.gz",
        ),
    )
    parser.mandatory.add_argument(
        "-i",
        metavar="<file>",
        type=Path,
        required=True,
        help="Label image of spinal levels, as of sct_rootlets run or levels. From its table, if "
        "it lies beside it, come the uncertainties of the slices.",
    )
    parser.mandatory.add_argument(
        "-d",
        metavar="<file>",
        type=Path,
        required=True,
        help="Destination: EPI, 3D or 4D. Only its grid is read.",
    )
    parser.optional.add_argument(
        "-w",
        metavar="<file>",
        nargs="+",
        default=[],
        help="Transforms from the image of -i to that of -d, in the order of sct_apply_transfo -w, "
        "composed and applied once: displacement fields (.nii.gz) and affines (.mat, .txt) of SCT, "
        "ANTs and ITK; matrices of FSL's flirt with the images of its -in and -ref, as "
        "MATRIX,IN,REF; or text files of 4x4 numbers that map world mm of -d to world mm of -i. "
        "Without it both images share one world.",
    )
    parser.optional.add_argument(
        "-winv",
        metavar="<file>",
        nargs="+",
        default=[],
        help="Those affines of -w that are inverted first, written as in -w.",
    )
    parser.optional.add_argument(
        "-s",
        metavar="<file>",
        type=Path,
        help="Cord mask of the EPI, with its voxels. Bounds the levels, and shows whether the "
        "transforms go the right way.",
    )
    parser.optional.add_argument(
        "-o",
        metavar="<file>",
        type=options.nifti_output,
        help="Label image to write, which gives the others their names. By default "
        "bold_spinal_levels.nii.gz for bold.nii.gz, and "
        "sub-1_space-bold_label-spinallevels_dseg.nii.gz for sub-1_bold.nii.gz, beside it.",
    )
    parser.optional.add_argument(
        "-probseg",
        metavar="<str>",
        nargs="?",
        const="4d",
        choices=("4d", "files"),
        help="Also write the shares: as one 4D image ('4d', also without a word), or as one image "
        "a level ('files').",
    )
    options.add_common_options(parser)
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace, console: Console) -> None:
    """Map the levels of one image."""
    from sct_rootlets import fmri, writing
    from sct_rootlets.fmri.files import mapped_files, mapped_target

    target = arguments.o or mapped_target(arguments.d)
    given = [path for path in (arguments.i, arguments.d, arguments.s) if path is not None]
    writing.require_free(
        mapped_files(target), given, keep=() if arguments.o is not None else ("levels",)
    )
    mapped = fmri.map_levels(
        arguments.i,
        arguments.d,
        transforms=arguments.w,
        inverted=arguments.winv,
        cord=arguments.s,
    )
    files = mapped.write(target, probseg=arguments.probseg)
    for warning in mapped.warnings:
        console.warn(warning)
    console.say(f"Spinal levels of {shown(arguments.i)} on the grid of {shown(arguments.d)}:\n")
    console.say(mapped.format_coverage())
    console.files(files.values())
    console.viewer(fsleyes_line(arguments.d, [(target, "subcortical", 50.0)]))
