"""Measurements of the package: what each script measures is in its docstring."""
