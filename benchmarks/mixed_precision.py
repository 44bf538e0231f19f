"""The whole command in mixed precision: ``python -m benchmarks.mixed_precision segment ...``.

No option asks for mixed precision: with ``-engine auto`` a trial on three images chooses it,
and no random network passes one. Here ``-engine openvino -fast`` takes it in place of what the
processor computes fastest; all else is the command as it is.
"""

from __future__ import annotations

import sys

__all__ = ["main", "why_not"]


def why_not() -> str | None:
    """Return why mixed precision cannot be measured here, None if it can."""
    from sct_rootlets.engines.networks.openvino_network import has_openvino, reduced_precision

    if not has_openvino():
        return "there is no OpenVINO"
    if reduced_precision() is None:
        return "this processor computes nothing faster than single precision"
    return None


def main(arguments: list[str]) -> int:
    from sct_rootlets.cli.main import main as command
    from sct_rootlets.engines import choice
    from sct_rootlets.engines.networks.openvino_network import MIXED_PRECISION

    choice._Computing.reduced = property(lambda self: MIXED_PRECISION)
    return command([*arguments, "-engine", "openvino", "-fast"])


if __name__ == "__main__":
    reason = why_not()
    sys.exit(f"mixed precision cannot be measured: {reason}" if reason else main(sys.argv[1:]))
