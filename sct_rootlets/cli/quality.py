"""The options of quality control, and what is done with them once the results are written.

The page of this package is always made. Where SCT is installed, an entry is added to its QC
report in the same folder too; that it cannot be added is a warning, since nothing is lost.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from sct_rootlets.cli.console import Console, shown
from sct_rootlets.cli.options import Parser

if TYPE_CHECKING:
    from sct_rootlets.result import LevelsResult

__all__ = ["add_qc_options", "check", "write"]


def add_qc_options(parser: Parser) -> None:
    """Add -qc, -qc-dataset and -qc-subject."""
    parser.takes(
        "-qc <folder>",
        "Folder for a self-contained HTML page with figures, made if missing. Where SCT is "
        "installed, an entry is also added to SCT's QC report in this folder (index.html).",
    )
    for name, what in (("dataset", "data set"), ("subject", "subject")):
        parser.takes(
            f"-qc-{name} <str>",
            f"Name of the {what} in SCT's QC report. By default that of the BIDS path of the "
            "image, else the name of a folder above it, as SCT has it.",
        )


def check(arguments: argparse.Namespace) -> None:
    """Raise, before any work is done, where quality control is asked for and cannot be."""
    if arguments.qc is None:
        return
    from sct_rootlets.qc import figure
    from sct_rootlets.sct.qc_report import require_names

    figure.require_matplotlib()
    require_names(arguments.qc_dataset, arguments.qc_subject)


def write(
    console: Console,
    arguments: argparse.Namespace,
    result: LevelsResult,
    *,
    image: Path,
    stem: str,
) -> None:
    """Write the page of a result, and add an entry to SCT's report where SCT is.

    Parameters
    ----------
    console : Console
    arguments : argparse.Namespace
        With what :func:`add_qc_options` adds; nothing is done without ``-qc``.
    result : LevelsResult
        Its files should have been written: an error here loses none of them.
    image : Path
        By which the entry in SCT's report is named.
    stem : str
        By which the page is named.

    Raises
    ------
    RootletsError
        If the page cannot be written.
    """
    if arguments.qc is None:
        return
    from sct_rootlets.files.results import ResultSet

    with ResultSet(overwrite=bool(arguments.overwrite)) as outputs:
        made = result.stage_qc(outputs, arguments.qc, stem)
    console.say("\nQuality control:")
    for path in made.values():
        console.say(f"  {shown(path)}")
    from sct_rootlets.sct import qc_report

    added = qc_report.add_result(
        result,
        arguments.qc,
        image=image,
        command="sct_rootlets",
        cmdline=arguments.cmdline,
        dataset=arguments.qc_dataset,
        subject=arguments.qc_subject,
    )
    if added is not None:
        page, sct = shown(added[0]), added[1]
        console.say(f"  {page} (an entry in the QC report of SCT {sct.version})")
        console.say(f"\nTo see the results in a browser, open the following file:\n{page}")
