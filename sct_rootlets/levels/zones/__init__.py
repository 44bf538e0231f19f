"""Where rootlets meet the cord: voxels measured along it, and the ends of the entry zones."""
