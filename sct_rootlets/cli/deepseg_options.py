"""What the command line of ``sct_rootlets deepseg`` has from ``sct_deepseg``.

SCT's options with their types, numbers and defaults (a test compares them with SCT's parser),
and its ways to show the tasks.
"""

from __future__ import annotations

import argparse
import os
import textwrap
from pathlib import Path
from typing import Any

from sct_rootlets.cli.options import Parser
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
    parser.mandatory.add_argument(
        "-i",
        metavar="<file>",
        type=Path,
        nargs="+",
        help="Image, or several, to segment; or -install in its place.",
    )
    parser.optional.add_argument(
        "-o",
        metavar="<str>",
        help="Rootlets to write, for one image. Without .nii.gz or .nii at its end it gets "
        ".nii.gz. By default <image>_rootlets.nii.gz beside the image.",
    )
    parser.optional.add_argument(
        "-install", action="store_true", help="Install the model of the task, and nothing else."
    )
    parser.optional.add_argument(
        "-custom-url",
        metavar="<str>",
        nargs="+",
        help="With -install: address of the zip of another release, which is used from now on. "
        "Its sha256 is recorded at the first install, or given with -sha256.",
    )
    parser.optional.add_argument(
        "-thr",
        metavar="<float>",
        type=float,
        help="Make labels above this value 1 and the others 0, by which the levels are lost. "
        "Without it, and with 0, labels stay as they are.",
    )
    parser.optional.add_argument(
        "-largest",
        metavar="<int>",
        type=int,
        default=0,
        choices=(0, 1),
        help="1: keep the largest connected object, one of all levels together as SCT has it.",
    )
    parser.optional.add_argument(
        "-fill-holes",
        metavar="<int>",
        type=int,
        default=0,
        choices=(0, 1),
        help="1: fill the holes in the objects of each level.",
    )
    parser.optional.add_argument(
        "-remove-small",
        metavar="<str>",
        nargs="+",
        help="Least size of an object to keep, with its unit, mm3 or vox: one for all, such as "
        "1mm3 or 5vox, or one for each class of the model, such as 10 20 10vox for three.",
    )
    parser.optional.add_argument(
        "-test-time-aug",
        action="store_true",
        help="Average over mirrored views of the image, as far as the model allows it: several "
        "times slower.",
    )
    parser.misc.add_argument(
        "-qc",
        metavar="<folder>",
        type=Path,
        help="Folder for the quality control, made if missing.",
    )
    parser.misc.add_argument(
        "-qc-dataset", metavar="<str>", help="Name of the dataset in SCT's report."
    )
    parser.misc.add_argument(
        "-qc-subject", metavar="<str>", help="Name of the subject in SCT's report."
    )
    parser.misc.add_argument(
        "-qc-plane",
        metavar="<str>",
        choices=("Axial", "Sagittal"),
        default="Axial",
        help="Accepted as SCT accepts it; rootlets are shown in the axial plane.",
    )
    parser.misc.add_argument(
        "-qc-seg", metavar="<file>", type=Path, help="Mask around which SCT's report is cropped."
    )


class OldSyntax(argparse.Action):
    """Shows how to write a command of SCT before 7.0, ``-task NAME``, and exits."""

    def __init__(self, option_strings: Any, dest: str, **kwargs: Any) -> None:
        super().__init__(option_strings, argparse.SUPPRESS, nargs="?", metavar="TASK", **kwargs)

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: Any = None) -> None:
        """Print how to write it, and exit."""
        name = values or self.metavar
        print(
            "The '-task' flag has been deprecated as of SCT version 7.0.\n"
            "To resolve this, change your command from this:\n\n"
            f"> {parser.prog} -task {name} ...\n\nTo this:\n\n> {parser.prog} {name} ...\n"
        )
        parser.exit()


class TaskDetails(argparse.Action):
    """Shows the tasks in detail, and exits."""

    def __init__(self, option_strings: Any, dest: str, **kwargs: Any) -> None:
        super().__init__(option_strings, argparse.SUPPRESS, nargs=0, **kwargs)

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


class HelpWithTasks(argparse.Action):
    """Shows the help, and then the tasks with their models as they are on this machine."""

    def __init__(self, option_strings: Any, dest: str, **kwargs: Any) -> None:
        super().__init__(option_strings, argparse.SUPPRESS, nargs=0, **kwargs)

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: Any = None) -> None:
        """Print the help, and exit."""
        from sct_rootlets.deepseg import describe_tasks

        cells = [("TASK", "MODEL", "INSTALLED")]
        cells += [(row["task"], row["model"], row["installed"]) for row in describe_tasks()]
        table = "\n".join(f"  {task:<18}{model:<28}{here}" for task, model, here in cells)
        before, heading, examples = parser.format_help().rpartition("EXAMPLES\n")
        print(f"{before}{table}\n\n{heading}{examples}")
        parser.exit()
