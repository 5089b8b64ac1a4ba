"""Evidence bundles: gathered from storage, signed, and handed over piece by piece."""
