"""Files that are written: what they are called, what they may not replace, what made them."""
