"""The command reference, made from the parser at every build of the documentation.

MkDocs runs `on_files` (see ``hooks`` in mkdocs.yml), so that the page cannot be stale and
nothing generated is kept in the repository. Run as a script it prints the page.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import groupby
from typing import Any

PAGE = "commands.md"

_INTRODUCTION = """\
# Commands

This page is made from the parser of the command, so it says what `-h` says.

Exit status: 0 on success; 1 where a file or a step failed; 2 where the command line has to
change. A message then says on the standard error which file, what is wrong with it, and what
can be done; `-v 2` adds the traceback.
"""


def on_files(files: Any, config: Any) -> Any:
    """Add the generated page to the files of the site (an event of MkDocs)."""
    from mkdocs.structure.files import File

    from sct_rootlets.cli.main import get_parser

    files.append(File.generated(config, PAGE, content=render(get_parser())))
    return files


def render(parser: argparse.ArgumentParser) -> str:
    """Return the page, in Markdown, for a parser with subcommands."""
    sections = [_INTRODUCTION, _usage(parser), _options(parser)]
    for name, summary, command in _subcommands(parser):
        sections += [
            f"## sct_rootlets {name}\n",
            _description(command.description or summary),
            _usage(command),
            _options(command),
            _epilog(command),
        ]
    return "\n".join(section for section in sections if section)


def _subcommands(
    parser: argparse.ArgumentParser, inside: str = ""
) -> Iterator[tuple[str, str, argparse.ArgumentParser]]:
    """Yield name, summary and parser of every subcommand, those of its own after each."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            summaries = {choice.dest: choice.help or "" for choice in action._choices_actions}
            for name, command in action.choices.items():
                yield f"{inside}{name}", summaries.get(name, ""), command
                yield from _subcommands(command, f"{inside}{name} ")


def _usage(parser: argparse.ArgumentParser) -> str:
    return f"```text\n{parser.format_usage().strip()}\n```\n"


def _description(text: str) -> str:
    """Return `text` with its indented lines, lists of files, kept as they are typed."""
    blocks = []
    for indented, lines in groupby(text.strip().splitlines(), lambda line: line.startswith(" ")):
        block = "\n".join(line.removeprefix("  ") for line in lines)
        blocks.append(f"\n```text\n{block}\n```\n" if indented else block)
    return "\n".join(blocks) + "\n"


def _epilog(parser: argparse.ArgumentParser) -> str:
    text = (parser.epilog or "").strip()
    if not text:
        return ""
    heading, _, examples = text.partition("\n")
    if heading.strip().rstrip(":").upper() != "EXAMPLES":
        return f"```text\n{text}\n```\n"
    lines = "\n".join(line.strip() for line in examples.splitlines())
    return f"Examples:\n\n```bash\n{lines}\n```\n"


def _options(parser: argparse.ArgumentParser) -> str:
    formatter = parser._get_formatter()
    blocks = []
    for group in parser._action_groups:
        rows = []
        for action in group._group_actions:
            if isinstance(action, argparse._SubParsersAction) or action.help == argparse.SUPPRESS:
                continue
            names = ", ".join(f"`{name}`" for name in action.option_strings) or f"`{action.dest}`"
            if action.option_strings and action.nargs != 0:
                value = formatter._format_args(action, (action.dest or "").upper())
                names += f" `{value}`"
            rows.append(f"| {names} | {_cell(formatter._expand_help(action))} |")
        if rows:
            title = (group.title or "Options").capitalize()
            blocks.append(f"| {title} | |\n| :-- | :-- |\n" + "\n".join(rows) + "\n")
    return "\n".join(blocks)


def _cell(text: str) -> str:
    """Return `text` fit for a cell of a Markdown table."""
    for special in "\\|<>*_":
        text = text.replace(special, f"\\{special}")
    return " ".join(text.split())


if __name__ == "__main__":
    from sct_rootlets.cli.main import get_parser

    print(render(get_parser()))
