"""A transfer whose first answer, also a refusal, is the answer for every client and for ever."""
# exercise: 05_couchdb_transfer exercise-4-answer


# %% right: a refusal is a transfer of nothing
def answer(db, sender, recipient, amount, key):
    wish = f"#{key}"
    while True:
        query = {"keys": [sender, wish], "group": True}
        rows = {row.key: row.value for row in db.view("bank-1/accounts", **query)}
        cents, number = rows[sender][:2]
        if wish in rows:
            paid = db[f"{sender}:{rows[wish][1]}"]["amount"]
        else:
            paid = amount if cents >= amount else 0
            entry = {"to": recipient, "amount": paid, "transfer": key, "left": cents - paid}
            try:
                db[f"{sender}:{number}"] = entry
            except couchdb.ResourceConflict:
                continue
        if paid:
            return
        raise Refused(sender)


# %% right: all documents in one request
def answer(db, sender, recipient, amount, key):
    for _ in range(20):
        docs = [row.doc for row in db.view("_all_docs", include_docs=True)]
        made = [doc for doc in docs if doc.get("transfer") == key]
        if made:
            break
        sent = [doc for doc in docs if doc.id.startswith(f"{sender}:")]
        got = sum(doc["amount"] for doc in docs if doc.get("to") == sender)
        left = got - sum(doc.get("amount", 0) for doc in sent)
        paid = amount if left >= amount else 0
        entry = {"to": recipient, "amount": paid, "transfer": key, "left": left - paid}
        with suppress(couchdb.ResourceConflict):
            db[f"{sender}:{len(sent)}"] = entry
            made = [entry]
            break
    if not made[0]["amount"]:
        raise Refused(sender)


# %% right: the bank pays, and a refusal takes the number
def answer(db, sender, recipient, amount, key):
    while True:
        query = {"keys": [sender, f"#{key}"], "group": True}
        rows = {row.key: row.value for row in db.view("bank-1/accounts", **query)}
        (cents, number), made = rows[sender], rows.get(f"#{key}")
        if made:
            if db[f"{sender}:{made[1]}"]["amount"] == 0:
                raise Refused(sender)
            return
        paid = amount if cents >= amount else 0
        entry = {"to": recipient, "amount": paid, "transfer": key, "left": cents - paid}
        try:
            db.save({"_id": f"{sender}:{number}", **entry})
        except couchdb.ResourceConflict:
            continue
        if paid == 0:
            raise Refused(sender)
        return


# %% right: tries again by calling itself
def answer(db, sender, recipient, amount, key):
    rows = db.view("bank-1/accounts", keys=[sender, f"#{key}"], group=True).rows
    value = {row.key: row.value for row in rows}
    if f"#{key}" not in value:
        cents, number = value[sender]
        paid = amount * (cents >= amount)
        entry = {"to": recipient, "amount": paid, "transfer": key, "left": cents - paid}
        with suppress(couchdb.ResourceConflict):
            db[f"{sender}:{number}"] = entry
        return answer(db, sender, recipient, amount, key)
    if not db[f"{sender}:{value[f'#{key}'][1]}"]["amount"]:
        raise Refused(sender)


# %% right: stores, then looks what is stored
def answer(db, sender, recipient, amount, key):
    def wish():
        rows = db.view("bank-1/accounts", keys=[sender, f"#{key}"], group=True).rows
        return {row.key: row.value for row in rows}

    while f"#{key}" not in (rows := wish()):
        cents, number = rows[sender]
        paid = amount if cents >= amount else 0
        entry = {"_id": f"{sender}:{number}", "to": recipient, "amount": paid, "transfer": key}
        db.update([{**entry, "left": cents - paid}])
    if db.get(f"{sender}:{rows[f'#{key}'][1]}")["amount"] == 0:
        raise Refused(sender)


# %% wrong: the bank forgets a refusal
# misconception: a refusal needs no memory
# why: After a deposit the other client is told yes.
# said: of 120, ann and ben were told
def answer(db, sender, recipient, amount, key):
    try:
        Bank(db).transfer(sender, recipient, amount, key)
    except InsufficientFunds:
        raise Refused(sender) from None


# %% wrong: asks twice
# misconception: asking twice is asking for ever
# why: The deposit may come after the second time.
# said: of 120, ann and ben were told
def answer(db, sender, recipient, amount, key):
    for _ in range(2):
        with suppress(InsufficientFunds):
            return Bank(db).transfer(sender, recipient, amount, key)
    raise Refused(sender)


# %% wrong: waits until there is enough
# misconception: a loop that never says no
# why: Where no deposit comes, it asks for ever.
# said: calls|for ever|does not end|gave up
def answer(db, sender, recipient, amount, key):
    while True:
        with suppress(InsufficientFunds):
            return Bank(db).transfer(sender, recipient, amount, key)


# %% wrong: writes the refusal down beside the ledger
# misconception: two steps are one
# why: Between the refusal and the note a deposit comes, and the other client pays.
# said: were told|does not belong in a ledger
def answer(db, sender, recipient, amount, key):
    if f"refused-{key}" in db:
        raise Refused(sender)
    try:
        Bank(db).transfer(sender, recipient, amount, key)
    except InsufficientFunds:
        with suppress(couchdb.ResourceConflict):
            db[f"refused-{key}"] = {}
        raise Refused(sender) from None


# %% wrong: decides first, in a document of its own
# misconception: two steps are one
# why: The decision stands, and the money is spent before the transfer is made.
# said: does not belong in a ledger|were told|raises|there were
def answer(db, sender, recipient, amount, key):
    enough = Bank(db).balance(sender) >= amount
    with suppress(couchdb.ResourceConflict):
        db[f"decision-{key}"] = {"enough": enough}
    if not db[f"decision-{key}"]["enough"]:
        raise Refused(sender)
    Bank(db).transfer(sender, recipient, amount, key)


# %% wrong: always refuses
# misconception: hiding behind an error
# why: A transfer of 60 from 100 must be made.
# said: a transfer of 60 was refused
def answer(db, sender, recipient, amount, key):
    Bank(db).balance(sender)
    raise Refused(sender)


# %% wrong: always a connection error
# misconception: hiding behind an error
# why: Each client must be told an answer.
# said: were told \[\]
def answer(db, sender, recipient, amount, key):
    Bank(db).balance(sender)
    raise ConnectionError


# %% wrong: says yes, and does nothing
# misconception: incomplete
# why: The money has to arrive.
# said: carol has 0, and they were told
def answer(db, sender, recipient, amount, key):
    Bank(db).balance(sender)


# %% wrong: says yes to the first only
# misconception: a conflict is a refusal
# why: A client that comes second must be told what the first was told.
# said: were told
def answer(db, sender, recipient, amount, key):
    if f"deposit/{key}" in db:
        raise Refused(sender)
    try:
        Bank(db).transfer(sender, recipient, amount, key)
    except InsufficientFunds:
        raise Refused(sender) from None


# %% wrong: one document that never debits
# misconception: only the recipient counts
# why: It makes money: Alice gives none.
# said: there were \d+ cents, and now there are
def answer(db, sender, recipient, amount, key):
    paid = amount if Bank(db).balance(sender) >= amount else 0
    with suppress(couchdb.ResourceConflict):
        db[f"deposit/{key}"] = {"to": recipient, "amount": paid}
    if not db[f"deposit/{key}"]["amount"]:
        raise Refused(sender)


# %% wrong: two amounts for one key
# misconception: the amount is no part of the transfer
# why: The bank refuses a key that was used for another transfer.
# said: raises KeyAlreadyUsed|were told|a transfer of 60
def answer(db, sender, recipient, amount, key):
    have = Bank(db).balance(sender)
    if have < amount:
        raise Refused(sender)
    Bank(db).transfer(sender, recipient, have, key)


# %% wrong: a key for each try
# misconception: a random name makes it safe
# why: A repetition under another key is another transfer.
# said: were told|carol has
def answer(db, sender, recipient, amount, key):
    try:
        Bank(db).transfer(sender, recipient, amount, f"{key}{random.getrandbits(32)}")
    except InsufficientFunds:
        raise Refused(sender) from None


# %% wrong: a refusal counts, a conflict does not
# misconception: a conflict is a refusal
# why: Who is told 409 has to look again before it answers.
# said: were told
def answer(db, sender, recipient, amount, key):
    rows = db.view("bank-1/accounts", keys=[sender, f"#{key}"], group=True).rows
    value = {row.key: row.value for row in rows}
    cents, number = value[sender]
    if f"#{key}" in value:
        paid = db[f"{sender}:{value[f'#{key}'][1]}"]["amount"]
    else:
        paid = amount if cents >= amount else 0
        entry = {"to": recipient, "amount": paid, "transfer": key, "left": cents - paid}
        try:
            db[f"{sender}:{number}"] = entry
        except couchdb.ResourceConflict:
            paid = 0
    if not paid:
        raise Refused(sender)


# %% wrong: a conflict is passed on
# misconception: a conflict is an error
# why: A 409 says: look again.
# said: raises ResourceConflict
def answer(db, sender, recipient, amount, key):
    rows = db.view("bank-1/accounts", keys=[sender, f"#{key}"], group=True).rows
    value = {row.key: row.value for row in rows}
    cents, number = value[sender]
    paid = amount if cents >= amount else 0
    if f"#{key}" in value:
        paid = db[f"{sender}:{value[f'#{key}'][1]}"]["amount"]
    else:
        entry = {"to": recipient, "amount": paid, "transfer": key, "left": cents - paid}
        db[f"{sender}:{number}"] = entry
    if not paid:
        raise Refused(sender)


# %% wrong: a refusal without a key
# misconception: a refusal needs no memory
# why: The next client does not find it.
# said: were told|raises|alice:1|does not belong
def answer(db, sender, recipient, amount, key):
    try:
        Bank(db).transfer(sender, recipient, amount, key)
    except InsufficientFunds:
        number = db.view("bank-1/accounts", key=sender, group=True).rows[0].value[1]
        entry = {"to": recipient, "amount": 0, "transfer": f"no-{key}", "left": 0}
        with suppress(couchdb.ResourceConflict):
            db[f"{sender}:{number}"] = entry
        raise Refused(sender) from None


# %% wrong: an endless loop
# misconception: endless loop
# why: It never answers.
# said: calls|for ever|does not end|gave up
def answer(db, sender, recipient, amount, key):
    while True:
        Bank(db).balance(sender)
