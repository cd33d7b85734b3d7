"""Code that supervisord itself loads. It may import supervisor and the standard library, and nothing heavier."""
