"""The store turns a name into a model on disk."""

from sct_rootlets.manifest import InstalledModel
from sct_rootlets.store.locate import folder_sha256, locate

__all__ = ["InstalledModel", "folder_sha256", "locate"]
