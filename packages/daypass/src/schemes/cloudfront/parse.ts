import type { ReceivedRequest, WireRequest } from "../../core/contracts.ts";
import { parseEpoch } from "../../core/time.ts";
import { latin1 } from "../../wire/encoding.ts";
import { malformed } from "../../wire/parameters.ts";
import { refuseDotSegments } from "../../wire/path-safety.ts";
import { headerValues } from "../../wire/raw-target.ts";
import type { CloudfrontHash } from "./key.ts";
import { fromUrlText, PARAMETERS, type ParameterName, type Policy, policyText, readPolicy } from "./policy.ts";

/** A request with a signed URL or signed cookies, read strictly. Nothing in it has been verified. */
export interface ParsedCloudfront {
  readonly via: "url" | "cookies";
  readonly keyPairId: string;
  readonly hash: CloudfrontHash;
  readonly signature: Uint8Array;
  /** What is signed: the policy that travelled, or the canned one of this request. */
  readonly text: string;
  readonly isCanned: boolean;
  readonly policy: Policy;
  /** The target without the signing parameters, and the whole URL of it. */
  readonly target: string;
  readonly url: string;
}

const IN_URL = /[?&]Key-Pair-Id=/;
const COOKIE = "CloudFront-";

/** Returns, by names alone, whether a request has a signed URL or signed cookies. */
export function detectCloudfront(request: WireRequest): boolean {
  const { target, headers } = request;
  return (
    IN_URL.test(target) || headerValues(headers, "cookie").some((value) => value.includes(`${COOKIE}Key-Pair-Id=`))
  );
}

/** Reads a request. Throws `MALFORMED`. */
export function parseCloudfront({ request, wire, origin }: ReceivedRequest): ParsedCloudfront {
  // A policy with wildcards would else open whatever a router makes of the rest.
  refuseDotSegments(wire.path);
  const own = wire.tokens.filter(({ name }) => isParameter(name));
  // "If the URL contains any of these parameters, CloudFront does not look at cookies."
  const via = own.length > 0 ? "url" : "cookies";
  const pairs = via === "url" ? own.map(({ name, value = "" }) => [name, value] as const) : ownCookies(request);
  const values = readOnce(pairs);
  const rest = wire.query
    .split("&")
    .filter((token) => !isParameter(token.split("=", 1)[0] as string))
    .join("&");
  const target = via === "cookies" ? request.target : rest === "" ? wire.path : `${wire.path}?${rest}`;
  const url = origin + target;

  const { Expires: end, Policy: encoded, Signature: encodedSignature = "", "Key-Pair-Id": keyPairId = "" } = values;
  const signature = fromUrlText(encodedSignature);
  if (signature === undefined) throw malformed("Signature", "form", "base64 with -, _ and ~");
  if (!/^[\w-]+$/.test(keyPairId)) throw malformed("Key-Pair-Id", "form", "the id of a public key");
  if ((end === undefined) === (encoded === undefined)) throw malformed("Policy", "form", "one of Policy and Expires");
  const common = { via, keyPairId, hash: readHash(values["Hash-Algorithm"]), signature, target, url } as const;
  if (encoded !== undefined) {
    const text = readText(encoded);
    const policy = readPolicy(text, (expected) => malformed("Policy", "form", expected));
    return { ...common, text, isCanned: false, policy };
  }
  const expiresAt = parseEpoch(end ?? "");
  if (expiresAt === undefined) throw malformed("Expires", "form", "whole seconds since 1970");
  const policy = { resource: url, expiresAt, startsAt: undefined, ipRange: undefined, network: undefined };
  return { ...common, text: policyText({ resource: url, end: Number(end) }), isCanned: true, policy };
}

function isParameter(name: string): name is ParameterName {
  return (PARAMETERS as readonly string[]).includes(name);
}

function readOnce(pairs: readonly (readonly [string, string])[]): Readonly<Partial<Record<ParameterName, string>>> {
  const values = new Map(pairs);
  if (values.size < pairs.length) throw malformed("Key-Pair-Id", "duplicate", "each signing parameter once");
  return Object.fromEntries(values);
}

function readHash(text = "SHA1"): CloudfrontHash {
  if (text === "SHA1") return "sha1";
  if (text === "SHA256") return "sha256";
  throw malformed("Hash-Algorithm", "form", "SHA1 or SHA256");
}

/** ASCII, as URLs are: a policy in anything else fits none. */
function readText(encoded: string): string {
  const bytes = fromUrlText(encoded);
  if (bytes === undefined || !bytes.every((byte) => byte < 0x7f))
    throw malformed("Policy", "form", "base64 of ASCII text");
  return latin1(bytes);
}

function ownCookies({ headers }: WireRequest): readonly (readonly [string, string])[] {
  const own = headerValues(headers, "cookie")
    .flatMap((value) => value.split(";"))
    .map((cookie) => cookie.trim())
    .filter((cookie) => cookie.startsWith(COOKIE))
    .map((cookie) => {
      const equals = cookie.indexOf("=");
      return [cookie.slice(COOKIE.length, equals), cookie.slice(equals + 1)] as const;
    });
  const unknown = own.find(([name]) => !isParameter(name))?.[0];
  if (unknown !== undefined) throw malformed(`${COOKIE}${unknown}`, "unknown", "a known cookie");
  return own;
}
