import { AWS4 } from "../v4.ts";
import { formDecode, percentDecode, type QueryToken, type WireTarget } from "../wire.ts";
import { malformed } from "./malformed.ts";

/** The parameters of a query-signed request. Which values they have is checked by form, not by meaning. */
export interface S3Parameters {
  /** As on the wire. */
  readonly credential: string;
  readonly time: string;
  readonly expires: string;
  /** Decoded. */
  readonly signedHeaders: string;
  readonly signature: string;
  readonly sessionToken: string | undefined;
  readonly contentSha256: string | undefined;
  /** What is not part of the signature's own, decoded, in wire order. */
  readonly others: readonly (readonly [name: string, value: string])[];
  /** The canonical query, where the wire has it in one piece. */
  readonly canonicalQuery: string | undefined;
}

// The query of nearly every URL without further parameters: what `s3Query` makes of them, and the signature.
const PLAIN =
  /^X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=([\w\-.~]+(?:%2F[\w\-.~]+)+)&X-Amz-Date=(\d{8}T\d{6}Z)&X-Amz-Expires=(\d+)&X-Amz-SignedHeaders=host&X-Amz-Signature=([0-9a-f]{64})$/;
const SIGNATURE_TOKEN = "&X-Amz-Signature=".length + 64;
const NO_OTHERS: S3Parameters["others"] = [];

/** Reads the query, strictly: every parameter of the signature once, in its documented spelling. Throws `MALFORMED`. */
export function readParameters(wire: WireTarget): S3Parameters {
  // One expression reads the usual spelling five times as fast as the loop below, which reads it to the same values.
  const plain = PLAIN.exec(wire.query);
  if (plain === null) return readTokens(wire.tokens);
  return {
    credential: plain[1] as string,
    time: plain[2] as string,
    expires: plain[3] as string,
    signedHeaders: "host",
    signature: plain[4] as string,
    sessionToken: undefined,
    contentSha256: undefined,
    others: NO_OTHERS,
    canonicalQuery: wire.query.slice(0, -SIGNATURE_TOKEN),
  };
}

const OWN_NAMES = [
  "X-Amz-Algorithm",
  "X-Amz-Credential",
  "X-Amz-Date",
  "X-Amz-Expires",
  "X-Amz-SignedHeaders",
  "X-Amz-Signature",
  "X-Amz-Security-Token",
  "X-Amz-Content-Sha256",
] as const;
type OwnName = (typeof OWN_NAMES)[number];
const OWN: ReadonlySet<string> = new Set(OWN_NAMES);
const LOWER_NAMES: ReadonlySet<string> = new Set(OWN_NAMES.map((name) => name.toLowerCase()));

function readTokens(tokens: readonly QueryToken[]): S3Parameters {
  const own = new Map<string, string>();
  const others: (readonly [string, string])[] = [];
  for (const { name, value = "" } of tokens) {
    if (!OWN.has(name)) {
      others.push(otherParameter(name, value));
    } else if (own.has(name)) {
      throw malformed(name, "duplicate", "expected the parameter once, found it again");
    } else {
      own.set(name, value);
    }
  }
  const required = (name: OwnName): string => {
    const value = own.get(name);
    if (value !== undefined) return value;
    throw malformed(name, "missing", "expected all six parameters of a presigned URL, this one is not there");
  };
  const optional = (name: OwnName): string | undefined => {
    const value = own.get(name);
    return value === undefined ? undefined : formDecode(value);
  };
  const algorithm = required("X-Amz-Algorithm");
  const parameters = {
    credential: required("X-Amz-Credential"),
    time: required("X-Amz-Date"),
    expires: required("X-Amz-Expires"),
    signedHeaders: percentDecode(required("X-Amz-SignedHeaders")),
    signature: required("X-Amz-Signature"),
    sessionToken: optional("X-Amz-Security-Token"),
    contentSha256: optional("X-Amz-Content-Sha256"),
    others,
    canonicalQuery: undefined,
  };
  if (algorithm !== AWS4.algorithm) throw malformed("X-Amz-Algorithm", "algorithm", `expected ${AWS4.algorithm}`);
  if (!/^[0-9a-f]{64}$/.test(parameters.signature)) {
    throw malformed("X-Amz-Signature", "form", "expected 64 lower-case hexadecimal digits");
  }
  return parameters;
}

// `x-amz-expires` or `X%2DAmz-Expires` beside `X-Amz-Expires` is one more parameter for SigV4, but nobody means it.
function otherParameter(name: string, value: string): readonly [string, string] {
  const decoded = formDecode(name);
  if (LOWER_NAMES.has(decoded.toLowerCase())) {
    throw malformed(decoded, "spelling", "expected the parameter in its documented spelling");
  }
  return [decoded, formDecode(value)];
}
