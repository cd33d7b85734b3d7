"""Both databases for the tests of this folder."""

from support.store_urls import empty_store_url, store_url

__all__ = ["empty_store_url", "store_url"]
