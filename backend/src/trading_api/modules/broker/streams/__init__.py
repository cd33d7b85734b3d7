"""The broker's WebSocket topics: what happened to an account, followed from its log in every instance."""
