import { sha1, sha1Hmac } from "#crypto/digests";
import { checkAccessKey } from "../../core/access-key.ts";
import type { ReceivedRequest, WireRequest } from "../../core/contracts.ts";
import { refusal } from "../../core/errors.ts";
import { parseEpoch } from "../../core/time.ts";
import { compareText } from "../../core/v4.ts";
import { hex, uriEncode } from "../../wire/encoding.ts";
import { checkOnce, malformed, type Parameter, sortParameters } from "../../wire/parameters.ts";
import { groupHeaders, percentDecode, refuseHeaderAuth, trimBlank } from "../../wire/raw-target.ts";

/** The headers that act on COS. An unsigned header could turn an upload into a copy, or run a process on it. */
export function mustBeSigned(name: string): boolean {
  return /^(?:x-cos-|x-ci-|pic-operations$)/.test(name);
}

/** "Encode keys and convert them to lowercase": of parameters and headers alike. */
export function cosName(name: string): string {
  return uriEncode(name).toLowerCase();
}

const MIXED = "(?:versionId|uploadId|partNumber|image(?:Mogr2|View2|Info|Ave))";
const OWN_CASE = /* @__PURE__ */ new RegExp(`^${MIXED}(?:/[^A-Z]*)?$`);
const ANY_CASE = /* @__PURE__ */ new RegExp(`^${MIXED}(?:/|$)`, "i");

/**
 * Whether a parameter's name has the one case that is taken here: its documented one, lower case for nearly all. The
 * signature lower-cases names, so a holder could else turn `versionId` into a name that the server does not read.
 */
export function hasOwnCase(name: string): boolean {
  return OWN_CASE.test(name) || !(/[A-Z]/.test(name) || ANY_CASE.test(name));
}

interface Signed {
  /** `q-header-list` or `q-url-param-list`. */
  readonly list: string;
  /** `key=value` pairs, sorted by key. */
  readonly text: string;
}

/** "Sort the KeyList in lexicographical order"; "if a parameter has no value, its value is the empty text". */
export function cosPairs(pairs: readonly Parameter[]): Signed {
  const sorted = pairs
    .map(([name, value]): Parameter => [cosName(name), uriEncode(value)])
    .sort(([a], [b]) => compareText(a, b));
  return { list: sorted.map(([name]) => name).join(";"), text: sorted.map((pair) => pair.join("=")).join("&") };
}

/** Everything that a signature covers. */
export interface CosParts {
  readonly method: string;
  /** Decoded: "/" + key, or in path style "/bucket/key". */
  readonly path: string;
  readonly parameters: readonly Parameter[];
  /** Values without spaces at their ends. */
  readonly headers: readonly Parameter[];
  /** `<start>;<end>` in seconds since 1970. */
  readonly keyTime: string;
}

/**
 * HttpString → StringToSign → Signature, in COS's words. The path is the one part that may hold line feeds; as it is
 * followed by exactly two lines that hold none, no other path fits the same text.
 */
export function cosSignature(
  secretKey: string,
  { method, path, parameters, headers, keyTime }: CosParts,
): { readonly signature: string; readonly stringToSign: string } {
  const httpString = `${method.toLowerCase()}\n${path}\n${cosPairs(parameters).text}\n${cosPairs(headers).text}\n`;
  const stringToSign = `sha1\n${keyTime}\n${hex(sha1(httpString))}\n`;
  const signKey = hex(sha1Hmac(secretKey)(keyTime));
  return { signature: hex(sha1Hmac(signKey)(stringToSign)), stringToSign };
}

/** A query-signed COS request, read strictly. Nothing in it has been verified. */
export interface ParsedCos extends CosParts {
  readonly secretId: string;
  readonly startsAt: Date;
  readonly expiresAt: Date;
  readonly sessionToken: string | undefined;
  readonly signature: string;
}

const MARKER = /[?&]q-(?:sign-algorithm|ak|signature)=/;

/** Returns, by parameter names, whether a request is signed for COS in its query. */
export function detectCos(request: WireRequest): boolean {
  return MARKER.test(request.target);
}

const REQUIRED = ["q-sign-algorithm", "q-ak", "q-sign-time", "q-key-time", "q-signature"] as const;
const OPTIONAL = ["q-header-list", "q-url-param-list", "x-cos-security-token"] as const;

/** Reads a query-signed request. Throws `MALFORMED`, `UNSIGNED_PARAMETER`, `UNSIGNED_HEADER` or `AMBIGUOUS_AUTHENTICATION`. */
export function parseCos({ request, wire }: ReceivedRequest): ParsedCos {
  const { own, others } = sortParameters(wire, REQUIRED, OPTIONAL);
  refuseHeaderAuth(request.headers);
  const { "q-sign-time": keyTime, "q-signature": signature, "q-url-param-list": list } = own;
  const headerList = own["q-header-list"];
  // The signature lower-cases the method.
  if (!/^[A-Z]+$/.test(request.method)) throw malformed("method", "case", "upper case");
  if (own["q-sign-algorithm"] !== "sha1") throw malformed("q-sign-algorithm", "algorithm", "sha1");
  if (list === undefined || headerList === undefined) {
    throw malformed("q-url-param-list and q-header-list", "missing", "parameters, empty if there is nothing to list");
  }
  if (!/^[0-9a-f]{40}$/.test(signature)) throw malformed("q-signature", "form", "40 hexadecimal digits, lower case");
  const [start, end, more] = keyTime.split(";");
  const startsAt = parseEpoch(start ?? "");
  const expiresAt = parseEpoch(end ?? "");
  if (startsAt === undefined || expiresAt === undefined || more !== undefined || own["q-key-time"] !== keyTime) {
    throw malformed("q-sign-time", "form", "<start>;<end> in seconds since 1970, the same as q-key-time");
  }
  checkParameters(others, list);
  return {
    method: request.method,
    path: percentDecode(wire.path),
    parameters: others,
    headers: readHeaders(request, headerList),
    keyTime,
    secretId: own["q-ak"],
    startsAt,
    expiresAt,
    sessionToken: own["x-cos-security-token"],
    signature,
  };
}

/** All parameters are signed, each once and in its own case. The list itself is not signed, so nothing is read from it. */
function checkParameters(parameters: readonly Parameter[], list: string): void {
  const listed = readList("q-url-param-list", list);
  checkOnce(parameters);
  for (const [name] of parameters) {
    if (!hasOwnCase(name)) throw malformed(name, "case", "a name in COS's own case, which its signature does not keep");
    if (!listed.has(cosName(name))) {
      throw refusal("UNSIGNED_PARAMETER", `the parameter ${JSON.stringify(name)} is not signed. Leave it out`, {
        parameter: name,
      });
    }
  }
  if (parameters.length < listed.size) throw malformed("q-url-param-list", "form", "the parameters of the request");
}

function readHeaders(request: WireRequest, list: string): readonly Parameter[] {
  const listed = readList("q-header-list", list);
  const received = groupHeaders(request.headers);
  const unsigned = [...received.keys()].find((name) => mustBeSigned(name) && !listed.has(name));
  // Without the host the bucket is open: the URL would fit the same key in every bucket of the key's owner.
  const missing = listed.has("host") ? unsigned : "host";
  if (missing !== undefined) {
    throw refusal("UNSIGNED_HEADER", `the header ${missing} is not signed. Sign host and every x-cos-* header`, {
      headers: [missing],
    });
  }
  return [...listed].map((name): Parameter => {
    const [value, second] = name === "host" ? [request.authority] : (received.get(name) ?? []);
    if (value === undefined || second !== undefined) throw malformed(name, "form", "a signed header, sent once");
    return [name, trimBlank(value)];
  });
}

/** Names as they are signed. Some clients encode them once more than others. */
function readList(parameter: string, list: string): ReadonlySet<string> {
  const names = list === "" ? [] : list.split(";").map((name) => (name.includes("%") ? name : cosName(name)));
  const found = new Set(names);
  if (found.size < names.length) throw malformed(parameter, "duplicate", "each name once, joined by `;`");
  return found;
}

/** A key of Tencent Cloud. */
export interface CosCredentials {
  /** Public, despite its name: it is in every URL. */
  readonly secretId: string;
  /** Secret: never in a URL, a message or a log. */
  readonly secretKey: string;
  /** Present with temporary keys (STS). COS does not sign it. */
  readonly sessionToken?: string | undefined;
  /** When temporary keys expire: no URL signed with them lasts longer. */
  readonly expiration?: Date | undefined;
}

const NAMES = ["secretId", "secretKey", "sessionToken"] as const;

export const checkCredentials = (credentials: CosCredentials): CosCredentials =>
  checkAccessKey(credentials, NAMES, credentials);
