"""Find the model that a user named, and install it where it is missing."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path

from sct_rootlets.errors import ModelError, RootletsError, UsageError
from sct_rootlets.manifest import BUNDLED, InstalledModel, Manifest, ModelEntry, load_manifests
from sct_rootlets.store import trust
from sct_rootlets.store.accepted_model import require_no_code, require_runnable
from sct_rootlets.store.condition import WHOLE
from sct_rootlets.store.folder import ARCHIVES, BUNDLED_FOLDER, describe, model_folder
from sct_rootlets.store.home import home
from sct_rootlets.store.install import Progress, install, require_expected
from sct_rootlets.store.installed import all_installed, conditions, describe_installed, find
from sct_rootlets.store.requested import (
    RequestedModel,
    is_url,
    requested_model,
    requested_reference,
    require_sha256,
)
from sct_rootlets.store.sct_copy import find_sct_copy, other_of_sct, why_no_sct_copy
from sct_rootlets.store.web.addresses import shown

__all__ = ["Choice", "locate", "locate_here", "what_to_install"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Choice:
    """A model as a command line names it, with its options, all as :func:`locate` takes them."""

    reference: str | os.PathLike[str] = BUNDLED
    sha256: str | None = None
    manifest: str | os.PathLike[str] | None = None
    offline: bool | None = None
    trust_code: bool = False

    def locate(self, progress: Progress | None = None) -> InstalledModel:
        """Return the model, see :func:`locate`."""
        return locate(**vars(self), progress=progress)


def locate(
    reference: str | os.PathLike[str] = BUNDLED,
    *,
    sha256: str | None = None,
    manifest: str | os.PathLike[str] | None = None,
    offline: bool | None = None,
    trust_code: bool = False,
    progress: Progress | None = None,
) -> InstalledModel:
    """Return the model that `reference` names; install it first where it is missing.

    Parameters
    ----------
    reference : str or path-like
        ``"bundled"``; a ``name`` or ``name@version`` of a manifest or of an installed model;
        the path of an nnU-Net v2 model folder (dataset.json, plans.json, ``fold_*``), of its
        parent, or of an archive of it; or the address of an archive, with `sha256`.
    sha256 : str, optional
        What the archive of the model must have.
    manifest : path-like, optional
        The user's own manifest, which adds entries to ours.
    offline : bool, optional
        Whether the network is forbidden; by default what ``SCT_ROOTLETS_OFFLINE`` says.
        What is installed never needs it.
    trust_code : bool
        Accept files that could run code, and checkpoints that run it when they are read.
    progress : callable, optional
        Called as ``progress(stage, done, total)`` while something is installed.

    Raises
    ------
    ModelError
        If no such model is known, or it is incomplete, or missing while offline; the
        missing part and the remedy are named.
    UsageError
        If an address comes without a hash, or a hash with what has none.
    RootletsError
        Of other kinds, if it has to be installed and cannot be.
    """
    found = locate_here(reference, sha256=sha256, manifest=manifest, trust_code=trust_code)
    if isinstance(found, InstalledModel):
        return found
    return install(found, trust_code=trust_code, offline=offline, progress=progress)


def locate_here(
    reference: str | os.PathLike[str] = BUNDLED,
    *,
    sha256: str | None = None,
    manifest: str | os.PathLike[str] | None = None,
    trust_code: bool = False,
) -> InstalledModel | RequestedModel:
    """Return the model that `reference` names, or what to install where it is missing.

    Parameters and errors as in :func:`locate`.
    """
    text = os.fspath(reference)
    models = load_manifests(manifest)
    entry = models.find(text)
    if entry is not None:
        if text == entry.name:
            _mention_other_of_sct(entry, models)
        return _listed(entry, sha256, trust_code)
    path = Path(text).expanduser()
    if not is_url(text) and path.is_dir():
        _refuse_hash(sha256, f"the folder {text}")
        folder = model_folder(path)
        require_no_code(folder, trust_code=trust_code)
        return describe(folder)
    if is_url(text) or path.is_file():
        if path.is_file() and not text.lower().endswith(ARCHIVES):
            model_folder(path)
        return _here(requested_model(text, sha256=sha256))
    return _installed(text, sha256, models)


def what_to_install(
    name: str,
    *,
    manifest: str | os.PathLike[str] | None = None,
    file: Path | None = None,
    sha256: str | None = None,
) -> RequestedModel | None:
    """Return what ``models install`` has to install, None for what is there and has no archive.

    Parameters
    ----------
    name : str
        A name of a manifest, ``name@version`` of what is in no manifest but in a store or in
        `file`, the path of an archive, or its address.
    manifest, file, sha256
        The user's own manifest, the archive of what is named, and what that must have.

    Raises
    ------
    RootletsError
        As of :func:`locate`, where nothing has that name; if it is a folder that no engine runs.
    """
    entry = load_manifests(manifest).find(name)
    if entry is not None:
        return None if entry.is_bundled else requested_model(entry, file=file, sha256=sha256)
    if file is None and (is_url(name) or Path(name).expanduser().is_file()):
        return requested_model(name, sha256=sha256)
    word, _, version = name.partition("@")
    there = list(dict.fromkeys(each.place.reference for each in conditions(word, version or None)))
    if len(there) > 1:
        raise UsageError(f"{name} has several versions", remedy=f"Type {' or '.join(there)}")
    if there or file is not None:
        return requested_reference((there or [name])[0], file=file, sha256=sha256)
    require_runnable(locate(name, manifest=manifest, offline=True))
    return None


def _listed(
    entry: ModelEntry, sha256: str | None, trust_code: bool
) -> InstalledModel | RequestedModel:
    if entry.is_bundled:
        _refuse_hash(sha256, f"{entry.reference}, which ships with this package,")
        return describe(model_folder(BUNDLED_FOLDER), entry.name, entry.version)
    requested = requested_model(entry, sha256=sha256)
    here = _here(requested)
    if isinstance(here, InstalledModel):
        return here
    copy = find_sct_copy(entry)
    if copy is None:
        if (why := why_no_sct_copy(entry)) is not None:
            logger.warning("the copy of %s that SCT has is not used: %s", entry.reference, why)
        return requested
    recorded = trust.read_records(trust.records_path(home()))
    if requested.pinned or requested.published or entry.reference in recorded:
        logger.warning(
            "SCT has %s in %s, but it cannot be told that this came from the archive with the "
            "known hash; it is used if that path is given with -model",
            entry.reference,
            copy,
        )
        return requested
    require_no_code(copy, trust_code=trust_code)
    logger.info("using the copy of %s that SCT installed in %s", entry.reference, copy)
    return describe(copy, entry.name, entry.version, stated=entry.level_of)


def _mention_other_of_sct(entry: ModelEntry, models: Manifest) -> None:
    """Warn that SCT's own task uses another model than the one that a name alone means."""
    other = other_of_sct(entry, models.entries)
    if other is not None:
        folder, url = other
        logger.warning(
            "SCT uses another model for its own task, from %s; %s is used here. Say which one is "
            "meant: -model %s, or -model %s",
            shown(url),
            entry.reference,
            folder,
            entry.reference,
        )


def _here(requested: RequestedModel) -> InstalledModel | RequestedModel:
    """Return the first in the stores that is what is asked for, or what to install.

    One that is not is passed over with a warning. It is an error where there is no other,
    unless a glance shows what is wrong: that is left to the install.
    """
    passed_over: list[RootletsError] = []
    error: RootletsError | None = None
    for found in conditions(requested.name, requested.version):
        if found.state != WHOLE:
            passed_over.append(found.error())
            continue
        try:
            require_expected(found.place, requested)
            model = describe_installed(found.place, requested.levels)
        except RootletsError as other:
            passed_over.append(other)
            error = error or other
            continue
        for problem in passed_over:
            logger.warning("%s. The one in %s is used", problem, found.place.folder)
        return model
    if error is not None:
        raise error
    return requested


def _installed(text: str, sha256: str | None, models: Manifest) -> InstalledModel:
    """Return an installed model that no manifest lists, or raise that there is none."""
    name, _, version = text.partition("@")
    place = find(name, version or None)
    if place is not None:
        version = place.version
    if version:
        pinned = None if sha256 is None else require_sha256(sha256)
        here = _here(RequestedModel(name, version, pinned=pinned))
        if isinstance(here, InstalledModel):
            return here
    for found in conditions(name, version or None):
        raise found.error()
    if text.lower().endswith(ARCHIVES) or os.sep in text or text.startswith("."):
        raise ModelError("no such model folder or archive", path=text, remedy="Check the path")
    known = [entry.reference for entry in models.entries]
    known += [here.reference for here in all_installed() if here.reference not in known]
    raise ModelError(
        f"no model is named {text!r}, and there is no folder of that name",
        remedy=f"Known are {BUNDLED}, {', '.join(known)}; see: sct_rootlets models list",
    )


def _refuse_hash(sha256: str | None, what: str) -> None:
    if sha256 is not None:
        raise UsageError(
            f"{what} is no archive, whose hash -sha256 could be", remedy="Leave out -sha256"
        )
