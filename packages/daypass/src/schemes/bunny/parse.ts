import type { ReceivedRequest } from "../../core/contracts.ts";
import { refusal } from "../../core/errors.ts";
import { parseEpoch } from "../../core/validity.ts";
import { checkBelow, joinTarget, takeTokens, unsignedParameters } from "../../edge/query.ts";
import type { EdgeToken } from "../../edge/verify.ts";
import { checkOnce, malformed, type Parameter } from "../../wire/parameters.ts";
import { formDecode, joinTokens, parseTarget, percentDecode, type QueryToken } from "../../wire/raw-target.ts";
import { type BunnyParts, hidesEnd, isBelow, isPlain, lockedAddress } from "./canonical.ts";

/** What a token grants in addition to the path. */
export interface BunnyFacts {
  /** The decoded path below which everything is granted, if the token is for more than one path. */
  readonly prefix: string | undefined;
  /** Country codes that may, or may not, use it. */
  readonly countries: readonly string[] | undefined;
  /** Country codes that may not. */
  readonly countriesBlocked: readonly string[] | undefined;
  /** Kilobytes a second. */
  readonly speedLimit: number | undefined;
}

/** A token that has been read. */
export interface BunnyToken extends EdgeToken {
  readonly signature: string;
  readonly parts: BunnyParts;
  readonly facts: BunnyFacts;
}

/** The first segment of a path with a token in it. */
const PATH_TOKEN = /^\/bcdn_token=([^/]+)(\/.*)$/;

const TOKEN = /^HS256-(1-)?[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;

/** Reads a token in the query, or in the first segment of the path, where its own parameters stand, too. */
export function parseBunny(
  { request, wire }: ReceivedRequest,
  allowUnsigned: readonly string[] | undefined,
): BunnyToken {
  const [, segment, rest = wire.path] = PATH_TOKEN.exec(wire.path) ?? [];
  const inPath = segment === undefined ? undefined : parseTarget(`/?token=${segment}`).tokens;
  const { own, others } = takeTokens(inPath ?? wire.tokens, ["token", "expires"]);
  const { token: signature = "", expires = "" } = own;
  const [found, isLocked] = TOKEN.exec(signature) ?? [];
  if (found === undefined) throw malformed("token", "form", "HS256-, 1- if it is locked to an address, and a MAC");
  if (!/^[1-9][0-9]{9}$/.test(expires)) throw malformed("expires", "form", "the end as ten digits");
  const isIgnoring = others.some(({ name }) => name === "token_ignore_params");
  const isSigned = ({ name }: QueryToken): boolean =>
    !isIgnoring || name === "token_ignore_params" || name === "token_path";
  const signed = others.filter(isSigned);
  const unsigned = [...others.filter((other) => !isSigned(other)), ...(inPath === undefined ? [] : wire.tokens)];
  const parameters = signed.map(({ name, value = "" }): Parameter => [name, formDecode(value)]);
  checkOnce(parameters);
  if (!parameters.every(isPlain))
    throw malformed(
      "parameters",
      "form",
      "plain names without ten digits or one in front, and values without & and controls",
    );
  const { token_path: prefix, ...rules } = Object.fromEntries(parameters);
  if (isIgnoring && rules["token_ignore_params"] !== "true") throw malformed("token_ignore_params", "form", "true");
  // The path is signed decoded, so that one signature would stand for all its spellings.
  checkBelow(rest);
  const path = percentDecode(rest);
  if (prefix !== undefined && !(prefix.startsWith("/") && isBelow(path, prefix))) {
    throw refusal("SIGNATURE_MISMATCH", "a path below the token's token_path, found another");
  }
  if (hidesEnd(prefix ?? path)) throw malformed("path", "ambiguous", "a path in which no end and no parameter stand");
  const address = isLocked === undefined ? undefined : lockedAddress(request.remoteAddress);
  if (isLocked !== undefined && address === undefined) {
    throw refusal("IP_NOT_GRANTED", "the address of the client, to which this token is locked; found none");
  }
  const isRule = ({ name }: QueryToken): boolean => name.startsWith("token_") || name === "limit";
  return {
    signature,
    expiresAt: parseEpoch(expires),
    path: rest,
    target: joinTarget(rest, joinTokens(signed.filter((token) => !isRule(token)))),
    unsigned: unsignedParameters(unsigned, allowUnsigned),
    parts: { path: prefix ?? path, expires, address, parameters },
    facts: {
      prefix,
      countries: rules["token_countries"]?.split(","),
      countriesBlocked: rules["token_countries_blocked"]?.split(","),
      speedLimit: speedLimit(rules["limit"]),
    },
  };
}

function speedLimit(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[1-9][0-9]{0,8}$/.test(text)) return Number(text);
  throw malformed("limit", "form", "kilobytes a second");
}
