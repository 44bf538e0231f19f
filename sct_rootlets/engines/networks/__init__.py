"""The networks of a model folder, in torch or OpenVINO, ready to score tiles."""
