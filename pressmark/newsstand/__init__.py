"""The newsstand: invented news sites of different kinds, served on loopback for the demo and the tests."""

from pathlib import Path

OUTLETS = Path(__file__).parent / "outlets"
"""The folder of their outlet files, for PRESSMARK_OUTLETS."""
