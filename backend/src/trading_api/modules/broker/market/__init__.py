"""The market as the broker sees it: quotes, trading hours and price grids, as the datafeed tells them."""
