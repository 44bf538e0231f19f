"""What the command line of ``sct_rootlets deepseg`` has from ``sct_deepseg``.

SCT's options with their types, numbers and defaults (a test compares them with SCT's parser),
and its ways to show the tasks.
"""

from __future__ import annotations

import argparse
import os
import textwrap
from typing import Any

from sct_rootlets.cli.options import Parser, add_mirror_option, add_option
from sct_rootlets.sct.handover import CALLED_AS

__all__ = [
    "HelpWithTasks",
    "OldSyntax",
    "TaskDetails",
    "add_scts_options",
    "program",
]


def program() -> str:
    """Return the command as the user typed it: ``sct_deepseg`` where SCT called this."""
    return "sct_deepseg" if os.environ.get(CALLED_AS) == "sct_deepseg" else "sct_rootlets deepseg"


def add_scts_options(parser: Parser) -> None:
    """Add the options that a task of ``sct_deepseg`` has, as SCT has them."""
    add_option(
        parser.mandatory,
        "-i <file>",
        "Image, or several, to segment; or -install in its place.",
        nargs="+",
    )
    parser.takes(
        "-o <str>",
        "Rootlets to write, for one image. Without .nii.gz or .nii at its end it gets "
        ".nii.gz. By default <image>_rootlets.nii.gz beside the image.",
    )
    parser.takes("-install", "Install the model of the task, and nothing else.")
    parser.takes(
        "-custom-url <str>",
        "With -install: address of the zip of another release, which is used from now on. "
        "Its sha256 is recorded at the first install, or given with -sha256.",
        nargs="+",
    )
    parser.takes(
        "-thr <float>",
        "Make labels above this value 1 and the others 0, by which the levels are lost. "
        "Without it, and with 0, labels stay as they are.",
        type=float,
    )
    parser.takes(
        "-largest <int>",
        "1: keep the largest connected object, one of all levels together as SCT has it.",
        type=int,
        default=0,
        choices=(0, 1),
    )
    parser.takes(
        "-fill-holes <int>",
        "1: fill the holes in the objects of each level.",
        type=int,
        default=0,
        choices=(0, 1),
    )
    parser.takes(
        "-remove-small <str>",
        "Least size of an object to keep, with its unit, mm3 or vox: one for all, such as "
        "1mm3 or 5vox, or one for each class of the model, such as 10 20 10vox for three.",
        nargs="+",
    )
    add_mirror_option(parser)
    add_option(parser.misc, "-qc <folder>", "Folder for the quality control, made if missing.")
    add_option(parser.misc, "-qc-dataset <str>", "Name of the dataset in SCT's report.")
    add_option(parser.misc, "-qc-subject <str>", "Name of the subject in SCT's report.")
    add_option(
        parser.misc,
        "-qc-plane <str>",
        "Accepted as SCT accepts it; rootlets are shown in the axial plane.",
        choices=("Axial", "Sagittal"),
        default="Axial",
    )
    add_option(parser.misc, "-qc-seg <file>", "Mask around which SCT's report is cropped.")


class _Shows(argparse.Action):
    """Shows something, and exits; what the options say has no place in the result."""

    def __init__(self, option_strings: Any, dest: str, nargs: Any = 0, **kwargs: Any) -> None:
        super().__init__(option_strings, argparse.SUPPRESS, nargs, **kwargs)


class OldSyntax(_Shows):
    """Shows how to write a command of SCT before 7.0, ``-task NAME``, and exits."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: Any = None) -> None:
        """Print how to write it, and exit."""
        name = values or self.metavar
        print(
            "The '-task' flag has been deprecated as of SCT version 7.0.\n"
            "To resolve this, change your command from this:\n\n"
            f"> {parser.prog} -task {name} ...\n\nTo this:\n\n> {parser.prog} {name} ...\n"
        )
        parser.exit()


class TaskDetails(_Shows):
    """Shows the tasks in detail, and exits."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: Any = None) -> None:
        """Print the tasks, and exit."""
        from sct_rootlets.deepseg import describe_tasks

        for row in describe_tasks():
            facts = {
                "TASK": row["task"],
                "CONTRAST": ", ".join(row["contrasts"]) or "not published",
                "LEVELS": row["levels"],
                "MODEL": row["model"],
                "DESCRIPTION": row["long_description"],
                "URL": row["url"] or "none",
                "INSTALLED": row["installed"],
            }
            for name, text in facts.items():
                lines = textwrap.wrap(text, 82, break_long_words=False, break_on_hyphens=False)
                print(f"{f'{name}:':<13}" + f"\n{'':13}".join(lines))
            print()
        parser.exit()


class HelpWithTasks(_Shows):
    """Shows the help, and then the tasks with their models as they are on this machine."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: Any = None) -> None:
        """Print the help, and exit."""
        from sct_rootlets.deepseg import describe_tasks

        cells = [("TASK", "MODEL", "INSTALLED")]
        cells += [(row["task"], row["model"], row["installed"]) for row in describe_tasks()]
        table = "\n".join(f"  {task:<18}{model:<28}{here}" for task, model, here in cells)
        before, heading, examples = parser.format_help().rpartition("EXAMPLES\n")
        print(f"{before}{table}\n\n{heading}{examples}")
        parser.exit()
