"""HTTP/1.1 over one connection, with every phase timed and every size bounded."""
