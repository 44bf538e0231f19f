"""What an object of plans.json states, asked for key by key."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from sct_rootlets.errors import ModelError
from sct_rootlets.model_folder.model_json import AGAIN, shown

__all__ = ["ELSEWHERE", "Stated", "UnsupportedPlan", "inherited", "require_ours"]

#: What to do with a model that no engine runs.
ELSEWHERE = (
    "Predict with the nnU-Net that it was made for, and give the rootlets to: sct_rootlets levels"
)

#: A configuration inherits from another, which may inherit as well.
_MOST_PARENTS = 20


class UnsupportedPlan(Exception):
    """The plans ask for something that only nnU-Net itself can do; the text says what."""


class Stated:
    """An object of plans.json.

    Parameters
    ----------
    content : mapping
    name : str
        What it is, for messages, such as ``"plans.json"``.
    folder : Path
        Of the model.
    """

    def __init__(self, content: Mapping[str, Any], name: str, folder: Path) -> None:
        self.content, self.name, self.folder = content, name, folder

    def refuse(self, problem: str, remedy: str = AGAIN) -> NoReturn:
        """Raise the `ModelError` that says what is wrong with it."""
        raise ModelError(f"its {self.name} {problem}", path=self.folder, remedy=remedy)

    def has(self, key: str) -> str:
        """Return the words for what it has as `key`."""
        found = f"the {key} {shown(self.content[key])}" if key in self.content else f"no {key}"
        return f"has {found}"

    def one_of(self, key: str, known: tuple[str, ...], remedy: str = ELSEWHERE) -> str:
        """Return the text as `key`, one of those that are known."""
        found = self.content.get(key)
        if not isinstance(found, str) or found not in known:
            self.refuse(f"{self.has(key)}, and what engines run is {' or '.join(known)}", remedy)
        return found

    def only(self, key: str) -> Any:
        """Return what a list as `key` has for the one image that a network is given."""
        found = self.content.get(key)
        if not isinstance(found, list) or len(found) != 1:
            self.refuse(f"{self.has(key)}, not a list of one")
        return found[0]

    def object(self, key: str) -> Stated:
        """Return the object as `key`."""
        found = self.content.get(key)
        if not isinstance(found, dict):
            self.refuse(f"{self.has(key)}, not an object")
        return Stated(found, f"{key} of its {self.name}", self.folder)


def inherited(plans: Stated, name: str) -> Stated:
    """Return a configuration with what it takes from those that it inherits from."""
    known = plans.object("configurations").content
    chain: list[str] = []
    settings: dict[str, Any] = {}
    following: object = name
    while True:
        own = known.get(following) if isinstance(following, str) else None
        if not isinstance(own, dict):
            why = (
                f"its configuration {shown(chain[-1])} inherits from"
                if chain
                else ("its checkpoint was trained with")
            )
            plans.refuse(
                f"has no configuration {shown(following)}, which {why}",
                "The files are of different models; ask its authors",
            )
        chain.append(str(following))
        settings = {**own, **settings}
        if "inherits_from" not in own:
            return Stated(settings, f"configuration {name}", plans.folder)
        following = own["inherits_from"]
        if following in chain:
            circle = " from ".join(map(shown, [*chain[-3:], following]))
            plans.refuse(f"has configurations that inherit in a circle ({circle})")
        if len(chain) > _MOST_PARENTS:
            plans.refuse(f"has {shown(name)} inherit through more than {_MOST_PARENTS} others")


def require_ours(supported: bool, what: str) -> None:
    """Raise an `UnsupportedPlan` unless our own sliding window supports `what`."""
    if not supported:
        raise UnsupportedPlan(what)
