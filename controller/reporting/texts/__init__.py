"""What reports say, language by language."""
