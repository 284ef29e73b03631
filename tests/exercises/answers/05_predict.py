"""Of three transfers of 50 from 100, how many get through where the fewest do?"""
# exercise: 05_couchdb_transfer exercise-1-answer

# %% right: none
answer = 0

# %% right: the search is asked
answer = fewest()

# %% right: counted
answer = len([])

# %% right: a difference
answer = 3 - 3

# %% right: the least of what may come out
answer = min({0, 1, 2})

# %% wrong: one gets through
# misconception: the first one always wins
# why: All three may post before the first one looks.
# said: You said 1; the search says otherwise
answer = 1

# %% wrong: both that there is money for
# misconception: what is covered is made
# why: Each sees the entries of all three, and takes back its own.
# said: You said 2; the search says otherwise
answer = 2

# %% wrong: all
# misconception: optimism
# why: There is money for two.
# said: You said 3; the search says otherwise
answer = 3

# %% wrong: fewer than none
# misconception: an overdraft for an answer
# why: The question is how many get through, not what the balance is.
# said: You said -50; the search says otherwise
answer = -50

# %% wrong: a number in words
# misconception: wrong shape
# why: The question asks for a number.
# said: Answer with a whole number
answer = "none"

# %% wrong: a number as text
# misconception: wrong shape
# why: The text "0" is no number.
# said: Answer with a whole number
answer = "0"

# %% wrong: a fraction
# misconception: wrong shape
# why: Transfers are counted whole.
# said: Answer with a whole number
answer = 0.0

# %% wrong: a truth value
# misconception: wrong shape
# why: False counts nothing, even where it equals 0.
# said: Answer with a whole number
answer = False

# %% wrong: a list
# misconception: wrong shape
# why: The question asks for one number.
# said: Answer with a whole number
answer = [0]

# %% wrong: a dict for each client
# misconception: wrong shape
# why: The question asks for one number.
# said: Answer with a whole number
answer = {"ann": 0, "ben": 0, "cy": 0}

# %% wrong: the function
# misconception: hands in the function
# why: `fewest` is not what it returns.
# said: Answer with a whole number
answer = fewest

# %% wrong: nothing yet
# misconception: no answer
# why: The cell was run as it stood.
# said: Your prediction is missing
answer = None

# %% wrong: dots
# misconception: no answer
# why: The cell was run as it stood.
# said: Your prediction is missing
answer = ...

# %% wrong: the money
# misconception: an overdraft for an answer
# why: The question is how many get through, not how much.
# said: You said 100; the search says otherwise
answer = 100

# %% wrong: the most
# misconception: the best case for the worst
# why: The schedule in which the fewest get through is asked for.
# said: You said 2; the search says otherwise
answer = max({0, 1, 2})
