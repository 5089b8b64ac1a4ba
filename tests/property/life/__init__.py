"""A controller's life from one seed, with everything that can go wrong, beside the batch oracle."""
