"""The exercises that can be reported, in the order of the course: the columns of the grid."""

EXERCISES = (
    "count all visitors",
    "01 predict",
    "a reader that misses nothing",
    "a send that may be repeated",
    "02 predict",
    "a janitor with two lists",
    "finish once",
    "03 predict",
    "a watch that ends right",
    "a post that may be repeated",
    "04 predict",
    "a flush that loses nothing",
    "a hit that may be repeated",
    "05 predict",
    "number and balance",
    "a deposit once",
    "the first answer is the answer",
    "06 predict",
    "06 initializers",
    "06 combine",
)
