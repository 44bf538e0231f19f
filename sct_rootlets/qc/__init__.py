"""Quality control: one figure of the levels on the image, and a small report around it.

Only this package imports matplotlib, and only inside the functions that draw.
"""
