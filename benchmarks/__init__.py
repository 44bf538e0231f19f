"""Measurements of the package: README.md lists the scripts."""
