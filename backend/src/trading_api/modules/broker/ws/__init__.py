"""The WebSocket API of the broker, one package per version."""
