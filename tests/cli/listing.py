"""Names of the files that commands write."""

from __future__ import annotations

from pathlib import Path

from sct_rootlets.qc import figure

__all__ = ["level_names", "listing", "names"]


def names(folder: str | Path = ".") -> set[str]:
    """Return the names of all files in a folder."""
    return {path.name for path in Path(folder).iterdir()}


def level_names(stem: str, extension: str = ".nii.gz") -> set[str]:
    """Return the names of all files of levels."""
    images = {f"{stem}{end}{extension}" for end in ("", "_midpoint", "_rostral", "_caudal")}
    drawn = {f"{stem}.png"} if figure.has_matplotlib() else set()
    return images | drawn | {f"{stem}.tsv", f"{stem}.json", f"{stem}_dseg.tsv"}


def listing(folder: Path) -> dict[str, tuple[int, int]]:
    """Return size and time of change of everything in a folder."""
    return {
        str(path.relative_to(folder)): (path.lstat().st_size, path.lstat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
    }
