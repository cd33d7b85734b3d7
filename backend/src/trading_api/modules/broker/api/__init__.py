"""The REST API of the broker, one file per version."""
