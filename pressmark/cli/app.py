"""The whole command line in one object, for whoever reads it rather than runs it: the generated reference."""

from pressmark.cli import build_app

app = build_app()
