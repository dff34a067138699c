"""Probing a site for a new outlet file: `analysis` reads its pages and listings, `process` runs the probe."""
