"""Removals: matching rules (`rules`, pure) and their application (`erasure`)."""
