import type { ReceivedRequest, WireRequest } from "../../core/contracts.ts";
import { refusal } from "../../core/errors.ts";
import { parseEpoch } from "../../core/validity.ts";
import { checkOnce, malformed, type Parameter, sortParameters } from "../../wire/parameters.ts";
import { groupHeaders, hasHeader, percentDecode, trimBlank } from "../../wire/raw-target.ts";
import { type CosParts, cosName, hasOwnCase, mustBeSigned } from "./canonical.ts";

/** A query-signed COS request, read strictly. Nothing in it has been verified. */
export interface ParsedCos extends CosParts {
  readonly secretId: string;
  readonly startsAt: Date;
  readonly expiresAt: Date;
  readonly sessionToken: string | undefined;
  readonly signature: string;
}

const MARKER = /[?&]q-(?:sign-algorithm|ak|signature)=/;

/** Tells by parameter names whether a request is signed for COS in its query. */
export function detectCos(request: WireRequest): boolean {
  return MARKER.test(request.target);
}

const REQUIRED = ["q-sign-algorithm", "q-ak", "q-sign-time", "q-key-time", "q-signature"] as const;
const OPTIONAL = ["q-header-list", "q-url-param-list", "x-cos-security-token"] as const;

/** Reads a query-signed request. Throws `MALFORMED`, `UNSIGNED_PARAMETER`, `UNSIGNED_HEADER` or `AMBIGUOUS_AUTHENTICATION`. */
export function parseCos({ request, wire }: ReceivedRequest): ParsedCos {
  const { own, others } = sortParameters(wire, REQUIRED, OPTIONAL);
  if (hasHeader(request.headers, "authorization")) {
    throw refusal("AMBIGUOUS_AUTHENTICATION", "one signature, found an Authorization header beside a signed query");
  }
  const { "q-sign-time": keyTime, "q-signature": signature, "q-url-param-list": list } = own;
  const headerList = own["q-header-list"];
  // The signature lower-cases the method.
  if (!/^[A-Z]+$/.test(request.method)) throw malformed("method", "case", "upper case");
  if (own["q-sign-algorithm"] !== "sha1") throw malformed("q-sign-algorithm", "algorithm", "sha1");
  if (list === undefined || headerList === undefined) {
    throw malformed(
      "q-url-param-list and q-header-list",
      "missing",
      "parameters, empty where there is nothing to list",
    );
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
      throw refusal("UNSIGNED_PARAMETER", `only signed parameters, found ${JSON.stringify(name)}: leave it out`, {
        parameter: name,
      });
    }
  }
  if (parameters.length < listed.size) throw malformed("q-url-param-list", "form", "the parameters that are there");
}

function readHeaders(request: WireRequest, list: string): readonly Parameter[] {
  const listed = readList("q-header-list", list);
  const received = groupHeaders(request.headers);
  const unsigned = [...received.keys()].find((name) => mustBeSigned(name) && !listed.has(name));
  // Without the host the bucket is open: the URL would fit the same key in every bucket of the key's owner.
  const missing = listed.has("host") ? unsigned : "host";
  if (missing !== undefined) {
    throw refusal("UNSIGNED_HEADER", `host and every x-cos-* header to be signed, found ${missing} unsigned`, {
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
