"""Extracts the fields of an article from the bytes of a page, in worker processes that can be killed."""
