"""The network of a model folder as nnU-Net's trainer of that model builds it."""

from __future__ import annotations

import copy
import inspect
import logging
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from sct_rootlets.engines.networks.architecture import check_architecture
from sct_rootlets.engines.networks.runtime import from_nnunet, has_plain_trainer, quietly
from sct_rootlets.errors import ModelError
from sct_rootlets.model_folder import ModelFolder

__all__ = ["build_by_trainer", "find_trainer", "read_plans"]

logger = logging.getLogger(__name__)


def read_plans(
    nnunet: SimpleNamespace, model: ModelFolder, configuration_name: str
) -> tuple[Any, Any, dict[str, Any]]:
    """Return the plans, configuration and dataset of a model folder, as nnU-Net reads them.

    Parameters
    ----------
    nnunet : SimpleNamespace
        Of :func:`sct_rootlets.engines.networks.runtime.import_nnunet`.
    model : ModelFolder
    configuration_name : str
        Such as ``"3d_fullres"``.

    Raises
    ------
    ModelError
        If they cannot be used, or name what is no part of a network.
    """
    with from_nnunet(model.path):
        # nnU-Net changes what it is given.
        plans = nnunet.PlansManager(copy.deepcopy(dict(model.plans)))
        configuration = plans.get_configuration(configuration_name)
    check_architecture(configuration.configuration.get("architecture"), model.path)
    return plans, configuration, dict(model.dataset)


def build_by_trainer(trainer: Any, plans: Any, configuration: Any, dataset: Any) -> Any:
    """Build a network, without weights, by its trainer's own method, whatever its signature.

    Releases differ: 2.2 gave it the plans and dataset, 2.4 to 2.7 the architecture, 2.8
    the plans and the numbers of channels. Arguments are therefore given by name.

    Parameters
    ----------
    trainer : type
        Of :func:`find_trainer`.
    plans, configuration, dataset
        Of :func:`read_plans`.

    Raises
    ------
    ModelError
        If this nnU-Net cannot build it.
    """
    build = trainer.build_network_architecture
    known: dict[str, Callable[[], Any]] = {
        "plans_manager": lambda: plans,
        "configuration_manager": lambda: configuration,
        "dataset_json": lambda: dataset,
        "num_input_channels": lambda: 1,
        "num_output_channels": lambda: plans.get_label_manager(dataset).num_segmentation_heads,
        "enable_deep_supervision": lambda: False,
        "architecture_class_name": lambda: configuration.network_arch_class_name,
        "arch_init_kwargs": lambda: configuration.network_arch_init_kwargs,
        "arch_init_kwargs_req_import": lambda: configuration.network_arch_init_kwargs_req_import,
    }
    names = list(inspect.signature(build).parameters)
    try:
        with quietly():
            return build(**{name: known[name]() for name in names})
    except Exception as error:
        raise ModelError(
            f"this nnU-Net cannot build the network of trainer {trainer.__name__} ({error!s:.200})",
            remedy="Use the release of nnU-Net that the model was trained with",
        ) from error


def find_trainer(nnunet: SimpleNamespace, name: str) -> Any:
    """Return the trainer class of that name, or nnUNetTrainer where this nnU-Net has none.

    As SCT does with models whose trainer only changed the training. A network that is
    not nnUNetTrainer's shows when its weights do not fit.
    """
    if has_plain_trainer(name):
        return nnunet.nnUNetTrainer
    try:
        with quietly():
            found = nnunet.find_class(
                str(nnunet.root / "training" / "nnUNetTrainer"),
                name,
                "nnunetv2.training.nnUNetTrainer",
            )
    except Exception as error:  # noqa: BLE001  it imports every trainer there is
        logger.debug("searching the trainer %s failed: %s", name, error)
        found = None
    if not (isinstance(found, type) and issubclass(found, nnunet.nnUNetTrainer)):
        found = None  # the search takes any object of that name in any module
    if found is None:
        logger.warning("this nnU-Net has no %s; its network is built as nnUNetTrainer's", name)
    return found or nnunet.nnUNetTrainer
