"""The modules. Each folder here is one; they are imported by name, only when enabled, and never by each other."""
