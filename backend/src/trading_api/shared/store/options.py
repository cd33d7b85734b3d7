"""Names of the execution options that the store's engines and transactions use among themselves."""

ADDRESS = "trading_address"
"""The StoreAddress of an engine."""
WRITES = "trading_writes"
"""True: a transaction of SQLite takes the write lock when it begins."""
