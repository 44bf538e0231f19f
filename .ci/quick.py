"""Print which tests a change needs: those of the rooms it touches, and a smoke of the rest.

``python .ci/quick.py [since]`` compares the working tree with a commit, by default with where it
left ``main``; ``make quick`` runs what it prints, less what is marked ``slow``.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

#: A little of everything, in a few seconds: an image becomes a table, and is written.
SMOKE = (
    "tests/test_mirror.py",
    "tests/levels/test_positions.py",
    "tests/levels/table/test_reading.py",
    "tests/image/test_alignment.py",
    "tests/files/test_outputs.py",
    "tests/cli/test_main.py",
)


def changed(since: str) -> set[str]:
    """Return what differs from `since` or is not tracked yet."""
    git = ("git", "-c", "core.quotePath=false")
    asked = (
        (*git, "diff", "--name-only", since),
        (*git, "ls-files", "--others", "--exclude-standard"),
    )
    outputs = (subprocess.run(words, capture_output=True, text=True, check=True) for words in asked)
    return {line for output in outputs for line in output.stdout.splitlines()}


def tests_of(files: Iterable[str]) -> set[str]:
    """Return the tests that mirror `files`: of a module and of its room."""
    found = set()
    for file in files:
        path = Path(file)
        if path.parts[0] == "tests" and path.name.startswith("test_"):
            found.add(file)
        elif path.parts[0] in ("tests", "sct_rootlets", "benchmarks", "training"):
            inside = path.parts[0] in ("tests", "sct_rootlets")
            folder = Path("tests", *path.parts[1:-1]) if inside else Path("tests", path.parts[0])
            beside = folder.parts == ("tests",)  # a module of the ground floor has one file
            found.add(str(folder / f"test_{path.stem}.py" if beside else folder))
    return {name for name in found if Path(name).exists()}


def main(since: str | None = None) -> None:
    """Print the tests; `since` is any commit."""
    if since is None:
        words = ["git", "merge-base", "HEAD", "main"]
        base = subprocess.run(words, capture_output=True, text=True, check=False)
        since = base.stdout.strip() or "HEAD"
    needed = {*tests_of(changed(since)), *filter(lambda name: Path(name).exists(), SMOKE)}
    print(*sorted(needed))


if __name__ == "__main__":
    main(*sys.argv[1:])
