"""The warehouse: PostgreSQL, embedded or a server of one's own."""
