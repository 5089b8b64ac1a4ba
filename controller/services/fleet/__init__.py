"""Fleet files and checks."""
