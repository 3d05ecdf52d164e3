import { invalidInput } from "../../core/errors.ts";
import { type CanonicalParts, canonicalQuery, type EncodedPair } from "../../core/v4.ts";
import { uriEncode, uriEncodePath } from "../../wire/encoding.ts";
import type { BucketEndpoint } from "./endpoint.ts";
import { checkCall, collectHeaders, collectQuery, type S3SignRequest } from "./request.ts";
import { payloadLine, signHeaders, UNBOUND, UNBOUND_HEADERS } from "./sign.ts";

/** A request that is signed in its query, by whatever algorithm, up to the signature. */
export interface QueryCall {
  readonly canonical: CanonicalParts;
  /** What the result tells of it. */
  readonly facts: {
    readonly method: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly bound: readonly string[];
    readonly unbound: readonly string[];
  };
  url(signature: string): string;
}

/**
 * Checks a request and writes it down in canonical form. The dialects that are rarer than SigV4 share it; `s3Signer` has the
 * same steps with what can be computed once kept between them.
 *
 * @param own the signature's own parameters, not encoded, but for `X-Amz-SignedHeaders`
 */
export function queryCall(
  request: S3SignRequest,
  { origin, host, path: base }: Pick<BucketEndpoint, "origin" | "host" | "path">,
  own: Readonly<Record<string, string>>,
): QueryCall {
  const { key } = request;
  const method = checkCall(request);
  const headers = collectHeaders(request);
  const { signedHeaders, text, bound } = signHeaders(host, headers);
  const extra = collectQuery(request);
  const ownPairs = Object.entries({ ...own, "X-Amz-SignedHeaders": signedHeaders }).map(
    ([name, value]): EncodedPair => [name, uriEncode(value)],
  );
  const reserved = new Set(Object.keys(own).map((name) => name.toLowerCase()));
  const taken = extra.find(([name]) => reserved.has(name.toLowerCase()))?.[0];
  if (taken !== undefined) throw invalidInput(`query.${taken}`, "text, not the signer's", "another");
  const query = canonicalQuery([...ownPairs, ...extra]);
  const path = key === undefined ? base || "/" : `${base}/${uriEncodePath(key)}`;
  const payload = payloadLine(headers, extra);
  return {
    canonical: { method, path, query, headers: text, signedHeaders, payload },
    facts: { method, headers, bound, unbound: payload.length === 64 ? UNBOUND_HEADERS : UNBOUND },
    url: (signature) => `${origin}${path}?${query}&X-Amz-Signature=${signature}`,
  };
}
