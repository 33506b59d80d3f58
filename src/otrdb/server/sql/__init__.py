"""SQL over the metadata: PostgreSQL's words, SQLite's answers, from a copy in memory."""
