"""Bars: one of them, series of them in the store, and coarser ones computed from finer ones."""
