"""The sample newsstand: four invented outlets of different make, served on loopback for the demo and the tests."""

from pathlib import Path

OUTLETS = Path(__file__).parent / "outlets"
"""The outlets' files; point PRESSMARK_OUTLETS here."""
