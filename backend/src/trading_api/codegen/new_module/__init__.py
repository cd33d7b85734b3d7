"""The verb `new-module`: writes a small module to start from, which is served as it is (A07)."""
