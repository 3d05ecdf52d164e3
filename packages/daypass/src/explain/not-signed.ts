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
  const known = missing !== undefined ? `the URL has no ${missing}, because its end was cut off. ${QUOTE}` : ANY;
  const cased = `${name} is in another case, which counts in a signed URL. Take the URL as it was made`;
  return new DaypassError("NO_SIGNATURE", missing === undefined && name !== undefined ? cased : known);
}

const QUOTE = "Take the whole URL, and quote it in a shell, which cuts it at &";
const ANY = `the URL has no signature of a known scheme. ${QUOTE}. A token with names of your own needs its key`;
