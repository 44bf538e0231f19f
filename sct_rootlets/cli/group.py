"""``sct_rootlets group``: tables by spinal level of several subjects as one."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from sct_rootlets.cli import options
from sct_rootlets.cli.console import Console

__all__ = ["add_parser", "execute"]


def add_parser(subparsers: Any) -> None:
    """Add the parser of this subcommand."""
    parser = options.add_subcommand(
        subparsers,
        "group",
        summary="Join the tables by spinal level of several subjects.",
        description="Join the tables X_levels.tsv or X_stats.tsv of several subjects, as of "
        "sct_rootlets map: mean,\nstandard deviation and number of subjects for every level, "
        "region and column. A level that the\nimages of a subject do not cover is missing for "
        "this subject, and not 0.",
        examples=(
            "sct_rootlets group -i sub-*/func/*_levels.tsv -o group_levels.tsv",
            "sct_rootlets group -i sub-*/func/*_stats.tsv -o group_stats.tsv",
        ),
    )
    parser.needs("-i <file> ...", "Tables, one a subject.")
    parser.takes(
        "-o <file>",
        "Table to write, .tsv, with a .json that describes its columns.",
        default=Path("group.tsv"),
    )
    options.add_overwrite_option(parser)
    options.add_common_options(parser, execute)


def execute(arguments: argparse.Namespace, console: Console) -> None:
    """Join tables."""
    from sct_rootlets import fmri

    count = fmri.group_tsv(arguments.i, arguments.o, overwrite=bool(arguments.overwrite))
    console.say(f"{count} levels and regions of {len(arguments.i)} tables")
    console.files([arguments.o, arguments.o.with_suffix(".json")])
