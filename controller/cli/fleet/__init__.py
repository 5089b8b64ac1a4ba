"""The fleet file, its checks, and the secrets that they name."""
