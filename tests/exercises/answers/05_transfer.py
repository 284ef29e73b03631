"""A transfer whose number and balance come from two requests."""
# exercise: 05_couchdb_transfer exercise-2-answer


# %% right: the number first
def answer(db, sender, recipient, amount):
    while True:
        number = look(db, sender, 1)
        cents = look(db, sender, 0)
        if cents < amount:
            raise Refused(sender)
        entry = {"to": recipient, "amount": amount, "transfer": recipient, "left": cents - amount}
        try:
            db[f"{sender}:{number}"] = entry
        except couchdb.ResourceConflict:
            continue
        return


# %% right: a few tries
def answer(db, sender, recipient, amount):
    for _ in range(10):
        number, cents = look(db, sender, 1), look(db, sender, 0)
        if cents < amount:
            raise Refused(sender)
        with suppress(couchdb.ResourceConflict):
            left = cents - amount
            entry = {"to": recipient, "amount": amount, "transfer": recipient, "left": left}
            db[f"{sender}:{number}"] = entry
            return
    raise RuntimeError("too busy")


# %% right: both in one request
def answer(db, sender, recipient, amount):
    while True:
        cents, number = db.view("bank-1/accounts", key=sender, group=True).rows[0].value
        if cents < amount:
            raise Refused(sender)
        entry = {"to": recipient, "amount": amount, "transfer": recipient, "left": cents - amount}
        try:
            return db.save({"_id": f"{sender}:{number}", **entry})
        except couchdb.ResourceConflict:
            pass


# %% right: the bank does it
def answer(db, sender, recipient, amount):
    Bank(db).transfer(sender, recipient, amount, recipient)


# %% right: looks at the balance only when it has the number
def answer(db, sender, recipient, amount):
    stored = False
    while not stored:
        name = f"{sender}:{look(db, sender, 1)}"
        left = look(db, sender, 0) - amount
        if left < 0:
            raise Refused(sender)
        entry = {"_id": name, "to": recipient, "amount": amount, "transfer": recipient}
        [(stored, *_)] = db.update([{**entry, "left": left}])


# %% wrong: as it was
# misconception: a conflict is an error
# why: A 409 is the bank's way to say: look again.
# said: raises ResourceConflict
def answer(db, sender, recipient, amount):
    cents = look(db, sender, 0)
    number = look(db, sender, 1)
    if cents < amount:
        raise Refused(sender)
    entry = {"to": recipient, "amount": amount, "transfer": recipient, "left": cents - amount}
    db[f"{sender}:{number}"] = entry


# %% wrong: tries again, the balance first
# misconception: the order of two reads
# why: What is stored between the two reads is in the number and not in the balance.
# said: alice has -60|left|in every order
def answer(db, sender, recipient, amount):
    while True:
        cents = look(db, sender, 0)
        number = look(db, sender, 1)
        if cents < amount:
            raise Refused(sender)
        entry = {"to": recipient, "amount": amount, "transfer": recipient, "left": cents - amount}
        try:
            db[f"{sender}:{number}"] = entry
        except couchdb.ResourceConflict:
            continue
        return


# %% wrong: the number first, and no second try
# misconception: a conflict is an error
# why: The order is right; the conflict still ends the client.
# said: raises ResourceConflict
def answer(db, sender, recipient, amount):
    number = look(db, sender, 1)
    cents = look(db, sender, 0)
    if cents < amount:
        raise Refused(sender)
    entry = {"to": recipient, "amount": amount, "transfer": recipient, "left": cents - amount}
    db[f"{sender}:{number}"] = entry


# %% wrong: a conflict is a refusal
# misconception: a conflict is a refusal
# why: Alice has enough for both transfers of 40; she was only not first.
# said: one of two transfers of 40 was refused|and alice has
def answer(db, sender, recipient, amount):
    number = look(db, sender, 1)
    cents = look(db, sender, 0)
    if cents < amount:
        raise Refused(sender)
    entry = {"to": recipient, "amount": amount, "transfer": recipient, "left": cents - amount}
    try:
        db[f"{sender}:{number}"] = entry
    except couchdb.ResourceConflict:
        raise Refused(sender) from None


# %% wrong: a conflict is swallowed
# misconception: swallowing exceptions
# why: The client is told that it has paid, and nothing is stored.
# said: was told 'paid', and (bob|carol) has 0
def answer(db, sender, recipient, amount):
    number = look(db, sender, 1)
    cents = look(db, sender, 0)
    if cents < amount:
        raise Refused(sender)
    entry = {"to": recipient, "amount": amount, "transfer": recipient, "left": cents - amount}
    with suppress(couchdb.ResourceConflict):
        db[f"{sender}:{number}"] = entry


# %% wrong: takes the next number on a conflict
# misconception: only the name is taken
# why: Who was first has spent money that this client still counts.
# said: alice has -60|left|in every order
def answer(db, sender, recipient, amount):
    number = look(db, sender, 1)
    cents = look(db, sender, 0)
    if cents < amount:
        raise Refused(sender)
    entry = {"to": recipient, "amount": amount, "transfer": recipient, "left": cents - amount}
    while True:
        try:
            db[f"{sender}:{number}"] = entry
            return
        except couchdb.ResourceConflict:
            number += 1


# %% wrong: a random name
# misconception: a random name makes it safe
# why: Two names never conflict, so nothing holds the second transfer back.
# said: does not belong in a ledger|alice has -60|no document has the number|in every order|left
def answer(db, sender, recipient, amount):
    if look(db, sender, 0) < amount:
        raise Refused(sender)
    name = f"{sender}:{random.getrandbits(32)}"
    db[name] = {"to": recipient, "amount": amount, "transfer": recipient, "left": 20}


# %% wrong: lets the server name it
# misconception: a random name makes it safe
# why: The ledger knows a transfer by its sender's number.
# said: does not belong in a ledger
def answer(db, sender, recipient, amount):
    if look(db, sender, 0) < amount:
        raise Refused(sender)
    db.save({"from": sender, "to": recipient, "amount": amount})


# %% wrong: overwrites
# misconception: a conflict is an obstacle
# why: The payment that was there is gone, and its client has been told that it has paid.
# said: was told 'paid', and (bob|carol) has 0
def answer(db, sender, recipient, amount):
    number = look(db, sender, 1)
    cents = look(db, sender, 0)
    if cents < amount:
        raise Refused(sender)
    entry = {"to": recipient, "amount": amount, "transfer": recipient, "left": cents - amount}
    name = f"{sender}:{number}"
    while True:
        with suppress(couchdb.ResourceConflict):
            db[name] = {**(db.get(name) or {}), **entry}
            return


# %% wrong: a deposit for the recipient
# misconception: only the recipient counts
# why: Bob gets money that Alice has not given.
# said: there were 100 cents, and now there are
def answer(db, sender, recipient, amount):
    if look(db, sender, 0) < amount:
        raise Refused(sender)
    Bank(db).deposit(recipient, amount, recipient)


# %% wrong: what is left is left out
# misconception: nobody reads it
# why: The audit compares it with what the documents before it add up to.
# said: alice:1
def answer(db, sender, recipient, amount):
    while True:
        number, cents = look(db, sender, 1), look(db, sender, 0)
        if cents < amount:
            raise Refused(sender)
        try:
            db[f"{sender}:{number}"] = {"to": recipient, "amount": amount, "transfer": recipient}
        except couchdb.ResourceConflict:
            continue
        return


# %% wrong: what is left is what there was
# misconception: nobody reads it
# why: The audit compares it with what the documents before it add up to.
# said: alice:1
def answer(db, sender, recipient, amount):
    while True:
        number, cents = look(db, sender, 1), look(db, sender, 0)
        if cents < amount:
            raise Refused(sender)
        entry = {"to": recipient, "amount": amount, "transfer": recipient, "left": cents}
        try:
            db[f"{sender}:{number}"] = entry
        except couchdb.ResourceConflict:
            continue
        return


# %% wrong: one number too many
# misconception: off by one
# why: The next number is what the view says; alice:0 is counted.
# said: no document has the number
def answer(db, sender, recipient, amount):
    while True:
        number, cents = look(db, sender, 1), look(db, sender, 0)
        if cents < amount:
            raise Refused(sender)
        entry = {"to": recipient, "amount": amount, "transfer": recipient, "left": cents - amount}
        try:
            db[f"{sender}:{number + 1}"] = entry
        except couchdb.ResourceConflict:
            continue
        return


# %% wrong: never says no
# misconception: the check is missing
# why: The second transfer of 80 is not covered.
# said: alice|carol|bob
def answer(db, sender, recipient, amount):
    while True:
        number, cents = look(db, sender, 1), look(db, sender, 0)
        entry = {"to": recipient, "amount": amount, "transfer": recipient, "left": cents - amount}
        try:
            db[f"{sender}:{number}"] = entry
        except couchdb.ResourceConflict:
            continue
        return


# %% wrong: always says no
# misconception: hiding behind an error
# why: Alice has enough for one of them.
# said: neither of two transfers of 80 was made
def answer(db, sender, recipient, amount):
    look(db, sender, 0)
    raise Refused(sender)


# %% wrong: a lock that outlives its owner
# misconception: a lock is always given back
# why: A client that dies leaves it behind; and it is no document of a ledger.
# said: does not belong in a ledger|calls|and alice has
def answer(db, sender, recipient, amount):
    while True:
        try:
            db[f"lock-{sender}"] = {}
            break
        except couchdb.ResourceConflict:
            continue
    try:
        Bank(db).transfer(sender, recipient, amount, recipient)
    finally:
        db.delete(db[f"lock-{sender}"])


# %% wrong: always a connection error
# misconception: hiding behind an error
# why: A client that is never answered pays nothing.
# said: raises ConnectionError
def answer(db, sender, recipient, amount):
    look(db, sender, 0)
    raise ConnectionError
