"""The broker's memory: the log of events, the rows that say what it amounts to now, and the answers to commands."""
