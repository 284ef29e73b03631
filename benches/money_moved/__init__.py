"""What `benches/transfers.py` measures.

versions   the post's two versions, Bank, and SqlBank: how each moves money
trials     many clients at once, and a ledger that grows
results    the tables, the figure and the file
"""
