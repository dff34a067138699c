"""Removals: what a removal covers (`rules`, pure) and how it is carried out (`erasure`)."""
