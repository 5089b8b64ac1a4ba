"""Proof by attack: a real bundle is changed in every way that we could think of, and both verifiers must refuse it."""
