"""The hook in the Python of SCT: it adds our task once SCT has read its own list of tasks.

A ``.pth`` file (see `enabling`) has every Python of SCT's environment import this module when it
starts, so that it imports nothing but what is there already, and does nothing until
``spinalcordtoolbox.deepseg.models`` is imported. SCT goes on whatever happens here: a fault
of ours is one line on the standard error.
"""

import sys

TYPE_CHECKING = False  # as in typing, which would cost an unrelated command milliseconds
if TYPE_CHECKING:
    from collections.abc import Callable
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

__all__ = ["HOOK_VERSION", "RootletsFinder", "install"]

#: Version of what the line of the ``.pth`` file calls. A package that finds a line of another
#: version adds nothing, and says so where the task would have been.
HOOK_VERSION = 1

_MODELS = "spinalcordtoolbox.deepseg.models"
_SCRIPT = "spinalcordtoolbox.scripts.sct_deepseg"


def install(version: int) -> None:
    """Watch for the import of SCT's list of tasks.

    Parameters
    ----------
    version : int
        Version of the line that calls this; see `HOOK_VERSION`.
    """
    if not any(type(finder).__name__ == RootletsFinder.__name__ for finder in sys.meta_path):
        sys.meta_path.insert(0, RootletsFinder(version))


class RootletsFinder:
    """Finder of ``sys.meta_path`` that lets the others find, and adds to two modules of SCT.

    Parameters
    ----------
    version : int
        Version of the line that installed it.
    """

    def __init__(self, version: int) -> None:
        self._version = version
        self._changes = {_MODELS: self._add_task, _SCRIPT: self._return_normally}

    def find_spec(
        self, name: str, path: "Any" = None, target: "ModuleType | None" = None
    ) -> "ModuleSpec | None":
        """Return what the other finders find for the two modules, and None for all others."""
        change = self._changes.get(name)
        if change is None:
            return None
        try:
            for finder in sys.meta_path:
                find = None if finder is self else getattr(finder, "find_spec", None)
                spec = None if find is None else find(name, path, target)
                if spec is not None:
                    if hasattr(spec.loader, "exec_module"):
                        spec.loader = _Loader(spec.loader, change)
                    return spec
        except Exception:  # noqa: BLE001 - Python asks the others again, and shows their error
            return None
        return None

    def _add_task(self, module: "ModuleType") -> None:
        if self._version != HOOK_VERSION:
            from sct_rootlets.errors import RootletsError

            raise RootletsError(
                f"the hook is of version {self._version}, that of this package is {HOOK_VERSION}",
                remedy="Type: sct_rootlets sct enable",
            )
        from sct_rootlets.sct import task_entries

        task_entries.add(module)

    def _return_normally(self, module: "ModuleType") -> None:
        from sct_rootlets.sct import handover

        handover.return_normally(module)


class _Loader:
    """The loader of one of SCT's modules, and a change to the module once it was executed.

    All but `exec_module` is that of SCT's own loader, which takes this one's place as soon as
    the module is executed, so that nobody who asks the module for its loader, its source or
    its resources meets this one.
    """

    def __init__(self, loader: "Any", change: "Callable[[ModuleType], None]") -> None:
        self._loader = loader
        self._change = change

    def __getattr__(self, name: str) -> "Any":
        if name in ("_loader", "_change"):  # of one that copy or pickle has not filled yet
            raise AttributeError(name)
        return getattr(self._loader, name)

    def __reduce_ex__(self, protocol: "Any") -> "tuple[Any, ...]":
        return _same, (self._loader,)

    def exec_module(self, module: "ModuleType") -> None:
        """Execute the module as SCT has it; then change it."""
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        try:
            self._change(module)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - SCT goes on whatever it was
            _warn(error)


def _warn(error: BaseException) -> None:
    try:
        from sct_rootlets.sct.task import warn

        warn(error)
    except Exception:  # noqa: BLE001 - so broken that it cannot even say so
        return


def _same(loader: "Any") -> "Any":
    """Return what it is given: what is left of a `_Loader` that was pickled."""
    return loader
