"""The complete command line as one object, for the generated reference (`docs/generate.py`)."""

from pressmark.cli import build_app

app = build_app()
