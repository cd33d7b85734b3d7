"""The framework: everything a module stands on. Knows no trading, and imports no module."""
