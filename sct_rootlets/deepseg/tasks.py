"""The tasks there are, and the model that each of them uses."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from sct_rootlets.engines import Progress
from sct_rootlets.errors import ModelError, UsageError
from sct_rootlets.manifest import InstalledModel, ModelEntry, load_manifests
from sct_rootlets.store import Choice, install
from sct_rootlets.store.catalogue import list_models
from sct_rootlets.store.custom import custom_version, forget_custom, install_custom
from sct_rootlets.store.installed import conditions, find, why_not
from sct_rootlets.store.locate import locate_here
from sct_rootlets.store.sct_copy import find_sct_copy

__all__ = [
    "MODEL",
    "TASKS",
    "Say",
    "Task",
    "describe_tasks",
    "install_task",
    "located",
    "task_model",
]

#: Model of the manifest that every task uses by default, in its recommended version.
MODEL = "rootlets"

#: Takes a line about what is done, for the user.
Say = Callable[[str], None]


@dataclass(frozen=True)
class Task:
    """A task as the command line names it.

    Attributes
    ----------
    name, long_description : str
    has_levels : bool
        Whether levels are derived from the rootlets.
    """

    name: str
    long_description: str
    has_levels: bool


_ROOTLETS = (
    "Rootlets of the spinal nerves, dorsal and ventral, by the value of their spinal level "
    "(C2 = 2 ... T1 = 9), as sct_deepseg rootlets has them and by the same model."
)

TASKS = {
    task.name: task
    for task in (
        Task("rootlets", _ROOTLETS, False),
        Task(
            "rootlets_levels",
            f"{_ROOTLETS} From them and a cord mask the borders of the spinal levels, as a label "
            "image and a table with their uncertainty.",
            True,
        ),
    )
}


def task_model(choice: Choice) -> Choice:
    """Return the model to use: the one that was chosen, else the custom or recommended one.

    Parameters
    ----------
    choice : Choice
        Its reference is empty where the user named no model.

    Raises
    ------
    ModelError
        If a custom version was installed, and is gone.
    """
    if os.fspath(choice.reference):
        return choice
    custom = custom_version(MODEL)
    if custom is None:
        return replace(choice, reference=MODEL)
    name, _, version = custom.reference.partition("@")
    if find(name, version) is None:
        why = why_not(name, version)
        raise ModelError(
            f"the custom model {custom.reference} (from {custom.source}) {why}",
            remedy="Install it again with -install -custom-url URL, or with -install alone the "
            "recommended one",
        )
    return replace(choice, reference=custom.reference)


def located(choice: Choice, say: Say, progress: Progress | None = None) -> InstalledModel:
    """Return the model, and install it first where it is missing, which is said as SCT does.

    Parameters and errors as of :func:`task_model` and :func:`sct_rootlets.store.locate`.
    """
    named = task_model(choice)
    found = locate_here(
        named.reference,
        sha256=named.sha256,
        manifest=named.manifest,
        trust_code=named.trust_code,
    )
    if isinstance(found, InstalledModel):
        custom = None if os.fspath(choice.reference) else custom_version(MODEL)
        if custom is not None:
            say(f"Using the custom model from {custom.source}.")
        return found
    why = why_not(found.name, found.version)
    say(f"Model {found.reference} {why}. Installing it now...")
    return install(found, trust_code=named.trust_code, offline=named.offline, progress=progress)


def install_task(
    choice: Choice,
    say: Say,
    *,
    custom: list[str] | None = None,
    progress: Progress | None = None,
) -> InstalledModel:
    """Install the model of the tasks, as ``-install`` asks for it.

    Parameters
    ----------
    choice : Choice
        As of :func:`task_model`. Without a model the recommended one is used from now on.
    say : callable
    custom : list of str, optional
        Addresses of ``-custom-url``: one, whose model is used from now on.
    progress : callable, optional

    Raises
    ------
    UsageError
        If there is more than one address, or one beside a model.
    RootletsError
        Of other kinds, if it cannot be installed.
    """
    named = bool(os.fspath(choice.reference))
    if custom and len(custom) != 1:
        raise UsageError(
            f"the model of this task is one archive, and -custom-url gives {len(custom)} addresses",
            remedy="Give one",
        )
    if custom and named:
        raise UsageError("-model and -custom-url both name a model", remedy="Give one of them")
    if custom:
        model = install_custom(
            MODEL,
            custom[0],
            sha256=choice.sha256,
            trust_code=choice.trust_code,
            offline=choice.offline,
            progress=progress,
        )
        say(f"{model.reference} is used from now on, until '-install' alone brings the official")
        return model
    if not named:
        forget_custom(MODEL)
        choice = replace(choice, reference=MODEL)
    entry = load_manifests(choice.manifest).find(os.fspath(choice.reference))
    is_ours = entry is not None and not entry.is_bundled
    if entry is None or not is_ours or (not _is_in_store(entry) and find_sct_copy(entry)):
        return located(choice, lambda text: None, progress)
    # Unlike the search for a model, this installs one anew that is damaged.
    return install(
        entry,
        sha256=choice.sha256,
        trust_code=choice.trust_code,
        offline=choice.offline,
        progress=progress,
    )


def _is_in_store(entry: ModelEntry) -> bool:
    """Return whether our own store is to be looked after: whole or damaged, it is there."""
    return next(conditions(entry.name, entry.version), None) is not None


def describe_tasks() -> list[dict[str, Any]]:
    """Return one row a task, for lists: what it does, its model, and whether that is installed.

    Nothing is hashed and the network is not used.

    Returns
    -------
    list of dict
        With task, long_description, model (``name@version``), contrasts, levels, url and
        installed, as :func:`sct_rootlets.store.catalogue.list_models` has it.
    """
    custom = custom_version(MODEL)
    entry = load_manifests().find(MODEL)
    reference = MODEL if entry is None else entry.reference
    reference = reference if custom is None else custom.reference
    # Of a version in several stores the first row is of what is used.
    known = {f"{row['name']}@{row['version']}": row for row in reversed(list_models())}
    row = known.get(reference, {})
    url = custom.source if custom is not None else None
    if url is None and entry is not None:
        url = next((url for asset in entry.assets for url in asset.urls), None)
    return [
        {
            "task": task.name,
            "long_description": task.long_description,
            "model": reference,
            "contrasts": row.get("contrasts", []),
            "levels": row.get("levels", "not published"),
            "url": url,
            "installed": row.get("installed", "no"),
        }
        for task in TASKS.values()
    ]
