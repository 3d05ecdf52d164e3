import type { S3Wish } from "../random/requests.ts";
import { amzDate, encodeBytes, type SigV4Input, sigV4 } from "../sigv4.ts";
import type { UrlParts } from "../url-parts.ts";

/** A published client that presigns S3 requests. */
export interface Oracle {
  readonly name: string;
  readonly version: string;
  /** Removes the options that the client does not have. */
  narrow(wish: S3Wish): S3Wish;
  sign(wish: S3Wish): Promise<string>;
  /** Parameters that the client adds unasked: read from its URL and passed to the other clients too. */
  readonly adds?: readonly string[];
  /** Where the client is known to be wrong. Each is exact: the test predicts the very bytes that the client makes. */
  readonly deviations: readonly Deviation[];
}

export interface Deviation {
  /** The class of inputs, as the table of deviations names it. */
  readonly name: string;
  applies(wish: S3Wish, draft: Draft): boolean;
  /** Turns what is right into what the client makes of it. */
  instead(draft: Draft): Draft;
}

/** A URL before it is signed: what is sent, and what is signed. They agree, unless a client is wrong. */
export interface Draft {
  readonly origin: string;
  readonly path: string;
  readonly tokens: readonly string[];
  readonly signed: SigV4Input;
}

/** What AWS's rules make of a wish. */
export function draft(wish: S3Wish, added: readonly (readonly [string, string])[]): Draft {
  const { protocol, host } = wishedUrl(wish);
  const time = amzDate(wish.signedAt);
  const headers = { ...wish.headers, host };
  const path = wishedPath(wish);
  const query: readonly (readonly [string, string])[] = [
    ...wish.query,
    ...added,
    ["X-Amz-Algorithm", "AWS4-HMAC-SHA256"],
    ["X-Amz-Credential", `${wish.credentials.accessKeyId}/${time.slice(0, 8)}/${wish.region}/s3/aws4_request`],
    ["X-Amz-Date", time],
    ["X-Amz-Expires", String(wish.expiresIn)],
    ["X-Amz-SignedHeaders", Object.keys(headers).sort().join(";")],
    ...(wish.credentials.sessionToken === undefined
      ? []
      : [["X-Amz-Security-Token", wish.credentials.sessionToken] as const]),
  ];
  return {
    origin: `${protocol}//${host}`,
    path: encodeBytes(path, "/"),
    tokens: query.map(([name, value]) => `${encodeBytes(name)}=${encodeBytes(value)}`),
    signed: {
      method: wish.method,
      path,
      query,
      headers,
      payload: wish.headers["x-amz-content-sha256"] ?? "UNSIGNED-PAYLOAD",
      secretAccessKey: wish.credentials.secretAccessKey,
      region: wish.region,
      signedAt: wish.signedAt,
    },
  };
}

export function finish({ origin, path, tokens, signed }: Draft): UrlParts {
  return { origin, path, tokens: [...tokens].sort(), signature: sigV4(signed) };
}

/** Protocol and host of the URL. */
export function wishedUrl({ endpoint, addressing, bucket }: S3Wish): {
  readonly protocol: string;
  readonly host: string;
} {
  const [protocol = "", authority = ""] = endpoint.split("//");
  return { protocol, host: addressing === "virtual" ? `${bucket}.${authority}` : authority };
}

/** The decoded path. */
export function wishedPath({ addressing, bucket, key }: S3Wish): string {
  if (addressing === "virtual") return `/${key ?? ""}`;
  return key === undefined ? `/${bucket}` : `/${bucket}/${key}`;
}

/** URL to be signed by a client that is given URLs: the key encoded as its documentation asks. */
export function unsignedUrl(wish: S3Wish): string {
  const { protocol, host } = wishedUrl(wish);
  const query = wish.query.map(([name, value]) => `${encodeBytes(name)}=${encodeBytes(value)}`).join("&");
  return `${protocol}//${host}${encodeBytes(wishedPath(wish), "/")}${query === "" ? "" : `?${query}`}`;
}

/** Parameters as an object, repeats as a list. Without a prototype, as `__proto__` is a name like any other. */
/** What a signer of S3 needs to know of the target: a key, or that the URL is for the whole bucket. */
export function targetOf(key: string | undefined): { key: string } | { resource: "bucket" } {
  return key === undefined ? { resource: "bucket" } : { key };
}

export function queryObject(query: S3Wish["query"]): Record<string, string | string[]> {
  const object: Record<string, string | string[]> = Object.create(null);
  for (const [name, value] of query) {
    const before = object[name];
    object[name] = before === undefined ? value : [before, value].flat();
  }
  return object;
}

/** A client that collects parameters in a plain object: assigning to `__proto__` adds no member. */
export const protoUnsigned: Deviation = {
  name: "a parameter called `__proto__`: sent, but not signed",
  applies: (_, { signed }) => signed.query.some(([name]) => name === "__proto__"),
  instead: (draft) => ({ ...draft, signed: { ...draft.signed, query: draft.signed.query.filter(isOther) } }),
};

/** The same, one step earlier. */
export const protoLost: Deviation = {
  ...protoUnsigned,
  name: "a parameter called `__proto__`: neither sent nor signed",
  instead: (draft) => ({
    ...protoUnsigned.instead(draft),
    tokens: draft.tokens.filter((token) => !token.startsWith("__proto__=")),
  }),
};

function isOther([name]: readonly [string, string]): boolean {
  return name !== "__proto__";
}

/** Only the first value of a repeated name. */
export function firstOfEach(query: SigV4Input["query"]): SigV4Input["query"] {
  return query.filter(([name], index) => query.findIndex(([other]) => other === name) === index);
}
