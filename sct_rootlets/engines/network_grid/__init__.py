"""Between the grid of an image and that of a network: axes, resampling, tiles, labels."""
