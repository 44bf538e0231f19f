"""nnU-Net's checkpoints, read without running code that they may carry.

Shared by the store, which reads a checkpoint once and keeps what inference needs of it, and
by the engines, which read that.
"""

from sct_rootlets.checkpoint.arrays import NoArrays, read_arrays
from sct_rootlets.checkpoint.converted import (
    CHECKPOINTS,
    converted_files,
    read_converted,
    write_converted,
)
from sct_rootlets.checkpoint.read import import_torch, read_pth

__all__ = [
    "CHECKPOINTS",
    "NoArrays",
    "converted_files",
    "import_torch",
    "read_arrays",
    "read_converted",
    "read_pth",
    "write_converted",
]
