"""The REST API of the datafeed, one file per version."""
