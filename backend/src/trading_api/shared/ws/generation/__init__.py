"""Writes `ws_generated/` from the declarations in `ws/<version>/__init__.py`. The door is `module_router_generator`."""
