"""The archive: captures as received, in WARC files."""
