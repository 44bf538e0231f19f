"""``sct_rootlets sct``: the Spinal Cord Toolbox of this machine, and our task in it."""

from __future__ import annotations

import argparse
from typing import Any

from sct_rootlets.cli import options
from sct_rootlets.cli.console import Console

__all__ = ["add_parser"]


def add_parser(subparsers: Any) -> None:
    """Add the parser of this subcommand, and those of its own subcommands."""
    parser = options.add_subcommand(
        subparsers,
        "sct",
        summary="Add the task rootlets_levels to sct_deepseg, or remove it.",
        description="Show the Spinal Cord Toolbox (SCT) of this machine, and add the task "
        "rootlets_levels to its\nsct_deepseg, or remove it.",
        examples=("sct_rootlets sct status", "sct_rootlets sct enable"),
    )
    nested = options.add_commands(parser, "sct_command")
    for add in (_status, _enable, _disable):
        add(nested)


def _status(nested: Any) -> None:
    parser = options.add_subcommand(
        nested,
        "status",
        summary="Show the SCT found, and whether it has our task.",
        description="Show the SCT found (SCT_DIR, else the environment of this Python, else the "
        "PATH), whether\nsct_rootlets is installed in its environment, whether sct_deepseg has "
        "the task rootlets_levels,\nand what to do next.",
        examples=("sct_rootlets sct status",),
    )
    options.add_common_options(parser, _execute_status)


def _enable(nested: Any) -> None:
    parser = options.add_subcommand(
        nested,
        "enable",
        summary="Add the task rootlets_levels to sct_deepseg.",
        description="Add the task rootlets_levels to sct_deepseg, and see that it is there. It is "
        "one file in the\nsite-packages of SCT's environment, in which sct_rootlets has to be "
        "installed. Nothing of SCT is\nchanged, and no other command of SCT is touched.",
        examples=("sct_rootlets sct enable",),
    )
    options.add_common_options(parser, _execute_enable)


def _disable(nested: Any) -> None:
    parser = options.add_subcommand(
        nested,
        "disable",
        summary="Remove the task rootlets_levels from sct_deepseg.",
        description="Remove the file that 'enable' wrote. SCT is then as it was.",
        examples=("sct_rootlets sct disable",),
    )
    options.add_common_options(parser, _execute_disable)


def _execute_status(arguments: argparse.Namespace, console: Console) -> None:
    from sct_rootlets.sct.status import format_status, status

    console.say(format_status(status()))


def _execute_enable(arguments: argparse.Namespace, console: Console) -> None:
    from sct_rootlets.sct.enabling import enable
    from sct_rootlets.sct.installation import require_sct

    path = enable(require_sct())
    console.say(f"sct_deepseg has the task rootlets_levels now, by {path}")
    console.say("Type: sct_deepseg rootlets_levels -h")


def _execute_disable(arguments: argparse.Namespace, console: Console) -> None:
    from sct_rootlets.sct.enabling import ask, disable
    from sct_rootlets.sct.installation import require_sct

    there = ask(require_sct())
    if disable(there):
        console.say(f"The hook is removed: {there.hook_file}")
    else:
        console.say(f"There is no hook in {there.purelib}")
