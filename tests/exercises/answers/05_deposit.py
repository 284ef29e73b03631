"""A deposit that two tellers book, and that counts once."""
# exercise: 05_couchdb_transfer exercise-3-answer


# %% right: the key names the document
def answer(db, account, amount, key):
    with suppress(couchdb.ResourceConflict):
        db[f"deposit/{key}"] = {"to": account, "amount": amount}


# %% right: looks first, and does not rely on it
def answer(db, account, amount, key):
    if f"deposit/{key}" not in db:
        try:
            db[f"deposit/{key}"] = {"to": account, "amount": amount}
        except couchdb.ResourceConflict:
            pass


# %% right: saves with an id of its own
def answer(db, account, amount, key):
    try:
        db.save({"_id": f"{account}-{key}", "to": account, "amount": amount})
    except couchdb.ResourceConflict:
        return


# %% right: the bank does it
def answer(db, account, amount, key):
    Bank(db).deposit(account, amount, key)


# %% right: in bulk, where a conflict is an answer
def answer(db, account, amount, key):
    db.update([{"_id": f"deposit/{key}", "to": account, "amount": amount}])


# %% wrong: looks, then saves
# misconception: check, then act
# why: Between the look and the save the other teller saves.
# said: bob has 150; the gift and the bonus are 50 each
def answer(db, account, amount, key):
    docs = [row.doc for row in db.view("_all_docs", include_docs=True)]
    if key not in [doc.get("deposit") for doc in docs]:
        db.save({"to": account, "amount": amount, "deposit": key})


# %% wrong: saves without looking
# misconception: a repetition is harmless
# why: Each save is another document.
# said: bob has 150; the gift and the bonus are 50 each
def answer(db, account, amount, key):
    db.save({"to": account, "amount": amount, "deposit": key})


# %% wrong: looks twice
# misconception: check, then act
# why: A second look makes the bad order rarer; the search tries it all the same.
# said: bob has 150; the gift and the bonus are 50 each
def answer(db, account, amount, key):
    for _ in range(2):
        docs = [row.doc for row in db.view("_all_docs", include_docs=True)]
        if key in [doc.get("deposit") for doc in docs]:
            return
    db.save({"to": account, "amount": amount, "deposit": key})


# %% wrong: looks afterwards, and deletes what is there twice
# misconception: repairing afterwards
# why: Both see two, and both delete.
# said: bob has (0|50|100|150); the gift and the bonus are 50 each
def answer(db, account, amount, key):
    entry = {"to": account, "amount": amount, "deposit": key}
    db.save(entry)
    docs = [row.doc for row in db.view("_all_docs", include_docs=True)]
    if [doc.get("deposit") for doc in docs].count(key) > 1:
        db.delete(entry)


# %% wrong: the conflict is an error
# misconception: a conflict is an error
# why: 409 says that the deposit is booked; that is what the teller wanted.
# said: raises ResourceConflict
def answer(db, account, amount, key):
    db[f"deposit/{key}"] = {"to": account, "amount": amount}


# %% wrong: the account names the document
# misconception: wrong key
# why: A second deposit for the same account is taken for the first.
# said: bob has 50; the gift and the bonus are 50 each
def answer(db, account, amount, key):
    with suppress(couchdb.ResourceConflict):
        db[f"deposit/{account}"] = {"to": account, "amount": amount}


# %% wrong: the amount names the document
# misconception: wrong key
# why: Two deposits may have the same amount.
# said: bob has 50; the gift and the bonus are 50 each
def answer(db, account, amount, key):
    with suppress(couchdb.ResourceConflict):
        db[f"deposit/{account}-{amount}"] = {"to": account, "amount": amount}


# %% wrong: a random name
# misconception: a random name makes it safe
# why: Each try makes a new name, so each try makes a new document.
# said: bob has \d+; the gift and the bonus are 50 each
def answer(db, account, amount, key):
    db[f"deposit/{random.getrandbits(64):x}"] = {"to": account, "amount": amount}


# %% wrong: a fixed amount
# misconception: hard-coding
# why: The amount is 50 in the first two searches only.
# said: bob has (50|100); the gift and the bonus are 30 each
def answer(db, account, amount, key):
    with suppress(couchdb.ResourceConflict):
        db[f"deposit/{key}"] = {"to": account, "amount": 50}


# %% wrong: only the first deposit counts
# misconception: any deposit is this deposit
# why: The bonus is another one.
# said: bob has 50; the gift and the bonus are 50 each
def answer(db, account, amount, key):
    with suppress(couchdb.ResourceConflict):
        db["deposit/booked"] = {"to": account, "amount": amount}


# %% wrong: a mark first, then the money
# misconception: two steps are one
# why: A teller that loses the reply after the mark finds the mark, and no money is booked.
# said: bob has \d+; the gift and the bonus are \d+ each
def answer(db, account, amount, key):
    if f"mark-{key}" in db:
        return
    try:
        db[f"mark-{key}"] = {}
    except couchdb.ResourceConflict:
        return
    db.save({"to": account, "amount": amount})


# %% wrong: the money first, then a mark
# misconception: two steps are one
# why: The other teller books between the two.
# said: bob has \d+; the gift and the bonus are 50 each
def answer(db, account, amount, key):
    if f"mark-{key}" not in db:
        db.save({"to": account, "amount": amount})
        with suppress(couchdb.ResourceConflict):
            db[f"mark-{key}"] = {}


# %% wrong: always a connection error
# misconception: hiding behind an error
# why: A teller that is never answered books nothing.
# said: bob has 0; the gift and the bonus are 50 each
def answer(db, account, amount, key):
    if key not in db:
        raise ConnectionError


# %% wrong: looks, and books nothing
# misconception: incomplete
# why: The deposits have to arrive.
# said: bob has 0; the gift and the bonus are 50 each
def answer(db, account, amount, key):
    db.get(f"deposit/{key}")


# %% wrong: nothing
# misconception: incomplete
# why: It makes no call, so it stores nothing.
# said: ended without a call
def answer(db, account, amount, key):
    pass


# %% wrong: an endless loop
# misconception: endless loop
# why: It asks for ever, also when the deposit is booked.
# said: calls|does not end|for ever|gave up
def answer(db, account, amount, key):
    while True:
        with suppress(couchdb.ResourceConflict):
            db[f"deposit/{key}"] = {"to": account, "amount": amount}
