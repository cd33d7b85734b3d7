"""The store: SQLAlchemy Core over SQLite or PostgreSQL, its schema's revisions, and what its errors say."""
