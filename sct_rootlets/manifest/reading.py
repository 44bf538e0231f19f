"""Read manifests of models, and say in which field of which entry one is wrong."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from sct_rootlets.anatomy import Sector, Side, SpinalLevel
from sct_rootlets.errors import ModelError
from sct_rootlets.files.json_files import read_object
from sct_rootlets.manifest.entry import Asset, LabelMeaning, Manifest, ModelEntry

__all__ = ["MANIFEST_VARIABLE", "load_manifest", "load_manifests"]

#: Environment variable that names the user's own manifest.
MANIFEST_VARIABLE = "SCT_ROOTLETS_MANIFEST"

_PACKAGE = Path(__file__).parents[1]
_SCHEMA_FILE = _PACKAGE / "models_manifest.schema.json"


def load_manifest(path: str | os.PathLike[str] | None = None, *, check: bool = True) -> Manifest:
    """Read one manifest of models, by default the one of this package.

    Parameters
    ----------
    path : path-like, optional
        A JSON file of the form that ``models_manifest.schema.json`` describes.
    check : bool
        Whether it is compared with the schema, which takes longer than to read it; for the
        one of this package it can be left out.

    Raises
    ------
    ModelError
        If it cannot be read, or something in it is missing or wrong; the file, the entry
        and the field are named.
    """
    where = _own_file(_PACKAGE) if path is None else Path(path)
    content = read_object(where, error=ModelError, what="the manifest of models")
    if check:
        _validate(content, where)
    entries = tuple(_entry(model, where) for model in content["models"])
    seen: set[str] = set()
    for entry in entries:
        # Versions have folders of their own, and some file systems do not tell case apart.
        if entry.reference.casefold() in seen:
            raise ModelError(f"lists {entry.reference} twice", path=where)
        seen.add(entry.reference.casefold())
    if path is None and sum(entry.is_bundled for entry in entries) != 1:
        raise ModelError("does not list exactly one bundled model", path=where)
    return Manifest(entries)


def load_manifests(extra: str | os.PathLike[str] | None = None) -> Manifest:
    """Read the manifest of this package and what the user's own ones add to it.

    Parameters
    ----------
    extra : path-like, optional
        The user's manifest. The one that the environment variable
        ``SCT_ROOTLETS_MANIFEST`` names comes before it.

    Raises
    ------
    ModelError
        As of :func:`load_manifest` and :meth:`Manifest.merged`.
    """
    manifest = load_manifest()
    for path in (os.environ.get(MANIFEST_VARIABLE), extra):
        if path:
            manifest = manifest.merged(load_manifest(Path(path).expanduser()))
    return manifest


def _own_file(package: Path) -> Path:
    """Return the manifest of a package: inside it, or in a checkout at the top level.

    A checkout's own comes first, so that a copy that some build left in the package is not read.
    """
    checkout, name = package.parent, "models_manifest.json"
    is_checkout = (checkout / "setup.cfg").is_file() and (checkout / name).is_file()
    return (checkout if is_checkout else package) / name


@functools.cache
def _validator() -> Callable[[Any], Any]:
    import fastjsonschema  # here, because only a reader of a manifest needs it

    return fastjsonschema.compile(read_object(_SCHEMA_FILE), use_default=False)


def _validate(content: Any, where: Path) -> None:
    from fastjsonschema import JsonSchemaValueException

    try:
        _validator()(content)
    except JsonSchemaValueException as error:
        number, place = _place(error.name or "data")
        rule = error.definition or {}
        fields = rule.get("properties", {})
        expected = rule.get("description", "")
        if error.rule == "required":
            missing = [key for key in rule["required"] if key not in error.value]
            what = f"{_quoted(missing, place)} is missing"
            expected = fields.get(missing[0], {}).get("description", expected)
        elif error.rule == "additionalProperties":
            patterns = [*map(re.escape, fields), *rule.get("patternProperties", ())]
            strange = [
                key for key in error.value if not any(re.fullmatch(p, key) for p in patterns)
            ]
            what = f"{_quoted(strange, place)} is not a field that it has"
            expected = ", ".join(fields) or expected
        else:
            rest = error.message.removeprefix(error.name or "").strip()
            what = f'"{place}" {rest}' if place else f"it {rest}"
        raise ModelError(
            f"{_label(content, number)}{what}",
            path=where,
            remedy=f"Expected: {expected}" if expected else "See docs/manifest.md",
        ) from error


def _place(name: str) -> tuple[int | None, str]:
    """Split ``data.models[1].assets[0].sha256`` into the entry, 1, and the field in it."""
    found = re.fullmatch(r"data(?:\.models\[(\d+)\])?\.?(.*)", name, re.DOTALL)
    if found is None:
        return None, name
    return (None if found[1] is None else int(found[1])), found[2]


def _quoted(names: Iterable[str], inside: str) -> str:
    return ", ".join(f'"{inside}.{name}"' if inside else f'"{name}"' for name in names)


def _label(content: Any, number: int | None) -> str:
    if number is None:
        return "the manifest of models: "
    model = content["models"][number]
    named = model if isinstance(model, dict) else {}
    name = f"{named.get('name', 'no name')}@{named.get('version', 'no version')}"
    return f"entry {number + 1} ({name}): "


def _entry(model: dict[str, Any], where: Path) -> ModelEntry:
    return ModelEntry(
        name=model["name"],
        version=model["version"],
        title=model["title"],
        task=model["task"],
        framework=model["framework"],
        labels={int(value): _meaning(label) for value, label in (model["labels"] or {}).items()},
        contrasts=tuple(model["contrasts"] or ()),
        orientation_sct=model["orientation"]["value"],
        assets=tuple(
            Asset(
                urls=tuple(asset["urls"]),
                format=asset["format"],
                sha256=asset["sha256"],
                size_bytes=asset.get("size_bytes"),
                unpacked_bytes=asset.get("unpacked_bytes"),
            )
            for asset in model["assets"]
        ),
        details=model,
        manifest_file=where,
    )


def _meaning(label: dict[str, Any]) -> LabelMeaning:
    return LabelMeaning(
        text=label["text"],
        level=None if label["level"] is None else SpinalLevel[label["level"]],
        sectors=tuple(Sector[sector.upper()] for sector in label["sectors"]),
        sides=tuple(Side[side.upper()] for side in label["sides"]),
    )
