"""What `benches/counters.py` measures.

ways       a hit by each way, alone and many in one pipeline
results    the table, the figure and the file
"""
