"""A procedural cervical spine with known truth: anatomy, rendering, files.

:class:`Anatomy` says what is there (:func:`random_anatomy` draws one), :func:`render`
scans it, :func:`true_levels` says what a perfect reader would find, and :func:`write` puts
all of it into a folder.
"""

from sct_rootlets.phantom.contrast import Acquisition
from sct_rootlets.phantom.draw import random_anatomy
from sct_rootlets.phantom.files import make_grid, phantom_files, write
from sct_rootlets.phantom.model import Anatomy
from sct_rootlets.phantom.render import Labels, Phantom, render, render_labels
from sct_rootlets.phantom.truth import Truth, read_truth, true_levels

__all__ = [
    "Acquisition",
    "Anatomy",
    "Labels",
    "Phantom",
    "Truth",
    "make_grid",
    "phantom_files",
    "random_anatomy",
    "read_truth",
    "render",
    "render_labels",
    "true_levels",
    "write",
]
