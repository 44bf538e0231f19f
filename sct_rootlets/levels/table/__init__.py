"""The table of levels: its rows, its columns, as text, and back from files."""
