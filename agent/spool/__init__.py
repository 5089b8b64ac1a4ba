"""The durable queue between probing and sending."""
