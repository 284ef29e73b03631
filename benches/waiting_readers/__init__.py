"""What `benches/notice_boards.py` measures: posts, readers who wait, and browsers who wait.

posting    what a post takes of the processor, beside PUBLISH
reader     a process that waits for posts: by `watch`, by SUBSCRIBE, by asking again and again
reading    how soon each kind of reader sees a post, and what it asks for meanwhile
page       a process that serves boards by HTTP
browsers   a process of many clients that wait for one board
waking     how soon each of them is answered
results    the tables, the figure and the file
"""
