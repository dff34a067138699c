"""The archive: what came over the wire, as WARC files."""
