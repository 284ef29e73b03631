"""The programs of `benches/searches.py`, and each search on them.

programs         eight small programs on Redis and SQL, some right and some wrong
with_raceproof   searched by our `explore`
with_frontrun    searched by frontrun, run in an environment of its own
trials           each search in a process of its own, for so many rounds
results          the table, the figure and the file
"""
