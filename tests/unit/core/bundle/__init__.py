"""Bundles, made and broken."""
