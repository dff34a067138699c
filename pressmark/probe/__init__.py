"""Probes a site for a new outlet file. `analysis` evaluates its pages and listings, `process` runs the probe."""
