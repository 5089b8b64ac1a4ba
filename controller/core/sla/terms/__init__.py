"""What a contract says: its documents, clause by clause, and what is wrong with them."""
