"""The single writer: commands reach it from every instance, one of which executes them while it holds the lease."""
