"""What can be traded: the catalogue, what imports add to it, and the search."""
