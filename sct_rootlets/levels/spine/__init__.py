"""The vertebrae along the cord: from disc labels, labelled cords and points in vertebral bodies."""
