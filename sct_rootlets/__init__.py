"""Spinal levels from the rootlets of the cord: segment, derive, check, map.

Nothing heavy is imported here; each module is imported where it is used.
"""

__version__ = "0.1.0"
