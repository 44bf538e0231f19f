"""From one image's world to another's: affines and displacement fields, composed in order.

Everything maps world millimetres (RAS+) of the *destination* to world millimetres of the
*source*: for every point of the grid that is wanted, where it lies in the image that is
there. ITK, ANTs and SCT store their transforms in this direction.
"""

from sct_rootlets.fmri.transforms.chain import IDENTITY, Affine, Chain, DisplacementField, Transform
from sct_rootlets.fmri.transforms.reading import read_chain, read_transform

__all__ = [
    "IDENTITY",
    "Affine",
    "Chain",
    "DisplacementField",
    "Transform",
    "read_chain",
    "read_transform",
]
