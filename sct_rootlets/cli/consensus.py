"""``sct_rootlets consensus``: what several raters of one image agree on, and how far."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from sct_rootlets.cli import options, values
from sct_rootlets.cli.console import Console, shown

__all__ = ["add_parser", "execute"]


def add_parser(subparsers: Any) -> None:
    """Add the parser of this subcommand."""
    parser = options.add_subcommand(
        subparsers,
        "consensus",
        summary="Combine the rootlets of several raters, and measure their agreement.",
        description="Combine the rootlets that several raters marked in one image, level by level, "
        "by STAPLE or by a\nvote, and measure how far they agree. Needs SimpleITK "
        "(pip install 'sct_rootlets[fmri]').\n\n"
        "Writes for -o X.nii.gz:\n"
        "  X.nii.gz, .json                  consensus by the value of the spinal level\n"
        "  X_raters.tsv                     each rater by level: sensitivity, specificity, Dice\n"
        "  X_pairs.tsv                      Dice and conformity of each pair of raters, and of all",
        examples=(
            "sct_rootlets consensus -i rater1.nii.gz rater2.nii.gz rater3.nii.gz -o staple.nii.gz",
            "sct_rootlets consensus -i rater*.nii.gz -method vote -o vote.nii.gz",
        ),
    )
    parser.needs(
        "-i <file> ...",
        "Rootlets of two raters or more, with the same voxels in any orientation, and the "
        "value of their spinal level (or 1 throughout in all of them).",
    )
    parser.takes(
        "-o <file>",
        "Consensus to write, which gives the tables their names.",
        type=values.nifti_output,
        default=Path("consensus.nii.gz"),
    )
    parser.takes(
        "-method <str>",
        "'staple': weighs each rater by what the others say of the voxels that he marked "
        "(Warfield 2004), within one voxel of any mark. 'vote': what most raters say; a tie is "
        "background.",
        choices=("staple", "vote"),
        default="staple",
    )
    parser.takes(
        "-threshold <share>",
        "With -method staple: probability from which on the consensus has a voxel.",
        type=values.share,
        default=0.5,
    )
    options.add_overwrite_option(parser)
    options.add_common_options(parser, execute)


def execute(arguments: argparse.Namespace, console: Console) -> None:
    """Combine the raters of one image."""
    from sct_rootlets import consensus
    from sct_rootlets.consensus.files import consensus_files
    from sct_rootlets.files.guards import require_free

    overwrite = bool(arguments.overwrite)
    require_free(consensus_files(arguments.o).values(), arguments.i, overwrite=overwrite)
    result = consensus.consensus(
        arguments.i, method=arguments.method, threshold=arguments.threshold
    )
    if len(arguments.i) == 2:
        console.warn("two raters cannot say which of them is right where they differ")
    files = result.write(arguments.o, overwrite=overwrite)
    console.say(
        f"Consensus of {len(arguments.i)} raters ({arguments.method}); Dice of each with it:\n"
    )
    console.say(result.format_table())
    if result.combined.undecided:
        console.say(f"\n{result.combined.undecided} voxels with a tie were left to the background")
    console.files(files.values())
    console.viewer(f"fsleyes {shown(files['levels'])} -cm subcortical &")
