"""Who installs what: one process at a time, and nobody waits for the dead."""
