"""The `vedette-agent` command: what people at a site type."""
