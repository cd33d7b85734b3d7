"""Watch mode (M04): serves each edit of the source from a fresh fork of a process that has the libraries loaded."""
