"""What computes the networks: torch on any device, or OpenVINO on the CPU."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from sct_rootlets.engines.networks.openvino_network import FULL_PRECISION, MIXED_PRECISION
from sct_rootlets.engines.networks.torch_network import Facts, Network, TorchNetwork, build_modules

__all__ = ["Backend", "OpenVINOBackend", "TorchBackend"]


class Backend(Protocol):
    """Something that computes networks."""

    @property
    def name(self) -> str:
        """What it is, for the sidecar: library, precision, device."""
        ...

    @property
    def batch(self) -> int:
        """How many tiles it takes at a time with gain."""
        ...

    def load(self, folder: Path, sha256: str) -> tuple[Sequence[Network], Facts]:
        """Load the networks of a model folder, one a fold.

        Parameters
        ----------
        folder : Path
        sha256 : str
            Hash of what inference reads of the model.
        """
        ...


@dataclass(frozen=True)
class TorchBackend:
    """Torch.

    Attributes
    ----------
    device : torch.device
    threads : int or None
        As in :func:`sct_rootlets.engines.load_engine`.
    """

    device: Any
    threads: int | None = None

    @property
    def name(self) -> str:
        """See :class:`Backend`."""
        precision = "half precision where autocast does" if self._is_gpu else "f32"
        return f"torch, {precision}, on {self.device}"

    @property
    def batch(self) -> int:
        """See :class:`Backend`."""
        return 1 if self.device.type == "cpu" else 8

    def load(self, folder: Path, sha256: str) -> tuple[Sequence[Network], Facts]:
        """See :class:`Backend`."""
        modules, facts = build_modules(folder)
        return [TorchNetwork(module, self.device, self.threads) for module in modules], facts

    @property
    def _is_gpu(self) -> bool:
        return self.device.type == "cuda"


@dataclass(frozen=True)
class OpenVINOBackend:
    """OpenVINO on the CPU.

    Attributes
    ----------
    cache : Path or None
        Where converted networks are kept; None keeps none.
    precision : str
        ``"f32"``, ``"mixed"``, or what
        :func:`sct_rootlets.engines.networks.openvino_network.reduced_precision` names.
    threads : int or None
        As in :func:`sct_rootlets.engines.load_engine`.
    shared : sequence of Path
        Further folders of converted networks, searched first and only read.
    """

    cache: Path | None = None
    precision: str = FULL_PRECISION
    threads: int | None = None
    shared: Sequence[Path] = ()

    @property
    def name(self) -> str:
        """See :class:`Backend`."""
        more = " (the first stage in f32)" if self.precision == MIXED_PRECISION else ""
        return f"OpenVINO, {self.precision}{more}, on cpu"

    @property
    def batch(self) -> int:
        """See :class:`Backend`."""
        return 1

    def load(self, folder: Path, sha256: str) -> tuple[Sequence[Network], Facts]:
        """See :class:`Backend`."""
        from sct_rootlets.engines.networks.network_cache import converted

        with converted(folder, sha256, self.cache, self.shared) as found:
            return found.networks(self.precision, self.threads), found.facts
