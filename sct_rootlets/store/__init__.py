"""The store turns a name into a model on disk, and installs what is missing."""

from sct_rootlets.manifest import InstalledModel
from sct_rootlets.store.folder import folder_sha256
from sct_rootlets.store.home import home, stores
from sct_rootlets.store.install import install
from sct_rootlets.store.locate import Choice, locate

__all__ = ["Choice", "InstalledModel", "folder_sha256", "home", "install", "locate", "stores"]
