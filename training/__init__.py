"""Code that trained the bundled model. Not part of the installed package."""
