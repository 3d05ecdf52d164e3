import { DaypassError } from "../core/errors.ts";
import type { SplitUrl } from "./explainer.ts";

// Names whose case matters.
const NAMES = [
  "X-Amz-Signature",
  "X-Goog-Signature",
  "AWSAccessKeyId",
  "GoogleAccessId",
  "OSSAccessKeyId",
  "Key-Pair-Id",
];

// Rests of URLs whose last parameter, the signature, was cut off.
const CUT_OFF: readonly (readonly [rest: RegExp, missing: string])[] = [
  [/(?:^|&)x-oss-(?:credential|date|expires)=/, "x-oss-signature"],
  [/(?:^|&)sv=\d{4}-\d\d-\d\d(?:&|$)/, "sig"],
  [/(?:^|&)(?:KeyName|Policy|URLPrefix|Expires)=/, "Signature"],
  [/(?:^|&)dp-[a-z0-9]+=/, "dp-signature"],
];

/** The error for a URL in which no scheme finds its signature. */
export function notSigned({ wire: { query } }: SplitUrl): DaypassError {
  const [, missing] = CUT_OFF.find(([rest]) => rest.test(query)) ?? [];
  const name = NAMES.find((known) => new RegExp(`(?:^|&)${known}=`, "i").test(query));
  const known =
    missing !== undefined
      ? `${missing} beside the other parameters of a signature, found none: the URL was cut off, as a shell does at & where it is not quoted. Take the whole URL`
      : `${name} in this case, found it in another: upper and lower case count in a signed URL, and something has changed them. Take the URL as it was made`;
  return new DaypassError("NO_SIGNATURE", `expected ${missing === undefined && name === undefined ? ANY : known}`);
}

const ANY =
  "the parameters of a presigned URL (X-Amz-…, X-Goog-…, AWSAccessKeyId, GoogleAccessId, sv and sig, x-oss-…, OSSAccessKeyId, q-ak, temp_url_sig, Key-Pair-Id, dp-…) or the token of an edge (URISigningPackage, md5, token, verify, hmac=, KeyName, s, signature, _hash; with other names only by its key), found none: quote the URL in a shell, where & would cut it off";
