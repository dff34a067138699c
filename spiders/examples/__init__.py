"""Spiders of single outlets, named in their outlet files (`spider:`). They run under the same guards as all others."""
