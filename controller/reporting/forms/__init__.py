"""From blocks to bytes: text, HTML, PDF; and rows of CSV."""
