"""A version of the user's own in place of the recommended one of a model.

As ``sct_deepseg TASK -install -custom-url URL`` has it: what is installed so is used from then
on, until the recommended version is installed again. SCT keeps that in the ``source.json`` of
the model's folder, here it is in the file ``custom.json`` of this user's store.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from sct_rootlets.errors import IntegrityError
from sct_rootlets.files.outputs import OutputSet
from sct_rootlets.manifest import InstalledModel
from sct_rootlets.store.home import home
from sct_rootlets.store.install import Progress, install
from sct_rootlets.store.reading import FORMAT, read_models
from sct_rootlets.store.requested import is_url, requested_model, requested_model_at
from sct_rootlets.store.space import writing
from sct_rootlets.store.web.addresses import shown

__all__ = ["Custom", "custom_version", "forget_custom", "install_custom"]

#: Name of the file in the store.
CUSTOM_FILE = "custom.json"


@dataclass(frozen=True)
class Custom:
    """The version that is used in place of the recommended one."""

    reference: str
    #: Address, without what is secret in it, or path of the archive.
    source: str


def install_custom(
    model: str,
    source: str,
    *,
    sha256: str | None = None,
    trust_code: bool = False,
    offline: bool | None = None,
    progress: Progress | None = None,
) -> InstalledModel:
    """Install an archive and use it, from now on, for the model that is named.

    Parameters
    ----------
    model : str
        Name, without a version, of a model of the manifest.
    source : str
        Address of an archive, or path of one.
    sha256 : str, optional
        What the archive must have. Without it, the sha256 that is seen first is recorded in
        the lock file for this address, and other bytes are refused from then on.
    trust_code, offline, progress
        As :func:`sct_rootlets.store.install` takes them.

    Raises
    ------
    IntegrityError
        If the address gives other bytes than before.
    RootletsError
        Of other kinds, as :func:`sct_rootlets.store.install` raises them.
    """
    is_trusted = is_url(source) and sha256 is None
    requested = requested_model_at(source) if is_trusted else requested_model(source, sha256=sha256)
    try:
        installed = install(requested, trust_code=trust_code, offline=offline, progress=progress)
    except IntegrityError as error:
        if not is_trusted:
            raise
        raise IntegrityError(
            error.problem,
            path=error.path,
            remedy="Ask its authors. If they changed it on purpose: -custom-url with -sha256, and "
            "the hash that they state",
        ) from error
    known = shown(source) if is_url(source) else os.path.abspath(source)
    _write({**_read(), model: Custom(installed.reference, known)})
    return installed


def custom_version(model: str) -> Custom | None:
    """Return what is used in place of the recommended version of `model`, None for itself.

    Raises
    ------
    StoreError
        If the file that says so is damaged.
    """
    return _read().get(model)


def forget_custom(model: str) -> None:
    """Use the recommended version of `model` again. What is installed stays."""
    known = _read()
    if known.pop(model, None) is not None:
        _write(known)


def _path() -> Path:
    return home().folder / CUSTOM_FILE


def _read() -> dict[str, Custom]:
    return read_models(
        _path(),
        Custom,
        what="the record of custom models",
        remedy="Remove it, and install the custom model again",
    )


def _write(known: dict[str, Custom]) -> None:
    content = {
        "format": FORMAT,
        "models": {model: asdict(known[model]) for model in sorted(known)},
    }
    with writing(_path()), OutputSet() as outputs:
        outputs.write(_path(), json.dumps(content, indent=1) + "\n")
