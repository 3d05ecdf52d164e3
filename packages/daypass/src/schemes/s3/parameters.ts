import { AWS4 } from "../../core/v4.ts";
import { malformed } from "../../wire/parameters.ts";
import { formDecode, percentDecode, type QueryToken, type WireTarget } from "../../wire/raw-target.ts";

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
  /** The canonical query, where the wire has it in one piece and the credential is in canonical spelling. */
  readonly canonicalQuery: string | undefined;
}

const NO_OTHERS: S3Parameters["others"] = [];
const START = `X-Amz-Algorithm=${AWS4.algorithm}&X-Amz-Credential=`;
const DATE = "&X-Amz-Date=";
const EXPIRES = "&X-Amz-Expires=";
const END = "&X-Amz-SignedHeaders=host&X-Amz-Signature=";

/** Reads the query, strictly: every parameter of the signature once, in its documented spelling. Throws `MALFORMED`. */
export function readParameters(wire: WireTarget): S3Parameters {
  return readPlain(wire.query) ?? readTokens(wire.tokens);
}

// Nearly all requests of a day begin alike, and most URLs of a service live equally long: two comparisons in place of six.
let lastStart = { text: "none", credential: "" };
let lastLife = { text: "none", expires: "" };

/**
 * The usual spelling, which is what `s3Query` makes where there are no further parameters, is cut at fixed places: a fifth of
 * the time of the loop below, which reads it to the same values. What stands between the cuts is checked where it is used.
 */
function readPlain(query: string): S3Parameters | undefined {
  if (query.slice(0, lastStart.text.length) !== lastStart.text) {
    const text = query.slice(0, query.indexOf("&", START.length) + DATE.length);
    if (!text.startsWith(START) || !text.endsWith(DATE)) return undefined;
    lastStart = { text, credential: text.slice(START.length, -DATE.length) };
  }
  const time = lastStart.text.length;
  const signature = query.length - 64;
  const life = query.slice(time + 16, signature);
  if (life !== lastLife.text) {
    const expires = life.slice(EXPIRES.length, -END.length);
    if (life !== EXPIRES + expires + END || expires.includes("&")) return undefined;
    lastLife = { text: life, expires };
  }
  return {
    credential: lastStart.credential,
    time: query.slice(time, time + 16),
    expires: lastLife.expires,
    signedHeaders: "host",
    signature: query.slice(signature),
    sessionToken: undefined,
    contentSha256: undefined,
    others: NO_OTHERS,
    canonicalQuery: query.slice(0, signature - "&X-Amz-Signature=".length),
  };
}

const REQUIRED = ["Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature"] as const;
const OWN: readonly string[] = [...REQUIRED, "Security-Token", "Content-Sha256"].map((name) => `X-Amz-${name}`);

function readTokens(tokens: readonly QueryToken[]): S3Parameters {
  const own = new Map<string, string>();
  const others: (readonly [string, string])[] = [];
  for (const { name, value = "" } of tokens) {
    if (!OWN.includes(name)) others.push(otherParameter(name, value));
    else if (own.has(name)) throw malformed(name, "duplicate", "one parameter");
    else own.set(name, value);
  }
  for (const name of OWN.slice(0, REQUIRED.length))
    if (!own.has(name)) throw malformed(name, "missing", "one of six parameters");
  const value = (name: string): string => own.get(`X-Amz-${name}`) as string;
  const optional = (name: string): string | undefined =>
    own.has(`X-Amz-${name}`) ? formDecode(value(name)) : undefined;
  if (value("Algorithm") !== AWS4.algorithm) throw malformed("X-Amz-Algorithm", "algorithm", AWS4.algorithm);
  return {
    credential: value("Credential"),
    time: value("Date"),
    expires: value("Expires"),
    signedHeaders: percentDecode(value("SignedHeaders")),
    signature: value("Signature"),
    sessionToken: optional("Security-Token"),
    contentSha256: optional("Content-Sha256"),
    others,
    canonicalQuery: undefined,
  };
}

// `x-amz-expires` or `X%2DAmz-Expires` beside `X-Amz-Expires` is one more parameter for SigV4, but nobody means it.
function otherParameter(name: string, value: string): readonly [string, string] {
  const decoded = formDecode(name);
  const lower = decoded.toLowerCase();
  if (OWN.some((own) => own.toLowerCase() === lower)) {
    throw malformed(decoded, "spelling", "its documented spelling");
  }
  return [decoded, formDecode(value)];
}
