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
        "this subject, and not 0.\n\nWhose a table is its name says, or the folders above it "
        "(sub-01/ses-1, sub-01_ses-1_...). A\ntable that names no subject is one of its own. "
        "Several tables of one subject count once.",
        examples=(
            "sct_rootlets group -i sub-*/func/*_levels.tsv -o group_levels.tsv",
            "sct_rootlets group -i sub-*/func/*_stats.tsv -o group_stats.tsv",
        ),
    )
    parser.needs("-i <file> ...", "Tables, of one or several sessions of each subject.")
    parser.takes(
        "-unit <str>",
        "What is counted. 'subject': the sessions of a subject enter with their mean. 'session': "
        "each session by itself.",
        choices=("subject", "session"),
        default="subject",
    )
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

    found = fmri.group_tsv(
        arguments.i,
        arguments.o,
        unit=arguments.unit,
        overwrite=bool(arguments.overwrite),
    )
    count, tables = len(found.units), len(arguments.i)
    console.say(
        f"{found.n_levels} levels and regions of {count} {arguments.unit}{'s' * (count != 1)} "
        f"({tables} table{'s' * (tables != 1)})"
    )
    console.files([arguments.o, arguments.o.with_suffix(".json")])
