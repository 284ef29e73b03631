"""The queues of `benches/queues.py`: one module for each engine, run in the engine's environment.

    job            what every job does: it notes that it begins and that it ends
    our_queues     ReliableQueue, StreamQueue, and BLMOVE with LREM bare
    for_arq, for_celery, for_dramatiq, for_huey, for_rq, for_saq
                   the same job, put and worked off by an engine as its documentation recommends
    engines        how each of them is started, what it promises, and where that is written
    trials         one engine: how fast, how soon, and what is lost when its worker is killed
    counting       what the notes of a trial say
    results        the table, the figure and the file

`python -m benches.queue_engines.for_rq put URL COUNT PER_SECOND` puts jobs; the worker is started
by the engine's own command where it has one.
"""
