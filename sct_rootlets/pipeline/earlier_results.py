"""Results that are there already: of this image, or of another one of the same name."""

from __future__ import annotations

import os

from sct_rootlets.errors import UsageError
from sct_rootlets.files.guards import Planned
from sct_rootlets.files.hashing import file_sha256
from sct_rootlets.files.json_files import object_if_readable
from sct_rootlets.files.sidecar import names_us, sidecar_path

__all__ = ["require_same_image"]

#: Of what is planned, the images whose sidecars name what they were made of.
_WITH_SOURCES = ("rootlets", "cord", "levels")


def require_same_image(image: str, planned: Planned) -> None:
    """Raise unless results that would be replaced are of this image, and not of its namesake.

    One folder for the results of several subjects whose images share a name would otherwise keep
    those of the last one. What a result was made of its sidecar says.

    Raises
    ------
    UsageError
        If they were made of another image that is still there.
    """
    if planned.overwrite or not os.path.isfile(image):
        return
    for path in (planned.files[what] for what in _WITH_SOURCES if what in planned.files):
        content = object_if_readable(sidecar_path(path))
        sources = content.get("Sources")
        if not names_us(content) or not isinstance(sources, list):
            continue
        places = [os.path.normpath(path.parent / str(source)) for source in sources]
        other = next((place for place in places if _is_namesake(place, image)), None)
        if other is None:
            continue
        raise UsageError(
            f"was made of {other}, and would be replaced by the result of {image}",
            path=path,
            remedy="Give every subject a folder of its own with -ofolder, or replace what is "
            "there: -overwrite 1",
        )


def _is_namesake(source: str, image: str) -> bool:
    """Say whether a source has the name of the image, and is another image."""
    if os.path.basename(source) != os.path.basename(image) or not os.path.isfile(source):
        return False
    return not os.path.samefile(source, image) and file_sha256(source) != file_sha256(image)
