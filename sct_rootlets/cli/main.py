"""The command ``sct_rootlets``: its parser, its errors and its exit status."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence

from sct_rootlets import __version__
from sct_rootlets.cli import (
    consensus,
    deepseg,
    demo,
    evaluate,
    export,
    group,
    levels,
    map,
    models,
    perlevel,
    phantom,
    report,
    run,
    sct,
    segment,
    variability,
)
from sct_rootlets.cli.console import Console
from sct_rootlets.cli.options import Parser
from sct_rootlets.cli.values import join_coordinates
from sct_rootlets.errors import RootletsError

__all__ = ["get_parser", "main"]

#: Subcommands, in the order of the help.
COMMANDS = (
    run,
    segment,
    levels,
    perlevel,
    map,
    group,
    evaluate,
    consensus,
    variability,
    report,
    export,
    deepseg,
    models,
    sct,
    phantom,
    demo,
)

_INTERRUPTED = 130  # 128 + SIGINT, as shells have it


def get_parser() -> Parser:
    """Return the parser of the whole command; the docs' reference is made from it."""
    parser = Parser(
        prog="sct_rootlets",
        description="Spinal levels from the rootlets of the spinal cord: segment the rootlets "
        "of an MR image,\nderive the levels along the cord, and look at them.",
        epilog="EXAMPLES\n"
        "  sct_rootlets demo\n"
        "  sct_rootlets run -i t2.nii.gz -discs t2_discs.nii.gz -qc qc\n\n"
        "Type 'sct_rootlets COMMAND -h' for the options of a command.\n",
    )
    parser.misc.add_argument("-h", "--help", action="help", help="Show this help and exit.")
    parser.misc.add_argument(
        "-version", action="version", version=__version__, help="Show the version and exit."
    )
    subparsers = parser.add_subparsers(
        title="COMMANDS", dest="command", metavar="COMMAND", parser_class=Parser, required=True
    )
    for command in COMMANDS:
        command.add_parser(subparsers)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv : sequence of str, optional
        Words after ``sct_rootlets``; by default those of the process.

    Returns
    -------
    int
        0 on success; 1 where a file or a step failed; 2 where the command line has to
        change; 130 where the user interrupted.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    parser = get_parser()
    if not words:
        parser.print_help(sys.stderr)
        return 2
    arguments, unknown = parser.parse_known_args(join_coordinates(words))
    if unknown:  # said by the parser of the subcommand, whose usage is the one that helps
        arguments.parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    arguments.words = words
    arguments.cmdline = shlex.join([parser.prog, *words])
    console = Console(arguments.v)
    console.configure_logging()
    try:
        arguments.execute(arguments, console)
    except RootletsError as error:
        console.failure(error)
        return error.exit_status
    except KeyboardInterrupt:
        console.error("interrupted")
        return _INTERRUPTED
    except BrokenPipeError:
        # The reader of a pipe (head, less) has left; Python must not flush into it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:  # noqa: BLE001 - the last resort, so that no traceback shows
        console.failure(error)
        if console.verbosity < 2:
            print("Run again with -v 2 for the traceback.", file=sys.stderr)
        return 1
    return 0
