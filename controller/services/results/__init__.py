"""Lines as they come: read, counted once, kept, and read again."""
