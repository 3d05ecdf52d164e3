import type { ReceivedRequest } from "../../core/contracts.ts";
import { refusal } from "../../core/errors.ts";
import { parseEpoch } from "../../core/validity.ts";
import { checkBelow, takeTokens, unsignedParameters } from "../../edge/query.ts";
import type { EdgeToken } from "../../edge/verify.ts";
import { cookieValue } from "../../wire/cookie.ts";
import { parseAddress } from "../../wire/ip.ts";
import { malformed } from "../../wire/parameters.ts";
import { percentDecode } from "../../wire/raw-target.ts";
import { type AkamaiFields, type AkamaiHash, akamaiStringToSign, DIGITS, FIELDS } from "./canonical.ts";

/** What a token grants in addition to the path. */
export interface AkamaiFacts {
  /** The patterns of the token, if it has any: the path must match one of them. */
  readonly acl: readonly string[] | undefined;
  readonly sessionId: string | undefined;
  readonly data: string | undefined;
}

/** A token that has been read. */
export interface AkamaiToken extends EdgeToken {
  readonly mac: string;
  readonly stringToSign: string;
  /** The bytes of the address that it is for. */
  readonly address: readonly number[] | undefined;
  readonly facts: AkamaiFacts;
}

/** Reads a token in the query or in a cookie. */
export function parseAkamai(
  { request, wire }: ReceivedRequest,
  {
    parameter,
    hash,
    escapeEarly,
  }: { readonly parameter: string; readonly hash: AkamaiHash; readonly escapeEarly: boolean },
  allowUnsigned: readonly string[] | undefined,
): AkamaiToken {
  const { own, others } = takeTokens(wire.tokens, [parameter]);
  const inQuery = own[parameter];
  const inCookie = cookieValue(request.headers, parameter);
  if (inCookie !== undefined && inQuery !== undefined) {
    throw refusal("AMBIGUOUS_AUTHENTICATION", "one token, found two");
  }
  checkBelow(wire.path);
  const bad = (expected: string): Error => malformed(parameter, "form", expected);
  const text = inQuery ?? inCookie ?? "";
  const at = text.lastIndexOf("~hmac=");
  const mac = text.slice(at + 6);
  if (at < 0 || mac.length !== DIGITS[hash] || !/^[0-9a-f]+$/.test(mac)) {
    throw bad(`fields joined by ~, and at the end hmac in ${DIGITS[hash]} hexadecimal digits`);
  }
  const fields: AkamaiFields = {};
  for (const part of text.slice(0, at).split("~")) {
    const [, name, value] = /^([a-z]+)=([!-}]+)$/.exec(part) ?? [];
    const field = FIELDS.find((known) => known === name);
    if (field === undefined || fields[field] !== undefined)
      throw bad(`${FIELDS.join(", ")}, each once and with a value`);
    fields[field] = value as string;
  }
  const { ip, st = "0", exp = "", acl, id, data } = fields;
  const plain = (value: string | undefined): string | undefined =>
    value !== undefined && escapeEarly ? percentDecode(value) : value;
  const notBefore = parseEpoch(st);
  const expiresAt = parseEpoch(exp);
  const address = ip === undefined ? undefined : parseAddress(plain(ip) as string);
  if (notBefore === undefined || expiresAt === undefined || (ip !== undefined && address === undefined)) {
    throw bad("exp and st in whole seconds since 1970, and ip as an address");
  }
  return {
    mac,
    stringToSign: akamaiStringToSign(fields, wire.path, escapeEarly),
    notBefore,
    expiresAt,
    address,
    path: wire.path,
    target: wire.path,
    unsigned: unsignedParameters(others, allowUnsigned),
    facts: { acl: acl?.split("!"), sessionId: plain(id), data: plain(data) },
  };
}
