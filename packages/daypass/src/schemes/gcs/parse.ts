import type { ReceivedRequest, WireRequest } from "../../core/contracts.ts";
import { refusal } from "../../core/errors.ts";
import { basicTimeMs } from "../../core/time.ts";
import type { CredentialScope, V4Family } from "../../core/v4.ts";
import { checkOnce, malformed, type Parameter, sortParameters } from "../../wire/parameters.ts";
import { type GroupedHeaders, groupHeaders, refuseHeaderAuth } from "../../wire/raw-target.ts";
import { canonicalPath, GOOG4_HMAC, GOOG4_RSA, hostWithoutPort, type SignedHeader } from "./canonical.ts";

/** The longest life of a V4 URL: seven days. */
export const MAX_EXPIRES = 604_800;

/** A V4 query-signed request, read strictly. Nothing in it has been verified. */
export interface ParsedGcs {
  readonly family: V4Family;
  /** Address of the service account, or id of the HMAC key. */
  readonly keyId: string;
  readonly scope: CredentialScope;
  readonly time: string;
  /** In milliseconds since 1970, as is the end. */
  readonly notBefore: number;
  readonly expiresAt: number;
  /** Lower-case hexadecimal. */
  readonly signature: string;
  readonly path: string;
  /** All parameters but the signature, decoded. */
  readonly parameters: readonly Parameter[];
  /** Those that are not the signature's own. */
  readonly others: readonly Parameter[];
  /** The headers in the list. A header that the request lacks has no values. */
  readonly headers: readonly SignedHeader[];
}

const MARKER = /[?&]X-Goog-(?:Algorithm|Credential|Signature)=/;

/** Returns the algorithm of a request that is signed with V4 in its query, by parameter names. */
export function detectGcs({ target }: WireRequest): V4Family | undefined {
  if (!MARKER.test(target)) return undefined;
  return target.includes(`X-Goog-Algorithm=${GOOG4_HMAC.algorithm}`) ? GOOG4_HMAC : GOOG4_RSA;
}

/** The signature's own parameters, in their ascending order. */
export const OWN = [
  "X-Goog-Algorithm",
  "X-Goog-Credential",
  "X-Goog-Date",
  "X-Goog-Expires",
  "X-Goog-SignedHeaders",
  "X-Goog-Signature",
] as const;
/** The names of the signature's own parameters, in any case. */
export const OWN_NAME: RegExp = /* @__PURE__ */ new RegExp(`^(?:${OWN.join("|")})$`, "i");

/** Reads a query-signed request. Throws `MALFORMED`, `UNSIGNED_HEADER`, `WRONG_SCOPE` or `AMBIGUOUS_AUTHENTICATION`. */
export function parseGcs({ request, wire }: ReceivedRequest, family: V4Family): ParsedGcs {
  const { own, others } = sortParameters(wire, OWN);
  checkOnce(others);
  const respelled = others.find(([name]) => OWN_NAME.test(name));
  if (respelled) throw malformed(respelled[0], "spelling", "documented");
  const received = groupHeaders(request.headers);
  refuseHeaderAuth(request.headers);
  const [algorithm, credential, time, expires, list, signature] = OWN.map((name) => own[name]) as [
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  if (algorithm !== family.algorithm) throw malformed(OWN[0], "algorithm", family.algorithm);
  // An HMAC has 32 bytes, the signature of an RSA key of 8192 bits has 1024.
  if (!/^(?:[0-9a-f]{2}){32,1024}$/.test(signature)) {
    throw malformed(OWN[5], "form", "hexadecimal");
  }
  const { keyId, scope } = parseCredential(credential, OWN[1]);
  const notBefore = basicTimeMs(time);
  if (Number.isNaN(notBefore)) throw malformed(OWN[2], "form", "time in UTC");
  if (!time.startsWith(scope.date)) throw malformed(OWN[1], "date-mismatch", "one of the same date");
  const seconds = Number(expires);
  if (!/^[1-9]\d{0,5}$/.test(expires) || seconds > MAX_EXPIRES)
    throw malformed(OWN[3], "form", `1 to ${MAX_EXPIRES} seconds`);
  return {
    family,
    keyId,
    scope,
    time,
    notBefore,
    expiresAt: notBefore + seconds * 1000,
    signature,
    path: canonicalPath(wire.path),
    parameters: [...OWN.slice(0, 5).map((name): Parameter => [name, own[name]]), ...others],
    others,
    headers: readSignedHeaders(received, request.authority, list),
  };
}

/** Splits `<account or access id>/<date>/<location>/storage/goog4_request`. Throws `MALFORMED` or `WRONG_SCOPE`. */
export function parseCredential(
  text: string,
  parameter: string,
): { readonly keyId: string; readonly scope: CredentialScope } {
  const [, keyId = "", date = "", region = "", service] =
    /^([!-.0-~]+)\/(\d{8})\/([\w-]+)\/([\w-]+)\/goog4_request$/.exec(text) ?? [];
  if (service === "storage") return { keyId, scope: { date, region, service } };
  if (service === undefined) {
    throw malformed(parameter, "form", "key/date/location/storage/goog4_request");
  }
  throw refusal("WRONG_SCOPE", `the signature is for the service ${service}. Sign for storage`);
}

// Google's own clients add it to requests that they did not sign, and no operation reads it.
const HARMLESS = "x-goog-api-client";

/**
 * The headers that act on Cloud Storage by their names alone; it reads `x-amz-*` as well. An unsigned `x-goog-copy-source`
 * would turn an upload into a read of any object.
 */
export function extensionNames(headers: GroupedHeaders): readonly string[] {
  return [...headers.keys()].filter((name) => /^x-(?:goog|amz)-/.test(name) && name !== HARMLESS);
}

/** Throws `UNSIGNED_HEADER` if there are any. */
export function refuseUnsigned(headers: readonly string[]): void {
  if (headers.length > 0) {
    throw refusal("UNSIGNED_HEADER", `the headers ${headers} are not signed. Leave them out, or sign them`, {
      headers,
    });
  }
}

function readSignedHeaders(received: GroupedHeaders, authority: string, list: string): readonly SignedHeader[] {
  const names = list.split(";");
  const unique = new Set(names);
  const isInOrder = [...unique].sort().join(";") === list;
  if (!isInOrder || !unique.has("host") || !names.every((name) => /^[!#$%&'*+\-.^_`|~0-9a-z]+$/.test(name))) {
    throw malformed(OWN[4], "form", "lower-case names in order, with host");
  }
  refuseUnsigned(extensionNames(received).filter((name) => !unique.has(name)));
  return names.map((name) => ({
    name,
    values: name === "host" ? [hostWithoutPort(authority)] : (received.get(name) ?? []),
  }));
}
