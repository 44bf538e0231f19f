"""Where models are kept: this user's store, and read-only ones that are searched first.

A store is a folder::

    models/<name>/<version>/    nnUNetTrainer*/ and receipt.json: one installed model
    staging/                    installs under way, on the same file system
    locks/                      who is installing what
    compiled/                   networks as an engine compiled them; may be removed at any time
    models.lock.json            the hashes that were seen first
    custom.json                 versions used in place of the recommended ones
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from sct_rootlets.errors import StoreError
from sct_rootlets.store.reading import is_word

__all__ = ["HOME", "OFFLINE", "PATH", "Place", "Store", "home", "is_offline", "stores"]

#: Environment variable that names this user's store.
HOME = "SCT_ROOTLETS_HOME"
#: Environment variable with more stores, read only and searched first.
PATH = "SCT_ROOTLETS_PATH"
#: Environment variable that forbids the network.
OFFLINE = "SCT_ROOTLETS_OFFLINE"


@dataclass(frozen=True)
class Place:
    """Where one version of one model is, or would be, in a store."""

    store: Store
    name: str
    version: str

    @property
    def reference(self) -> str:
        """Name and version in one word."""
        return f"{self.name}@{self.version}"

    @property
    def folder(self) -> Path:
        """Folder of the installed model."""
        return self.store.models / self.name / self.version

    @property
    def lock(self) -> Path:
        """File that says who is installing it."""
        return self.store.locks / f"{self.reference}.lock"

    @property
    def install_command(self) -> str:
        """What to type to have it installed, or repaired."""
        # What was installed by the path of an archive came from no address.
        archive = " -from-file FILE.zip" if self.name.startswith("file-") else ""
        return f"sct_rootlets models install {self.reference}{archive}"


@dataclass(frozen=True)
class Store:
    """A folder of installed models.

    Attributes
    ----------
    folder : Path
        It need not exist; nothing is made before a model is installed.
    writable : bool
        Whether models are installed into it: True for this user's own only.
    """

    folder: Path
    writable: bool

    @property
    def models(self) -> Path:
        """Folder with one folder a name, and one a version in it."""
        return self.folder / "models"

    @property
    def staging(self) -> Path:
        """Folder of installs under way."""
        return self.folder / "staging"

    @property
    def locks(self) -> Path:
        """Folder of the files that say who is installing what."""
        return self.folder / "locks"

    @property
    def compiled(self) -> Path:
        """Folder of compiled networks: made by the engine that needs one, and only a cache."""
        return self.folder / "compiled"

    def compiled_of(self, sha256: str) -> list[Path]:
        """Return what engines keep of the model of that hash, with which its names begin."""
        return sorted(self.compiled.glob(f"{sha256[:32]}-*"))

    def place(self, name: str, version: str) -> Place:
        """Return the place of a version of a model, or raise a `StoreError` for a bad name."""
        for word in (name, version):
            if not is_word(word):
                raise StoreError(
                    f"{word!r} cannot be the name or version of a model in a store",
                    remedy="Use letters, digits and . _ + -, at most 100 of them",
                )
        return Place(self, name, version)

    def survey(self) -> tuple[list[Place], list[StoreError]]:
        """Return the folders that may hold a model, sorted, and what cannot be looked into."""
        closed: list[StoreError] = []
        places = [
            Place(self, name, version)
            for name in _folders(self.models, self.folder, closed)
            for version in _folders(self.models / name, self.folder, closed)
        ]
        return places, closed

    def prepare(self, name: str = "") -> None:
        """Make the folders of this user's store, or raise a `StoreError` that says why not.

        Where the `name` of a model is given, there has to be room for its folder.
        """
        try:
            for folder in (self.models, self.staging, self.locks):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self.unusable(error.strerror or str(error)) from error
        if os.path.lexists(self.models / name) and not os.path.isdir(self.models / name):
            raise self.unusable(f"{self.models / name} is no folder")
        if not all(os.access(folder, os.W_OK) for folder in (self.models, self.staging)):
            raise self.unusable("Permission denied")

    def unusable(self, reason: str) -> StoreError:
        """Return the error that nothing can be written into this store."""
        return StoreError(
            f"the store of models cannot be written to ({reason})",
            path=self.folder,
            remedy=f"Set {HOME} to a folder of yours, or have the model installed by whoever "
            f"owns the store, and name that one in {PATH}",
        )


def _folders(folder: Path, store: Path, closed: list[StoreError]) -> list[str]:
    """Return the names of folders and links in a folder; why it has none is added to `closed`."""
    try:
        with os.scandir(folder) as found:
            names = [each.name for each in found if each.is_symlink() or each.is_dir()]
        return sorted(filter(is_word, names))
    except FileNotFoundError:
        above = [each for each in (folder, *folder.parents) if store in (each, *each.parents)]
        broken = next(
            (each for each in above if os.path.islink(each) and not os.path.exists(each)), None
        )
        if broken is not None:
            closed.append(StoreError("is a link that leads nowhere", path=broken))
    except OSError as error:
        closed.append(
            StoreError(
                f"cannot be read ({error.strerror}), so that no model is found in it",
                path=folder,
                remedy="Ask whoever owns it for the right to read it",
            )
        )
    return []


def home() -> Store:
    """Return this user's own store: ``SCT_ROOTLETS_HOME``, else the platform's data folder."""
    given = os.environ.get(HOME, "").strip()
    if given:
        return Store(Path(given).expanduser().absolute(), writable=True)
    from platformdirs import user_data_path

    return Store(user_data_path("sct_rootlets", appauthor=False), writable=True)


def stores() -> list[Store]:
    """Return every store in the order of the search: those of ``SCT_ROOTLETS_PATH``, then home.

    Examples
    --------
    >>> [store.writable for store in stores()][-1]
    True
    """
    own = home()
    found = []
    for text in os.environ.get(PATH, "").split(os.pathsep):
        if text.strip():
            store = Store(Path(text.strip()).expanduser().absolute(), writable=False)
            if store.folder != own.folder and store not in found:
                found.append(store)
    return [*found, own]


def is_offline(asked: bool | None = None) -> bool:
    """Return whether the network is forbidden, by the caller or else ``SCT_ROOTLETS_OFFLINE``."""
    if asked is not None:
        return asked
    return os.environ.get(OFFLINE, "").strip().lower() not in ("", "0", "no", "false", "off")
