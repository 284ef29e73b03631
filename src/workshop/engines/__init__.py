"""The queues of a professional: rq and Celery at the same jobs as ours, and killed like ours.

`trial` starts and kills the workers; `chores` and `celery_app` are what they import.
"""
