"""Spider classes of single outlets, named in their files (`spider:`), under the same guards as all others."""
