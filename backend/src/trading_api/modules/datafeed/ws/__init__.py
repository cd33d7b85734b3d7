"""The WebSocket API of the datafeed, one package per version."""
