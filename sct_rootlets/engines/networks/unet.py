"""nnU-Net's usual network, a plain U-Net, by what plans.json says of it.

So much is known of the layers of a ``PlainConvUNet`` (dynamic_network_architectures 0.4) that
it can be built without the package, and without torch, whose imports take seconds. A network
that is anything else is not described here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sct_rootlets.model_folder import Plan

__all__ = ["Block", "PlainUNet", "old_architecture", "plain_unet"]

_NETWORK = "dynamic_network_architectures.architectures.unet.PlainConvUNet"
#: What nnU-Net imports by name, and so does not take as it stands.
_IMPORTED = ("conv_op", "norm_op", "dropout_op", "nonlin")
_DEFAULT_EPS, _DEFAULT_SLOPE = 1e-5, 0.01

#: nnU-Net plans eight stages at most.
_MOST_STAGES = 64

_KNOWN = {
    "n_stages", "features_per_stage", "conv_op", "kernel_sizes", "strides", "n_conv_per_stage",
    "n_conv_per_stage_decoder", "conv_bias", "norm_op", "norm_op_kwargs", "dropout_op",
    "dropout_op_kwargs", "nonlin", "nonlin_kwargs", "nonlin_first",
}  # fmt: skip


def _names(module: str, name: str) -> tuple[str, str]:
    return f"torch.nn.{name}", f"torch.nn.modules.{module}.{name}"


@dataclass(frozen=True)
class Block:
    """A convolution, perhaps a norm, and a leaky ReLU.

    Attributes
    ----------
    name : str
        Of its module, before ``.conv.weight``.
    inputs, outputs : int
        Channels.
    kernel, stride : tuple of int
    """

    name: str
    inputs: int
    outputs: int
    kernel: tuple[int, ...]
    stride: tuple[int, ...]


@dataclass(frozen=True)
class PlainUNet:
    """A plain U-Net of one input channel.

    Attributes
    ----------
    features : tuple of int
        Channels of each stage.
    kernels, strides : tuple of tuple of int
        Of each stage.
    convolutions : tuple of int
        Of each stage of the encoder.
    back : tuple of int
        Convolutions of each stage of the decoder, from the coarsest.
    classes : int
    has_bias, has_norm, is_affine : bool
        Whether convolutions have a bias, whether an instance norm follows each, and whether it
        has weights.
    eps, slope : float
        Of the norms, and of the leaky ReLUs.
    """

    features: tuple[int, ...]
    kernels: tuple[tuple[int, ...], ...]
    strides: tuple[tuple[int, ...], ...]
    convolutions: tuple[int, ...]
    back: tuple[int, ...]
    classes: int
    has_bias: bool
    has_norm: bool
    is_affine: bool
    eps: float
    slope: float

    @classmethod
    def of(cls, architecture: Mapping[str, Any], classes: int) -> PlainUNet | None:
        """Return the network that the ``architecture`` of plans.json describes.

        None where that is, or may be, anything but a plain U-Net with the norm and activation
        that nnU-Net plans.
        """
        try:
            return cls._of(architecture, classes)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
            return None

    @classmethod
    def _of(cls, architecture: Mapping[str, Any], classes: int) -> PlainUNet | None:
        given = architecture["arch_kwargs"]
        axes = {name: n for n in (2, 3) for name in _names("conv", f"Conv{n}d")}[given["conv_op"]]
        norm, norm_kwargs = given["norm_op"], given.get("norm_op_kwargs") or {}
        nonlin_kwargs = given.get("nonlin_kwargs") or {}
        is_plain = (
            architecture["network_class_name"] == _NETWORK
            and set(given) <= _KNOWN
            and set(architecture["_kw_requires_import"]) == set(_IMPORTED)
            and not given.get("nonlin_first")
            and norm in (None, *_names("instancenorm", f"InstanceNorm{axes}d"))
            and set(norm_kwargs) <= {"eps", "affine"}
            and given.get("dropout_op") is None
            and given["nonlin"] in _names("activation", "LeakyReLU")
            and set(nonlin_kwargs) <= {"negative_slope", "inplace"}
        )
        if not is_plain:
            return None
        (stages,) = _each(given["n_stages"], 1)
        if stages > _MOST_STAGES:
            return None
        made = cls(
            features=_each(given["features_per_stage"], stages),
            kernels=_each_axis(given["kernel_sizes"], stages, axes),
            strides=_each_axis(given["strides"], stages, axes),
            convolutions=_each(given["n_conv_per_stage"], stages),
            back=_each(given["n_conv_per_stage_decoder"], stages - 1),
            classes=classes,
            has_bias=bool(given.get("conv_bias", False)),
            has_norm=norm is not None,
            is_affine=norm is not None and bool(norm_kwargs.get("affine", False)),
            eps=float(norm_kwargs.get("eps", _DEFAULT_EPS)),
            slope=float(nonlin_kwargs.get("negative_slope", _DEFAULT_SLOPE)),
        )
        # An even kernel keeps the size of nothing, and what comes up would not fit.
        return made if all(n % 2 for kernel in made.kernels for n in kernel) else None

    def fits(self, patch: Sequence[int]) -> bool:
        """Whether a patch can be halved as often as the network does that."""
        if any(len(patch) != len(stride) for stride in self.strides):
            return False
        left = list(patch)
        for stride in self.strides:
            if any(n % step for n, step in zip(left, stride, strict=True)):
                return False
            left = [n // step for n, step in zip(left, stride, strict=True)]
        # torch refuses to normalise a single voxel.
        return max(left) > 1

    def encoder(self, stage: int) -> Iterator[Block]:
        """Yield the blocks of a stage of the encoder."""
        inputs = 1 if stage == 0 else self.features[stage - 1]
        first, once = self.strides[stage], (1,) * len(self.strides[stage])
        for number in range(self.convolutions[stage]):
            name = f"encoder.stages.{stage}.0.convs.{number}"
            stride = once if number else first
            yield Block(name, inputs, self.features[stage], self.kernels[stage], stride)
            inputs = self.features[stage]

    def decoder(self, step: int) -> Iterator[Block]:
        """Yield the blocks behind the concatenation of a decoder's step, 0 for the coarsest."""
        stage = len(self.features) - 2 - step
        inputs = 2 * self.features[stage]
        for number in range(self.back[step]):
            name = f"decoder.stages.{step}.convs.{number}"
            once = (1,) * len(self.strides[stage])
            yield Block(name, inputs, self.features[stage], self.kernels[stage], once)
            inputs = self.features[stage]

    def weights_of(self, state: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the weights of each layer under one name, None unless they are all there.

        Parameters
        ----------
        state : mapping of str to array
            The network's state dict. It names most weights several times; other weights than
            the network's, or different ones for one layer, are as good as missing ones.
        """
        if sum(self.convolutions) + sum(self.back) > len(state):
            return None
        expected = dict(self._shapes())
        found: dict[str, Any] = {}
        for name, array in state.items():
            short = _first_name(name)
            known = found.setdefault(short, array)
            if short not in expected or tuple(array.shape) != expected[short]:
                return None
            if known is not array and not (known == array).all():
                return None
        return found if found.keys() == expected.keys() else None

    def _shapes(self) -> Iterator[tuple[str, tuple[int, ...]]]:
        blocks = [block for stage in range(len(self.features)) for block in self.encoder(stage)]
        blocks += [block for step in range(len(self.back)) for block in self.decoder(step)]
        for block in blocks:
            yield f"{block.name}.conv.weight", (block.outputs, block.inputs, *block.kernel)
            if self.has_bias:
                yield f"{block.name}.conv.bias", (block.outputs,)
            if self.is_affine:
                yield f"{block.name}.norm.weight", (block.outputs,)
                yield f"{block.name}.norm.bias", (block.outputs,)
        for step in range(len(self.back)):
            below, here = self.features[-1 - step], self.features[-2 - step]
            yield f"decoder.transpconvs.{step}.weight", (below, here, *self.strides[-1 - step])
            if self.has_bias:
                yield f"decoder.transpconvs.{step}.bias", (here,)
            one = (1,) * len(self.strides[0])
            yield f"decoder.seg_layers.{step}.weight", (self.classes, here, *one)
            yield f"decoder.seg_layers.{step}.bias", (self.classes,)


def _each(value: Any, count: int) -> tuple[int, ...]:
    values = (value,) * count if isinstance(value, int) else tuple(value)
    if len(values) != count or any(type(n) is not int or n < 1 for n in values):
        raise ValueError(f"a {type(value).__name__} that says nothing of {count} stages")
    return values


def _each_axis(value: Any, count: int, axes: int) -> tuple[tuple[int, ...], ...]:
    values = (value,) * count if isinstance(value, int) else tuple(value)
    if len(values) != count:
        raise ValueError(f"a {type(value).__name__} that says nothing of {count} stages")
    return tuple(_each(each, axes) for each in values)


def _first_name(name: str) -> str:
    """Return the first of the names by which a state dict has a weight.

    Examples
    --------
    >>> _first_name("decoder.encoder.stages.0.0.convs.1.all_modules.1.bias")
    'encoder.stages.0.0.convs.1.norm.bias'
    """
    name = name.removeprefix("decoder.") if name.startswith("decoder.encoder.") else name
    return name.replace(".all_modules.0.", ".conv.").replace(".all_modules.1.", ".norm.")


def plain_unet(plan: Plan) -> PlainUNet | None:
    """Return the network of a plan, None where it is, or may be, no plain U-Net."""
    try:
        architecture = plan.settings.get("architecture") or old_architecture(plan.settings)
    except (KeyError, TypeError, AttributeError):
        return None
    return None if architecture is None else PlainUNet.of(architecture, plan.classes)


def old_architecture(configuration: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the ``architecture`` that plans of nnU-Net before 2.5 mean, as 2.8.1 reads them.

    None for another network than a plain U-Net.
    """
    if configuration.get("UNet_class_name") != "PlainConvUNet":
        return None
    base, most = configuration["UNet_base_num_features"], configuration["unet_max_num_features"]
    stages, axes = len(configuration["n_conv_per_stage_encoder"]), len(configuration["patch_size"])
    if stages > _MOST_STAGES:
        return None
    return {
        "network_class_name": _NETWORK,
        "arch_kwargs": {
            "n_stages": stages,
            "features_per_stage": [min(base * 2**stage, most) for stage in range(stages)],
            "conv_op": f"torch.nn.modules.conv.Conv{axes}d",
            "kernel_sizes": configuration["conv_kernel_sizes"],
            "strides": configuration["pool_op_kernel_sizes"],
            "n_conv_per_stage": configuration["n_conv_per_stage_encoder"],
            "n_conv_per_stage_decoder": configuration["n_conv_per_stage_decoder"],
            "conv_bias": True,
            "norm_op": f"torch.nn.modules.instancenorm.InstanceNorm{axes}d",
            "norm_op_kwargs": {"eps": 1e-5, "affine": True},
            "dropout_op": None,
            "dropout_op_kwargs": None,
            "nonlin": "torch.nn.LeakyReLU",
            "nonlin_kwargs": {"inplace": True},
        },
        "_kw_requires_import": list(_IMPORTED),
    }
