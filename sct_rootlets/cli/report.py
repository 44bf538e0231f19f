"""``sct_rootlets report``: one page of quality control for a whole batch."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from sct_rootlets.cli import options, values
from sct_rootlets.cli.console import Console, shown

__all__ = ["add_parser", "execute"]

#: Failures that are listed in the terminal; all are in the page.
_LISTED = 10


def add_parser(subparsers: Any) -> None:
    """Add the parser of this subcommand."""
    parser = options.add_subcommand(
        subparsers,
        "report",
        summary="Write one page of quality control for the results of many images.",
        description="Write one self-contained HTML page for the results of many images, the worst "
        "first: pictures,\nlevels in mm, lengths and positions against the population, warnings. "
        "Sort and filter it, step\nthrough it with j and k, mark images as pass, fail or artefact, "
        "and save the marks as the YAML\nlists that SCT's manual-correction reads. A result that "
        "is broken is a row that says so.",
        examples=(
            "sct_rootlets report -i results -o report.html",
            "sct_rootlets report -i sub-*/anat/*_spinal_levels.tsv -o qc/report.html",
            "sct_rootlets report -i derivatives -images /data/moved -jobs 4",
        ),
    )
    parser.needs(
        "-i <file> ...",
        "Folders, searched with the folders in them, or files: results as sct_rootlets run "
        "and levels write them (X_spinal_levels.tsv or .nii.gz).",
    )
    parser.takes(
        "-o <file>", "Page to write, .html. Default: report.html.", default=Path("report.html")
    )
    parser.takes(
        "-images <folder> ...",
        "Folders in which images and masks are looked for by name, if they are no longer "
        "where they were when the levels were derived.",
        default=[],
    )
    parser.takes(
        "-jobs <int>",
        "Processes; each needs the memory of one image. By default one a processor core.",
        type=values.positive_int,
    )
    parser.takes(
        "-title <str>",
        "Title of the page. By default the name of the folder that all results lie in.",
    )
    options.add_overwrite_option(parser)
    options.add_common_options(parser, execute)


def execute(arguments: argparse.Namespace, console: Console) -> None:
    """Write the report of a batch."""
    from sct_rootlets import report

    with console.progress() as progress:
        made = report.build(
            arguments.i,
            arguments.o,
            images=arguments.images,
            jobs=arguments.jobs,
            title=arguments.title,
            progress=progress,
            overwrite=bool(arguments.overwrite),
        )
    counts = ", ".join(f"{count} {status}" for status, count in made.counts.items())
    console.say(f"{made.total} results: {counts}")
    for key, reason in made.failures[:_LISTED]:
        console.say(f"  failed: {key}: {reason}")
    if len(made.failures) > _LISTED:
        console.say(f"  and {len(made.failures) - _LISTED} more, first in the page")
    console.files([made.path])
    console.say(f"\nTo see the results in a browser, open the following file:\n{shown(made.path)}")
