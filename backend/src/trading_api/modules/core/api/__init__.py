"""The REST API of the core module, one file per version."""
