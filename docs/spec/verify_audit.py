#!/usr/bin/env python3
"""Verifies an audit or a receipt of Daypass. Written from docs/spec/audit.md alone.

    verify_audit.py KEYS.pem EXPORT.ndjson [HEADS.ndjson]
    verify_audit.py KEYS.pem --receipt RECEIPT.json

Needs Python 3.9 and the package cryptography. Exit status: 0 if everything is as it was signed, 1 if not, 2 if it cannot run.
"""

import base64, hashlib, json, re, sys, time
from datetime import datetime

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
except ImportError:
    sys.stderr.write("verify_audit.py needs the package cryptography: pip install cryptography, or apt-get install python3-cryptography\n")
    sys.exit(2)


def sha(data): return hashlib.sha256(data).digest()
def enc(data): return base64.urlsafe_b64encode(data).decode().rstrip("=")
def dec(text): return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
def leaf(record): return sha(b"\0" + record.encode())
def instant(text): return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
def lines(path): return (json.loads(line) for line in open(path, encoding="utf-8") if line.strip())


def root(level):
    while len(level) > 1:
        pairs = [level[i:i + 2] for i in range(0, len(level), 2)]
        level = [sha(b"\1" + p[0] + p[1]) if len(p) == 2 else p[0] for p in pairs]
    return enc(level[0])


def load_keys(path):
    keys = map(load_pem_public_key, re.findall(rb"-----BEGIN[^-]+-----[^-]+-----END[^-]+-----\n?", open(path, "rb").read()))
    return {enc(sha(key.public_bytes(Encoding.Raw, PublicFormat.Raw)))[:22]: key for key in keys}


def read_head(line, keys):
    head = json.loads(line["head"])
    try:
        keys[head["key"]].verify(dec(line["signature"]), b"daypass audit head 1\n" + line["head"].encode())
    except (KeyError, InvalidSignature):
        return None
    return head | {"hash": enc(sha(line["head"].encode()))}


def receipt_holds(receipt, keys):
    head = read_head(receipt, keys)
    if head is None:
        return False
    index, width, value = receipt["sequence"] - head["first"], head["last"] - head["first"] + 1, leaf(receipt["record"])
    inside, path = 0 <= index < width, [dec(text) for text in receipt["path"]]
    while width > 1:
        if index ^ 1 < width:
            partner = path.pop(0) if path else b""
            value = sha(b"\1" + (value + partner if index % 2 == 0 else partner + value))
        index, width = index // 2, (width + 1) // 2
    return inside and not path and enc(value) == head["root"]


def verify(export, exported, keys):
    faults, writers, cuts, now = [], {}, set(), time.time()
    for line in export:
        name = line["writer"]
        state = writers.setdefault(name, {"pending": [], "heads": {}, "firsts": {}, "last": None, "cut": 0, "count": 0})
        if "record" in line:
            state["pending"].append((line["sequence"], line["record"]))
        elif "head" not in line:
            state["count"], now = line["last"], instant(line["time"]) if "time" in line else now
        else:
            head, before = read_head(line, keys), state["last"]
            if head is None or head["writer"] != name:
                faults.append(f"forged-head: {name}")
                continue
            first, last, state["last"] = head["first"], head["last"], head
            state["heads"][last] = head
            if before is None and not state["pending"]:
                state["cut"] = last
                continue
            expected = (before["hash"], before["last"] + 1) if before else (None, 1)
            if (head["previous"], first) != expected or (before and head["epoch"] < before["epoch"]):
                faults.append(f"missing head before {name} {first}")
            records, state["pending"] = [r for r in state["pending"] if r[0] <= last], [r for r in state["pending"] if r[0] > last]
            leaves, stored = [leaf(record) for _, record in records], dec(line.get("leaves", ""))
            signed = [stored[i:i + 32] for i in range(0, len(stored), 32)]
            if [n for n, _ in records] != list(range(first, last + 1)) or root(leaves) != head["root"]:
                found, known = dict(zip((n for n, _ in records), leaves)), len(signed) == last - first + 1 and root(signed) == head["root"]
                wrong = [n for n in range(first, last + 1) if not known or found.get(n) != signed[n - first]]
                faults.append(f"differs: {name} {wrong or (first, last)}")
            else:
                state["firsts"][first] = leaves
                entries = (json.loads(record) for _, record in records if '"audit.cut"' in record)
                cuts |= {(e["subject"], e["detail"]) for e in entries if e["action"] == "audit.cut"}
    if not writers:
        faults.append("missing: there is no record and no head")
    for name, state in writers.items():
        old = [n for n, record in state["pending"] if now - instant(json.loads(record)["time"]) > 300]
        if old:
            faults.append(f"unsealed: {name} {old[0]} to {old[-1]}: older than five minutes")
        if state["cut"] and (name, str(state["cut"])) not in cuts:
            faults.append(f"missing: {name} 1 to {state['cut']}")
        begin = state["last"]["last"] + 1 if state["last"] else 1
        if [n for n, _ in state["pending"]] != list(range(begin, begin + len(state["pending"]))) or begin + len(state["pending"]) <= state["count"]:
            faults.append(f"tail: {name} {begin} to {state['count']}")
    wanted = [(o, s["last"], s["hash"], None) for w in writers.values() for h in w["heads"].values() for o, s in h["seen"].items()]
    for line, head in ((line, read_head(line, keys)) for line in exported if "head" in line):
        faults += [] if head else [f"forged-head: {line['writer']}, exported"]
        wanted += [(head["writer"], head["last"], head["hash"], head)] if head else []
    for name, last, digest, head in wanted:
        state = writers.get(name)
        if state is None:
            faults.append(f"dropped-writer: {name}")
        elif last > state["cut"] and state["heads"].get(last, {}).get("hash") != digest:
            part = state["firsts"].get(head["first"], [])[:last - head["first"] + 1] if head else []
            if not part or root(part) != head["root"]:
                faults.append(f"cut: {name} {last}")
    return faults, sum(len(state["pending"]) for state in writers.values())


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4) or sys.argv[1].startswith("-") or (sys.argv[2] == "--receipt") > (len(sys.argv) == 4):
        sys.stderr.write(__doc__)
        sys.exit(2)
    known_keys, target, *more = load_keys(sys.argv[1]), *sys.argv[2:]
    unsealed = 0
    if target == "--receipt":
        result = [] if receipt_holds(json.load(open(more[0], encoding="utf-8")), known_keys) else ["the receipt does not hold"]
    else:
        result, unsealed = verify(lines(target), lines(more[0]) if more else [], known_keys)
    print("\n".join(result) or "as signed" + (f", {unsealed} records have no head yet" if unsealed else ""))
    sys.exit(1 if result else 0)
