"""The rules of the paper-trading broker (trading.md, "Broker"): plain values and functions. No I/O, clock or floats."""
