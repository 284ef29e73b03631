"""Which of three daemons count every hit once?"""
# exercise: 04_counter_buffering exercise-1-answer

# %% right: a dict
answer = {"subtract, always": True, "subtract first": False, "one transaction": False}

# %% right: dict() of pairs, in another order
answer = dict([("one transaction", False), ("subtract, always", True), ("subtract first", False)])

# %% right: the search is asked
answer = {name: explore(**search).holds for name, search in cases.items()}

# %% right: only one holds
answer = {name: name == "subtract, always" for name in cases}

# %% right: filled in
answer = dict.fromkeys(("subtract first", "one transaction"), False)
answer["subtract, always"] = True

# %% wrong: all hold
# misconception: optimism
# why: Each of them works while nobody dies between two steps.
# said: 1 of 3 is right. Not so: 'subtract first', 'one transaction'
answer = {"subtract, always": True, "subtract first": True, "one transaction": True}

# %% wrong: none holds
# misconception: a race never heals
# why: Who subtracts what it has added makes the counter negative; the next round adds it again.
# said: 2 of 3 are right. Not so: 'subtract, always'
answer = {"subtract, always": False, "subtract first": False, "one transaction": False}

# %% wrong: a transaction covers both
# misconception: a transaction of SQL covers Redis
# why: When SQL rolls back, the counter that GETDEL took stays taken.
# said: 2 of 3 are right. Not so: 'one transaction'
answer = {"subtract, always": True, "subtract first": False, "one transaction": True}

# %% wrong: subtracting first is safe
# misconception: the order of two steps
# why: Who dies between the subtraction and SQL has the count in its memory only.
# said: 2 of 3 are right. Not so: 'subtract first'
answer = {"subtract, always": True, "subtract first": True, "one transaction": False}

# %% wrong: only the transaction holds
# misconception: a transaction of SQL covers Redis
# why: Redis takes no part in it; and subtracting twice heals without any transaction.
# said: 1 of 3 is right. Not so: 'subtract, always', 'one transaction'
answer = {"subtract, always": False, "subtract first": False, "one transaction": True}

# %% wrong: only subtracting first holds
# misconception: the order of two steps
# why: It heals nothing after a death: the count is gone from Redis and not in SQL.
# said: 1 of 3 is right. Not so: 'subtract, always', 'subtract first'
answer = {"subtract, always": False, "subtract first": True, "one transaction": False}

# %% wrong: the opposite
# misconception: a transaction of SQL covers Redis
# why: The two that may lose a count are taken for safe, the one that heals for broken.
# said: 0 of 3 are right
answer = {"subtract, always": False, "subtract first": True, "one transaction": True}

# %% wrong: as it was given
# misconception: no answer
# why: None stands for an answer.
# said: Answer with a dict of these keys
answer = {"subtract, always": None, "subtract first": None, "one transaction": None}

# %% wrong: nothing
# misconception: no answer
# why: A prediction comes before the search.
# said: Your prediction is missing
answer = None

# %% wrong: dots
# misconception: no answer
# why: Dots stand for an answer.
# said: Your prediction is missing
answer = ...

# %% wrong: a tuple
# misconception: wrong shape
# why: Without names nobody knows which answer is meant for which question.
# said: Answer with a dict of these keys
answer = (True, False, False)

# %% wrong: one word for all
# misconception: wrong shape
# why: Three questions have three answers.
# said: Answer with a dict of these keys
answer = False

# %% wrong: words
# misconception: wrong shape
# why: A word in quotes is a text.
# said: Answer with a dict of these keys
answer = {"subtract, always": "holds", "subtract first": "breaks", "one transaction": "breaks"}

# %% wrong: numbers
# misconception: wrong shape
# why: The question is answered by True or False.
# said: Answer with a dict of these keys
answer = {"subtract, always": 1, "subtract first": 0, "one transaction": 0}

# %% wrong: a name is missing
# misconception: incomplete
# why: Three questions have three answers.
# said: Answer with a dict of these keys
answer = {"subtract, always": True, "subtract first": False}

# %% wrong: a name without its comma
# misconception: wrong name
# why: The names are those of the exercise, letter by letter.
# said: Answer with a dict of these keys
answer = {"subtract always": True, "subtract first": False, "one transaction": False}
