"""Pages that show the documents to people. Everything on them comes from this server: they work offline (A05)."""
