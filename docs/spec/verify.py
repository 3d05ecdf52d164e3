#!/usr/bin/env python3
"""A second verifier of Daypass URLs, written from docs/spec/daypass-url.md alone, with the standard library alone.

    python3 verify.py FILE...

runs the vectors of section 12 and ends with status 1 if any of them comes out differently. It is there to prove that the
page suffices; it is written to be read beside the page and is not a library: big integers are not constant-time.
"""

import argparse
import base64
import hashlib
import hmac
import ipaddress
import json
import re
import sys
from calendar import timegm
from datetime import datetime, timezone
from urllib.parse import quote, unquote_to_bytes


class Refused(Exception):
    """The request is not served. Its text is a code of section 7."""


def require(condition, code="MALFORMED"):
    if not condition:
        raise Refused(code)


# Section 2: target

PATH = re.compile(rb"/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-F]{2})*")
TOKEN = re.compile(rb"(?:[A-Za-z0-9\-._~!$()*+,;=:@/?]|%[0-9A-Fa-f]{2})+")
RESERVED = re.compile(rb"(?:[dD]|%64|%44)(?:[pP]|%70|%50)(?:-|%2[Dd])")
UNRESERVED = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"


def is_utf8(encoded):
    try:
        unquote_to_bytes(encoded).decode("utf-8")
        return True
    except UnicodeDecodeError:
        return False


def is_control(character):
    return character <= "\x1f" or "\x7f" <= character <= "\x9f"


def check_path(path):
    require(PATH.fullmatch(path))
    segments = path[1:].split(b"/")
    for i, segment in enumerate(segments):
        if segment == b"" and i == len(segments) - 1:
            continue
        require(segment.split(b";")[0] not in (b"", b".", b".."))  # 2.1
    for code in re.findall(rb"%(..)", path):  # 2.2
        require(int(code, 16) not in UNRESERVED + b"/\\")
    require(is_utf8(path))  # 2.3
    require(not any(is_control(character) for character in unquote_to_bytes(path).decode("utf-8")))


# Section 3: parameters


def parse_time(value):
    match = re.fullmatch(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z", value, re.ASCII)
    require(match)
    year, month, day, hour, minute, second = map(int, match.groups())
    require(year >= 1970)
    try:
        return timegm(datetime(year, month, day, hour, minute, second).timetuple())
    except ValueError:
        raise Refused("MALFORMED") from None


def parse_integer(value, least=0):
    require(re.fullmatch(r"0|[1-9][0-9]*", value))
    require(least <= int(value) < 2**53)
    return int(value)


def parse_length(value):
    least, dash, most = value.partition("-")
    if not dash:
        return parse_integer(least), parse_integer(least)
    require(parse_integer(least) < parse_integer(most))
    return parse_integer(least), parse_integer(most)


def parse_text(value):
    require(value != "" and is_utf8(value))
    text = unquote_to_bytes(value).decode("utf-8")
    require(not any(character == " " or is_control(character) for character in text))
    # quote() leaves A-Z a-z 0-9 _ . - ~ alone, and what it is told to.
    require(quote(text, safe="*").replace("~", "%7E") == value)
    return text


def parse_header_text(value):
    text = parse_text(value)
    require(all("\x21" <= character <= "\x7e" for character in text))
    return text


def parse_list(value, item):
    items = value.split(".")
    require(all(re.fullmatch(item, text) for text in items))
    require(all(a < b for a, b in zip(items, items[1:])))
    return items


def parse_methods(value):
    methods = parse_list(value, "[A-Z]{3,16}")
    require(not {"CONNECT", "OPTIONS", "TRACE"} & set(methods))
    require(not {"GET", "HEAD"} <= set(methods))
    return methods


NEVER_SIGNED = set(
    "authorization connection cookie host keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer"
    " transfer-encoding upgrade".split()
)


def parse_headers(value):
    names = parse_list(value, "[a-z0-9_-]+")
    require(not NEVER_SIGNED & set(names))
    return names


MAPPED = ipaddress.ip_network("::ffff:0:0/96")


def parse_network(item):
    address, _, bits = item.partition("_")
    require(re.fullmatch("0|[1-9][0-9]*", bits))
    dotted = address.replace("-", ".")
    is_v4 = re.fullmatch(r"\d+\.\d+\.\d+\.\d+", dotted, re.ASCII)
    text = dotted if is_v4 else address.replace("-", ":")
    try:
        network = ipaddress.ip_network(f"{text}/{bits}", strict=True)
    except ValueError:
        raise Refused("MALFORMED") from None
    require(str(network.network_address) == text)
    require(network.version == 4 or network.network_address not in MAPPED)
    return network


def parse_networks(value):
    networks = [parse_network(item) for item in value.split(".")]
    keys = [(network.version, int(network.network_address), network.prefixlen) for network in networks]
    require(all(a < b for a, b in zip(keys, keys[1:])))
    return networks


def parse_vary(value):
    names = parse_list(value, "[A-Za-z0-9_-]+")
    require(not any(name.lower().startswith("dp-") for name in names))
    return names


def matching(pattern):
    def parse(value):
        require(re.fullmatch(pattern, value))
        return value

    return parse


PARAMETERS = {
    "dp-audience": parse_text,
    "dp-create": matching("1"),
    "dp-date": parse_time,
    "dp-expires": parse_time,
    "dp-headers": parse_headers,
    "dp-ip": parse_networks,
    "dp-key": matching("[A-Za-z0-9_-]{1,64}"),
    "dp-length": parse_length,
    "dp-methods": parse_methods,
    "dp-nonce": matching("[A-Za-z0-9_-]{16,64}"),
    "dp-prefix": matching("[1-9][0-9]?"),
    "dp-response-cache-control": parse_header_text,
    "dp-response-content-disposition": parse_header_text,
    "dp-response-content-language": parse_header_text,
    "dp-response-content-type": parse_header_text,
    "dp-sha256": matching("[0-9a-f]{64}"),
    "dp-signature": matching("[A-Za-z0-9_-]{43}|[A-Za-z0-9_-]{86}"),
    "dp-starts": parse_time,
    "dp-subject": parse_text,
    "dp-type": parse_header_text,
    "dp-uses": lambda value: parse_integer(value, least=1),
    "dp-v": matching("1"),
    "dp-vary": parse_vary,
}
REQUIRED = ("dp-date", "dp-expires", "dp-key", "dp-methods", "dp-signature", "dp-v")


def read_parameters(tokens):
    values = {}
    last = ""
    for token in tokens:
        name, equals, value = token.decode("ascii").partition("=")
        require(name in PARAMETERS and equals)
        require(name > last)  # 2.6
        values[name] = PARAMETERS[name](value)
        last = name
    require(all(name in values for name in REQUIRED))
    starts = values.get("dp-starts")
    require(starts is None or starts > values["dp-date"])  # 3.1
    require(values["dp-expires"] > max(values["dp-date"], starts or 0))
    if {"GET", "HEAD"} & set(values["dp-methods"]):  # 3.6
        require(not {"dp-create", "dp-length", "dp-sha256", "dp-type"} & set(values))
    require("dp-uses" not in values or "dp-nonce" in values)  # 3.9
    return values


def fields(request, name):
    return [value.strip(" \t") for field, value in request["headers"] if field.lower() == name]


def read_headers(request, names):
    text = ""
    for name in names:
        values = fields(request, name)
        require(len(values) == 1 and all("\x20" <= character <= "\x7e" for character in values[0]))  # 3.7
        text += f"{name}:{values[0]}\n"
    return text.encode("ascii")


def fixed_part(path, count):
    segments = path[1:].split(b"/")
    require(len(segments) > count)  # 3.4
    fixed = b"/" + b"/".join(segments[:count]) + b"/"
    rest = path[len(fixed) :]
    require(b";" not in rest and not re.search(rb"%25[0-9A-Fa-f]{2}", rest))  # 2.4
    return fixed


# Section 4: origin

ORIGIN = re.compile(r"(https?)://([a-z0-9.-]+|\[[0-9a-f:]+\])(?::([0-9]+))?")
DEFAULT_PORT = {"http": "80", "https": "443"}


def select_origin(origins, authority):
    require(authority.isascii(), "WRONG_ORIGIN")  # of others, letter case would be Unicode's
    host, _, port = re.fullmatch(r"(.*?)(:([0-9]+))?", authority.lower()).group(1, 2, 3)
    for origin in origins:
        scheme, origin_host, origin_port = ORIGIN.fullmatch(origin).groups()
        default = DEFAULT_PORT[scheme]
        if host == origin_host and (port or default) == (origin_port or default):
            return origin
    raise Refused("WRONG_ORIGIN")


# Section 5: string to sign


def length_delimited(part):
    return b"%d:%s\n" % (len(part), part)


def string_to_sign(alg, parts):
    return b"daypass-url-v1\n" + b"".join(length_delimited(part) for part in (alg.encode("ascii"), *parts))


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def from_base64url(text):
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if base64url(data) != text:
        raise ValueError("not the one spelling of base64url")
    return data


# RFC 8032 section 5.1, with the strictness of section 8

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
TORSION = {
    0,
    1,
    P - 1,
    0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826,
    0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7,
}


def point(encoded):
    number = int.from_bytes(encoded, "little")
    y, sign = number & (2**255 - 1), number >> 255
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return (x, y, 1, x * y % P)


def add(a, b):
    e = (a[1] - a[0]) * (b[1] - b[0]) % P
    f = (a[1] + a[0]) * (b[1] + b[0]) % P
    g, h = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    i, j, k, m = f - e, h - g, h + g, f + e
    return (i * j % P, k * m % P, j * k % P, i * m % P)


def times(scalar, base):
    result = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = add(result, base)
        base, scalar = add(base, base), scalar >> 1
    return result


def encode_point(a):
    inverse = pow(a[2], P - 2, P)
    x, y = a[0] * inverse % P, a[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


BASE = point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def ed25519_verify(public, message, signature):
    key = point(public)
    s = int.from_bytes(signature[32:], "little")
    if key is None or s >= L:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    minus_key = (P - key[0], key[1], 1, P - key[3])
    return encode_point(add(times(s, BASE), times(k, minus_key))) == signature[:32]


# Section 8: keys


class InvalidKey(Exception):
    pass


def expect_key(condition):
    if not condition:
        raise InvalidKey


def key_bytes(key, member):
    try:
        return from_base64url(key[member])
    except (KeyError, TypeError, ValueError):
        raise InvalidKey from None


def is_list(value, item):
    return isinstance(value, list) and value and all(isinstance(text, str) and item(text) for text in value)


def is_origin(text):
    match = ORIGIN.fullmatch(text)
    if not match:
        return False
    scheme, host, port = match.groups()
    if port is not None and (port[0] == "0" or int(port) > 65535 or port == DEFAULT_PORT[scheme]):
        return False
    try:
        if host[0] == "[":
            return str(ipaddress.IPv6Address(host[1:-1])) == host[1:-1]
        labels = host.split(".")
        if re.fullmatch("[0-9]+|0x[0-9a-f]*", labels[-1]):
            return str(ipaddress.IPv4Address(host)) == host
    except ValueError:
        return False
    return all(re.fullmatch("[a-z0-9]([a-z0-9-]*[a-z0-9])?", label) for label in labels)


def accepted(parse, value):
    try:
        parse(value)
        return True
    except Refused:
        return False


def is_integer(value):
    return isinstance(value, int) and not isinstance(value, bool) and value < 2**53


SCOPE = {
    "origins": lambda value: is_list(value, is_origin),
    "prefix": lambda value: isinstance(value, str) and value.endswith("/") and accepted(check_path, value.encode()),
    "methods": lambda value: is_list(value, lambda text: re.fullmatch("[A-Z]{3,16}", text)),
    "maxLife": lambda value: is_integer(value) and value >= 1,
    "until": lambda value: isinstance(value, str) and accepted(parse_time, value),
}


def load_key(key):
    kid = key.get("kid")
    expect_key(isinstance(kid, str) and re.fullmatch("[A-Za-z0-9_-]{1,64}", kid))
    expect_key(key.get("use", "sig") == "sig")
    scope = key.get("scope", {})
    expect_key(isinstance(scope, dict))
    expect_key(all(member in SCOPE and SCOPE[member](value) for member, value in scope.items()))
    if key.get("kty") == "oct":
        expect_key(key.get("alg") == "HS256")
        secret = key_bytes(key, "k")
        expect_key(len(secret) >= 32)
        return {"alg": "HS256", "secret": secret, "scope": scope}
    expect_key((key.get("kty"), key.get("crv"), key.get("alg")) == ("OKP", "Ed25519", "Ed25519"))
    public = key_bytes(key, "x")
    expect_key(len(public) == 32)
    y = int.from_bytes(public, "little") & (2**255 - 1)
    expect_key(y < P and y not in TORSION)
    return {"alg": "Ed25519", "public": public, "scope": scope}


def load_keys(keys):
    loaded = {}
    for key in keys:
        entry = load_key(key)
        expect_key(key["kid"] not in loaded)
        loaded[key["kid"]] = entry
    return loaded


def matches(key, message, signature):
    if key["alg"] == "HS256":
        expected = base64url(hmac.new(key["secret"], message, hashlib.sha256).digest())
        return hmac.compare_digest(expected, signature)
    try:
        return len(signature) == 86 and ed25519_verify(key["public"], message, from_base64url(signature))
    except ValueError:
        return False


def enforce_scope(scope, origin, path, values):
    require(origin in scope.get("origins", [origin]), "KEY_SCOPE")
    require(path.startswith(scope.get("prefix", "/").encode()), "KEY_SCOPE")
    if "methods" in scope:
        allowed = set(scope["methods"]) | ({"HEAD"} if "GET" in scope["methods"] else set())
        require(set(values["dp-methods"]) <= allowed, "KEY_SCOPE")
    life = values["dp-expires"] - values["dp-date"]
    require(life <= scope.get("maxLife", life), "KEY_SCOPE")
    require("until" not in scope or values["dp-expires"] <= parse_time(scope["until"]), "KEY_SCOPE")


# Section 6: verification


def peer_address(text):
    address = ipaddress.ip_address(text.split("%")[0])
    return address.ipv4_mapped or address if address.version == 6 else address


def has_address(request, networks):
    try:
        address = peer_address(request["remoteAddress"])
    except (KeyError, ValueError):
        return False
    return any(address.version == network.version and address in network for network in networks)


OBLIGATIONS = (
    ("create-only", ["dp-create"]),
    ("body-length", ["dp-length"]),
    ("response", [name for name in PARAMETERS if name.startswith("dp-response-")]),
    ("body-sha256", ["dp-sha256"]),
    ("uses", ["dp-uses"]),
    ("strip", ["dp-vary"]),
)
DUMMY = {"alg": "HS256", "secret": bytes(32), "scope": {}}


def verify(case, keys):
    request, verifier = case["request"], case["verifier"]
    target = request["target"].encode("latin-1", "replace")
    path, mark, query = target.partition(b"?")
    tokens = query.split(b"&") if mark else []
    reserved = [token for token in tokens if RESERVED.match(token)]

    require(reserved, "NO_SIGNATURE")
    origin = select_origin(verifier["origins"], request["authority"])

    require(len(target) <= 8192)
    check_path(path)
    require(all(TOKEN.fullmatch(token) for token in tokens) and is_utf8(query))
    values = read_parameters(reserved)
    signed_path = fixed_part(path, int(values["dp-prefix"])) if "dp-prefix" in values else path
    headers = read_headers(request, values.get("dp-headers", []))

    vary = values.get("dp-vary", [])
    others = [t for t in tokens if t not in reserved and t.split(b"=")[0].decode("ascii") not in vary]
    parts = (
        origin.encode("ascii"),
        b"prefix" if "dp-prefix" in values else b"exact",
        signed_path,
        b"&".join(others),
        b"&".join(token for token in reserved if not token.startswith(b"dp-signature=")),
        headers,
    )
    key = keys.get(values["dp-key"])
    message = string_to_sign((key or DUMMY)["alg"], parts)
    good = matches(key or DUMMY, message, values["dp-signature"])
    require(key, "UNKNOWN_KEY")
    require(good, "SIGNATURE_MISMATCH")

    now = parse_time(case["now"])
    starts = values.get("dp-starts")
    require(values["dp-date"] <= now + verifier.get("skew", 60), "NOT_YET_VALID")
    require(starts is None or starts <= now, "NOT_YET_VALID")
    require(now < values["dp-expires"], "EXPIRED")

    methods = values["dp-methods"] + (["HEAD"] if "GET" in values["dp-methods"] else [])
    enforce_scope(key["scope"], origin, signed_path, values)
    require(request["method"] in methods, "METHOD_NOT_GRANTED")
    require(values.get("dp-audience") == verifier.get("audience"), "WRONG_AUDIENCE")
    require("dp-subject" not in values or values["dp-subject"] == case.get("subject"), "WRONG_SUBJECT")
    require("dp-ip" not in values or has_address(request, values["dp-ip"]), "IP_NOT_GRANTED")
    require("dp-type" not in values or fields(request, "content-type") == [values["dp-type"]], "BODY_TYPE")

    obligations = [kind for kind, names in OBLIGATIONS if any(name in values for name in names)]
    require(all(kind in case.get("enforces", obligations) for kind in obligations), "UNENFORCED_CONSTRAINT")

    grant = {
        "id": base64url(hashlib.sha256(message).digest()[:16]),
        "keyId": values["dp-key"],
        "methods": methods,
        "notBefore": time_text(values["dp-date"] if starts is None else starts),
        "expiresAt": time_text(values["dp-expires"]),
        "target": (path + (b"?" + parts[3] if parts[3] else b"")).decode("ascii"),
        "obligations": obligations,
    }
    return {**grant, "prefix": signed_path.decode("ascii")} if "dp-prefix" in values else grant


def time_text(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y%m%dT%H%M%SZ")


# Section 12: vectors


def outcome(case, keys):
    try:
        return verify(case, keys)
    except Refused as refusal:
        return {"code": str(refusal)}


def keys_are_valid(case):
    try:
        load_keys(case["keys"])
        return {"valid": True}
    except InvalidKey:
        return {"valid": False}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", metavar="FILE", help="vectors in the form of section 12")
    files = parser.parse_args().files
    wrong = 0
    for file in files:
        with open(file, encoding="utf-8") as stream:
            vectors = json.load(stream)
        keys = load_keys(vectors["keys"]) if "keys" in vectors else None
        for case in vectors["cases"]:
            found = keys_are_valid(case) if keys is None else outcome(case, keys)
            expected = {"valid": case["valid"]} if keys is None else case["expect"]
            if found != expected:
                wrong += 1
                print(f"{case['name']}: expected {json.dumps(expected)}, found {json.dumps(found)}")
        print(f"{file}: {len(vectors['cases'])} cases")
    print(f"{wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
