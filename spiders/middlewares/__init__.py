"""Downloader middlewares, one class a module; `spiders.addon` installs them."""
