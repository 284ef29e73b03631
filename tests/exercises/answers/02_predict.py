"""Which of three situations hold?"""
# exercise: 02_queues exercise-1-answer

# %% right: a dict
answer = {"acknowledge first": False, "two janitors copy": False, "no reply": True}

# %% right: dict() of pairs, in another order
answer = dict([("no reply", True), ("two janitors copy", False), ("acknowledge first", False)])

# %% right: names and answers zipped
answer = dict(zip(("acknowledge first", "two janitors copy", "no reply"), (False, False, True)))

# %% right: only one holds
QUESTIONS = ["acknowledge first", "two janitors copy", "no reply"]
answer = {question: question == "no reply" for question in QUESTIONS}

# %% right: the search is asked
answer = {
    "acknowledge first": explore(**first).holds,
    "two janitors copy": explore(**copying).holds,
    "no reply": explore(**no_reply).holds,
}

# %% right: filled in one by one
answer = {}
answer["acknowledge first"] = answer["two janitors copy"] = False
answer["no reply"] = not answer["acknowledge first"]

# %% wrong: all hold
# misconception: optimism
# why: Every one of them works when nobody dies and nobody is slow, which is what one sees.
# said: 1 of 3 is right. Not so: 'acknowledge first', 'two janitors copy'
answer = {"acknowledge first": True, "two janitors copy": True, "no reply": True}

# %% wrong: none holds
# misconception: a lost reply always costs
# why: The job is still pending and the effect has its key; who asks again does no harm.
# said: 2 of 3 are right. Not so: 'no reply'
answer = dict.fromkeys(["acknowledge first", "two janitors copy", "no reply"], False)

# %% wrong: only acknowledging first is bad
# misconception: without faults nothing breaks
# why: Both janitors read the list before either deletes it; each puts the job back.
# said: 2 of 3 are right. Not so: 'two janitors copy'
answer = {"acknowledge first": False, "two janitors copy": True, "no reply": True}

# %% wrong: a key makes acknowledging first safe
# misconception: a key helps against loss
# why: A key stops an effect from coming twice; it does not bring back a job that is gone.
# said: 2 of 3 are right. Not so: 'acknowledge first'
answer = {"acknowledge first": True, "two janitors copy": False, "no reply": True}

# %% wrong: only the faults are bad
# misconception: without faults nothing breaks
# why: Two janitors need no fault to double a job; and the key makes the lost reply harmless.
# said: 1 of 3 is right. Not so: 'two janitors copy', 'no reply'
answer = {"acknowledge first": False, "two janitors copy": True, "no reply": False}

# %% wrong: the opposite
# misconception: at most once and at least once, exchanged
# why: Acknowledging first loses the job with its worker; acknowledging last repeats it.
# said: 0 of 3 are right. Not so: 'acknowledge first', 'two janitors copy', 'no reply'
answer = {"acknowledge first": True, "two janitors copy": True, "no reply": False}

# %% wrong: janitors and replies
# misconception: at most once and at least once, exchanged
# why: Acknowledging first is at most once: one death, and the job is in no list.
# said: 1 of 3 is right. Not so: 'acknowledge first', 'no reply'
answer = {"acknowledge first": True, "two janitors copy": False, "no reply": False}

# %% wrong: nothing yet
# misconception: no answer
# why: A prediction comes before the search.
# said: Your prediction is missing
answer = None

# %% wrong: the dots are still there
# misconception: no answer
# why: The dots stand for the three answers.
# said: Your prediction is missing
answer = ...

# %% wrong: a list
# misconception: wrong shape
# why: Without names nobody knows which answer is meant for which question.
# said: Answer with a dict of these keys
answer = [False, False, True]

# %% wrong: words
# misconception: wrong shape
# why: "False" in quotes is a text, and as a condition it is true.
# said: Answer with a dict of these keys: .* each True or False
answer = {"acknowledge first": "False", "two janitors copy": "False", "no reply": "True"}

# %% wrong: numbers
# misconception: wrong shape
# why: A number of broken schedules is not the answer to "does it hold?".
# said: Answer with a dict of these keys: .* each True or False
answer = {"acknowledge first": 2, "two janitors copy": 4, "no reply": 0}

# %% wrong: zero and one
# misconception: wrong shape
# why: The question is answered by True or False, as the exercise says.
# said: Answer with a dict of these keys: .* each True or False
answer = {"acknowledge first": 0, "two janitors copy": 0, "no reply": 1}

# %% wrong: two of three
# misconception: incomplete
# why: Three questions have three answers.
# said: Answer with a dict of these keys
answer = {"acknowledge first": False, "no reply": True}

# %% wrong: a misspelt question
# misconception: wrong name
# why: The names are those of the exercise, letter by letter.
# said: Answer with a dict of these keys
answer = {"acknowledge first": False, "two janitor copy": False, "no reply": True}

# %% wrong: the dots of the hint
# misconception: no answer
# why: The hint shows the shape; the dots are to be filled in.
# said: Answer with a dict of these keys
answer = {"acknowledge first": ..., "two janitors copy": ..., "no reply": ...}


# %% wrong: a value that is equal to everything
# misconception: sabotage of the comparison
# why: The marker looks at the type before it compares.
# said: Answer with a dict of these keys
class Yes:
    def __eq__(self, other):
        return True

    __hash__ = None


answer = dict.fromkeys(["acknowledge first", "two janitors copy", "no reply"], Yes())
