import { DaypassError } from "../core/errors.ts";
import type { SplitUrl } from "./explainer.ts";

// In these names upper and lower case are mixed, or one of them is all there is.
const NAMES = [
  "X-Amz-Signature",
  "X-Goog-Signature",
  "AWSAccessKeyId",
  "GoogleAccessId",
  "OSSAccessKeyId",
  "Key-Pair-Id",
];

// What is left of a URL whose last parameter, the signature, was cut off.
const CUT_OFF: readonly (readonly [rest: RegExp, missing: string])[] = [
  [/(?:^|&)x-oss-(?:credential|date|expires)=/, "x-oss-signature"],
  [/(?:^|&)sv=\d{4}-\d\d-\d\d(?:&|$)/, "sig"],
  [/(?:^|&)(?:KeyName|Policy|URLPrefix|Expires)=/, "Signature"],
  [/(?:^|&)dp-[a-z0-9]+=/, "dp-signature"],
];

/** A URL that opens something where its token is there, and has none. */
interface Foreign {
  readonly host?: RegExp;
  readonly path: RegExp;
  readonly says: string;
}

const FOREIGN: readonly Foreign[] = [
  {
    path: /^\/(?:storage\/v1\/)?(?:object\/(?:upload\/)?sign|render\/image\/sign)\//,
    says: "a signed URL of Supabase Storage with its token, found none: the query was cut off, or the library handed out the path alone. Take the whole URL",
  },
  {
    host: /^firebasestorage\.googleapis\.com$/,
    path: /^\/v0\/b\//,
    says: "a signed URL, found Firebase's address of an object without its download token: what it opens, the bucket's rules tell. The token stands in the object's metadata (firebaseStorageDownloadTokens)",
  },
];

/** The refusal of a URL in which no scheme finds its signature: what is missing, or whose it is. */
export function notSigned(url: SplitUrl): DaypassError {
  const { query } = url.wire;
  const foreign = foreignUrl(url);
  if (foreign !== undefined) return new DaypassError("NO_SIGNATURE", `expected ${foreign}`);
  const [rest, missing] = CUT_OFF.find(([pattern]) => pattern.test(query)) ?? [];
  if (rest !== undefined) {
    return new DaypassError(
      "NO_SIGNATURE",
      `expected ${missing} beside the other parameters of a signature, found none: the URL was cut off, as a shell does at & where it is not quoted. Take the whole URL`,
    );
  }
  const name = NAMES.find((known) => new RegExp(`(?:^|&)${known}=`, "i").test(query));
  if (name !== undefined) {
    return new DaypassError(
      "NO_SIGNATURE",
      `expected ${name} in this case, found it in another: upper and lower case count in a signed URL, and something has changed them. Take the URL as it was made`,
    );
  }
  return new DaypassError(
    "NO_SIGNATURE",
    "expected the parameters of a presigned URL (X-Amz-…, X-Goog-…, AWSAccessKeyId, GoogleAccessId, sv and sig, x-oss-…, OSSAccessKeyId, q-ak, temp_url_sig, Key-Pair-Id, dp-…) or the token of an edge (URISigningPackage, md5, token, verify, hmac=, KeyName, s, signature, _hash; with other names only by its key), found none: quote the URL in a shell, where & would cut it off",
  );
}

/** What a URL is that no explainer knows, as the end of a refusal. */
function foreignUrl(url: SplitUrl): string | undefined {
  const host = url.authority.replace(/:\d+$/, "").toLowerCase();
  return FOREIGN.find(({ host: hosts = /^/, path }) => hosts.test(host) && path.test(url.wire.path))?.says;
}
