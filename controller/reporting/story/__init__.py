"""From the report document to blocks, part by part."""
