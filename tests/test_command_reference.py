"""The command reference of the documentation says what the parser says."""

from __future__ import annotations

import argparse
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from sct_rootlets.cli.main import get_parser

SCRIPT = Path(__file__).parents[1] / "docs" / "generate_commands.py"


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_commands", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def subcommands(parser: argparse.ArgumentParser, name: str) -> dict[str, argparse.ArgumentParser]:
    """Return every subcommand of a parser, with those of its own, by its whole name."""
    found = {}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, command in action.choices.items():
                found |= {f"{name} {word}": command, **subcommands(command, f"{name} {word}")}
    return found


def test_every_subcommand_and_option_is_in_its_own_section(generator: ModuleType) -> None:
    parser = get_parser()
    sections = generator.render(parser).split("\n## ")
    by_name = {section.splitlines()[0]: section for section in sections[1:]}
    commands = subcommands(parser, "sct_rootlets")
    assert {"sct_rootlets run", "sct_rootlets models", "sct_rootlets models list"} < set(commands)
    assert set(by_name) == set(commands)
    for name, command in commands.items():
        for action in command._actions:
            for option in action.option_strings:
                is_hidden = action.help == argparse.SUPPRESS
                assert (f"`{option}`" in by_name[name]) != is_hidden


def test_text_is_fit_for_a_table(generator: ModuleType) -> None:
    parser = argparse.ArgumentParser(prog="x")
    commands = parser.add_subparsers()
    command = commands.add_parser(
        "do", description="Does it:\n  a  one\n  b  two", epilog="EXAMPLES\n  x do -i a\n"
    )
    command.add_argument("-i", metavar="<file>", help="one | two, <x> and *y_z*,\n 10%% of it")
    command.add_argument("-secret", help=argparse.SUPPRESS)
    page = generator.render(parser)
    row = next(line for line in page.splitlines() if line.startswith("| `-i`"))
    assert row == r"| `-i` `<file>` | one \| two, \<x\> and \*y\_z\*, 10% of it |"
    assert "```bash\nx do -i a\n```" in page
    assert "Does it:\n\n```text\na  one\nb  two\n```\n" in page
    assert "secret" not in page.partition("| `-i`")[2]
