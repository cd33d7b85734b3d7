"""Where quotes and live bars come from. Plain values and integers; only `live.py` knows of time passing."""
