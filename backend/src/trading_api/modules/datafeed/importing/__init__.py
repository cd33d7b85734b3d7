"""The import of bars from files: what `python -m trading_api import` does."""
