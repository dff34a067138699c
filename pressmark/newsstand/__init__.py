"""The newsstand: invented news sites, served on loopback for the demo and the tests."""

from pathlib import Path

OUTLETS = Path(__file__).parent / "outlets"
"""Folder of the outlet files of these sites, for PRESSMARK_OUTLETS."""
