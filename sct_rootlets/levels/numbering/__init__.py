"""Which level rootlets belong to: numbers for those that have none, a check of those that do."""
