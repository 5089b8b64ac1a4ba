"""Certificate authority, tokens, roles."""
