"""What the benches that put one thing beside another share.

ratios         rounds, and ratios to one way of the same round with their spread
costs          how much of the processor a call takes, here and in redis-server
pages          the machine, and what a bench found as a file, a page and a figure
environments   an environment of its own for a peer that does not live in ours
databases      SQLite as it comes, and a private PostgreSQL
"""
