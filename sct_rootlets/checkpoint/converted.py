"""What inference needs of a checkpoint, in two files that cannot carry code.

Beside ``checkpoint_final.pth`` lie ``checkpoint_final.safetensors`` with the weights as they
were (float16 stays float16) and ``checkpoint_final.json`` with the rest.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sct_rootlets.checkpoint.read import check_structure, import_torch, plain_tensor
from sct_rootlets.checkpoint.stand_ins import shown
from sct_rootlets.errors import MissingDependencyError, ModelError
from sct_rootlets.files.json_files import read_object

__all__ = [
    "CHECKPOINTS",
    "FORMAT_VERSION",
    "converted_files",
    "read_converted",
    "read_stored",
    "write_converted",
]

#: Of the JSON file. A reader refuses a version that it does not know.
FORMAT_VERSION = 1

#: Of the table of contents of the weights, which safetensors itself reads up to 100 MB.
_MAX_TABLE_BYTES = 8 << 20

_AGAIN = "Remove the model and install it again"

#: Names of a fold's checkpoint, in the order in which they are preferred.
CHECKPOINTS = ("checkpoint_final.pth", "checkpoint_best.pth")


def converted_files(pth: Path) -> tuple[Path, Path]:
    """Return where the weights and the facts of a checkpoint are kept, there or not.

    Examples
    --------
    >>> [path.name for path in converted_files(Path("fold_all/checkpoint_final.pth"))]
    ['checkpoint_final.safetensors', 'checkpoint_final.json']
    """
    return pth.with_suffix(".safetensors"), pth.with_suffix(".json")


def write_converted(
    checkpoint: Mapping[str, Any], weights: Path, facts: Path, source: Mapping[str, Any]
) -> None:
    """Write the two files.

    Parameters
    ----------
    checkpoint : mapping
        Of :func:`read_pth`.
    weights, facts : Path
        The files to write.
    source : mapping
        Where the checkpoint came from, stated in the JSON as it is.
    """
    save_file = _safetensors().save_file
    stored: dict[str, Any] = {}
    aliases: dict[str, str] = {}
    first_name: dict[tuple[Any, ...], str] = {}
    for name, tensor in checkpoint["network_weights"].items():
        # The decoder of nnU-Net's networks names the weights of the encoder once more.
        key = (tensor.data_ptr(), tuple(tensor.shape), tensor.stride(), tensor.dtype)
        if tensor.numel() and key in first_name:
            aliases[name] = first_name[key]
            continue
        first_name[key] = name
        stored[name] = tensor
    # Views of one memory that differ are copied: safetensors refuses memory that is shared.
    held = {name: tensor.contiguous().clone() for name, tensor in stored.items()}
    # safetensors moves in a file that nobody else may read; this one has the modes of the umask.
    weights.touch()
    mode = weights.stat().st_mode
    save_file(held, str(weights))
    weights.chmod(mode)
    axes = checkpoint["inference_allowed_mirroring_axes"]
    content = {
        "format": "sct_rootlets checkpoint",
        "format_version": FORMAT_VERSION,
        "trainer_name": checkpoint["trainer_name"],
        "configuration": checkpoint["init_args"]["configuration"],
        "inference_allowed_mirroring_axes": None if axes is None else list(axes),
        "weights": {"tensors": len(stored), "size_bytes": weights.stat().st_size},
        "aliases": aliases,
        "source": dict(source),
    }
    facts.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def read_converted(weights: Path, facts: Path) -> dict[str, Any]:
    """Read the two files, into what :func:`read_pth` gives of the same checkpoint.

    Raises
    ------
    ModelError
        If one of them is damaged, or they are not of each other.
    """
    return read_stored(weights, facts, _safetensors().load_file, plain_tensor)


def read_stored(
    weights: Path,
    facts: Path,
    load_file: Callable[[str], dict[str, Any]],
    weight_of: Callable[[Any], Any],
) -> dict[str, Any]:
    """Read the two files; the weights as `load_file` and `weight_of` give them.

    Raises
    ------
    ModelError
        As :func:`read_converted` does.
    """
    content = _read_facts(facts)
    try:
        with weights.open("rb") as stream:
            (table_bytes,) = struct.unpack("<Q", stream.read(8).ljust(8, b"\0"))
        if table_bytes > _MAX_TABLE_BYTES:
            raise ValueError(f"its table of contents has more than {_MAX_TABLE_BYTES >> 20} MiB")
        tensors = load_file(str(weights))
        size_bytes = weights.stat().st_size
    except OSError as error:
        raise ModelError("the weights cannot be read", path=weights, remedy=_AGAIN) from error
    except Exception as error:  # safetensors has an error of its own, and passes on torch's
        raise ModelError(
            f"the weights are damaged ({str(error).splitlines()[0]:.200})",
            path=weights,
            remedy=_AGAIN,
        ) from error
    if content["weights"] != {"tensors": len(tensors), "size_bytes": size_bytes}:
        raise ModelError(
            f"is not of the weights beside it ({weights.name})", path=facts, remedy=_AGAIN
        )
    for alias, name in content["aliases"].items():
        if not isinstance(name, str) or name not in tensors or alias in tensors:
            problem = f"has the alias {shown(alias)} of {shown(name)}"
            raise ModelError(problem, path=facts, remedy=_AGAIN)
    aliased = {alias: tensors[name] for alias, name in content["aliases"].items()}
    checkpoint = {
        "network_weights": {**tensors, **aliased},
        "trainer_name": content["trainer_name"],
        "init_args": {"configuration": content["configuration"]},
        "inference_allowed_mirroring_axes": content["inference_allowed_mirroring_axes"],
    }
    return check_structure(checkpoint, facts, weight_of)


def _read_facts(facts: Path) -> dict[str, Any]:
    content = read_object(facts, error=ModelError, remedy=_AGAIN)
    kinds = {"trainer_name": str, "configuration": str, "weights": dict, "aliases": dict}
    good = all(isinstance(content.get(key), kind) for key, kind in kinds.items())
    if not good or "inference_allowed_mirroring_axes" not in content:
        raise ModelError("does not describe a checkpoint", path=facts, remedy=_AGAIN)
    if content.get("format_version") != FORMAT_VERSION:
        raise ModelError(
            f"is of format version {shown(content.get('format_version'))}; this release of "
            f"sct_rootlets reads {FORMAT_VERSION}",
            path=facts,
            remedy="Update sct_rootlets, or install the model again with this release",
        )
    return content


def _safetensors() -> Any:
    import_torch()
    try:
        import safetensors.torch
    except ImportError as error:
        raise MissingDependencyError(
            f"the weights of installed models need safetensors, which cannot be imported ({error})",
            remedy='Install it with: pip install "sct_rootlets[standalone]"',
        ) from error
    return safetensors.torch
