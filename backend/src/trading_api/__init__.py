"""A modular, TradingView-compatible trading backend."""
