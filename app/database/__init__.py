"""Where it is all kept: SQLite or PostgreSQL, the same tables in both."""
