"""Log files of the tree: reading across rotation, merging, viewing and cleaning (row P13)."""
