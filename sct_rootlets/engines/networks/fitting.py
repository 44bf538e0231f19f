"""A network is built once its weights are known to be as large as it.

How large a network becomes is said by plans.json, which may ask for sixty stages beside the
weights of two. It is therefore outlined first: built on torch's device ``meta``, where tensors
have a shape and no memory, and stopped where it outgrows its weights.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sct_rootlets.engines.networks.architecture import load_weights
from sct_rootlets.engines.networks.runtime import import_torch
from sct_rootlets.errors import ModelError

__all__ = ["built_to_fit", "within"]

logger = logging.getLogger(__name__)

#: Modules, parameters and buffers that a network has for each name of a weight; nnU-Net's have
#: one to three.
_PARTS_A_NAME, _MORE_PARTS = 10, 100

#: Numbers in its parameters and buffers for each in its weights; nnU-Net's have one. More of
#: them there are in tables of positions, which are computed and not saved.
_NUMBERS_A_NUMBER, _MORE_NUMBERS = 2, 1 << 22


def built_to_fit(
    build: Callable[[], Any],
    checkpoint: Mapping[str, Any],
    path: Path,
    is_installed: bool = False,
) -> Any:
    """Build a network that has the weights of a checkpoint.

    Parameters
    ----------
    build : callable
        Returns the ``torch.nn.Module``, without weights.
    checkpoint : mapping
        Of :func:`sct_rootlets.engines.networks.runtime.read_checkpoint`.
    path : Path
        Of the model or checkpoint, for messages.
    is_installed : bool
        Whether it is built by code that the user installed, and not only as plans.json says.
        Such a network may read numbers out of its tensors, which an outline has not; it is built
        all the same.

    Raises
    ------
    ModelError
        If the weights do not fit, or it cannot be built.
    """
    torch = import_torch()
    weights = checkpoint["network_weights"]
    try:
        with within(weights, path), torch.device("meta"):
            outline = build()
    except _TooLarge:
        raise
    except ModelError as error:
        if not is_installed:
            raise
        logger.debug("the network cannot be outlined (%s)", error)
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of numbers that an outline does not take
            load_weights(outline, checkpoint, path)
        del outline
    with within(weights, path):
        module = build()
    load_weights(module, checkpoint, path)
    return module


class _TooLarge(ModelError):
    """A network that outgrows its weights."""


@contextmanager
def within(weights: Mapping[str, Any], path: Path) -> Iterator[None]:
    """Stop the building of a network that outgrows its weights.

    Raises
    ------
    ModelError
        If it does.
    """
    from torch.nn.modules import module

    numbers = sum({id(each): each.numel() for each in weights.values()}.values())
    left_numbers = _NUMBERS_A_NUMBER * numbers + _MORE_NUMBERS
    left_parts = _PARTS_A_NAME * len(weights) + _MORE_PARTS
    stopped = False

    def count(_owner: Any, _name: str, part: Any) -> None:
        nonlocal left_numbers, left_parts, stopped
        left_parts -= 1
        left_numbers -= part.numel() if hasattr(part, "numel") else 0
        if left_parts < 0 or left_numbers < 0:
            stopped = True
            raise RuntimeError("the network outgrows its weights")

    hooks = [
        module.register_module_module_registration_hook(count),
        module.register_module_parameter_registration_hook(count),
        module.register_module_buffer_registration_hook(count),
    ]
    failed: Exception | None = None
    try:
        yield
    except Exception as error:
        if not stopped:
            raise
        failed = error
    finally:
        for hook in hooks:
            hook.remove()
    if stopped:
        raise _TooLarge(
            f"the network of its plans.json is larger than its {len(weights)} weights of "
            f"{numbers} numbers",
            path=path,
            remedy="The files are of different models, or it needs a trainer class that this "
            "nnU-Net does not have",
        ) from failed
