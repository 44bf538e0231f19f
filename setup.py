"""The one step of the build that setup.cfg cannot say: the manifest of models enters the package.

It lies at the top level, where people look for it, and neither a link nor a copy of it is in the
repository.
"""

from __future__ import annotations

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

MANIFEST = "models_manifest.json"


class BuildWithManifest(build_py):
    """Build the package with the manifest of models in it."""

    def run(self) -> None:
        """Copy the manifest too; an editable installation reads the checkout's own."""
        super().run()
        if not self.editable_mode:
            self.copy_file(MANIFEST, str(self._built))

    def get_output_mapping(self) -> dict[str, str]:
        """Name it among what is built, for editable installations made of links."""
        return {**super().get_output_mapping(), str(self._built): MANIFEST}

    @property
    def _built(self) -> Path:
        return Path(self.build_lib) / "sct_rootlets" / MANIFEST


setup(cmdclass={"build_py": BuildWithManifest})
