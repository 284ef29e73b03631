"""The parts of benches/classroom.py.

measured   what a class of learners did and saw
crowd      the learners and the instructor, on one event loop
results    the table, the figure and the file
"""
