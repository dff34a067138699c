"""Downloader middlewares, one per module. `spiders.addon` installs them."""
