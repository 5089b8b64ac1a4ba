"""One module a protocol; they never import each other."""
