"""What crosses the wire: pydantic models, one package per domain."""
