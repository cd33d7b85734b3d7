"""Serves an app on an address: the verb `serve`, with or without watching the source."""
