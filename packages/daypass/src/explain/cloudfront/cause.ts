import type { ServerError } from "../error-body.ts";
import type { Cause } from "../explanation.ts";

/** Source: "Troubleshoot issues related to a signed URL or signed cookies in CloudFront", AWS re:Post. */
export function saidByCloudfront(
  { code, message }: ServerError,
  values?: ReadonlyMap<string, string>,
): Cause | undefined {
  const evidence = [`The server says ${code}${message === "" ? "" : `: ${message}`}`];
  const keyId = values?.get("Key-Pair-Id") ?? "";
  if (/Unknown Key/i.test(message) && /^A[KS]IA/.test(keyId)) {
    return {
      code: "UNKNOWN_KEY",
      sentence: `Key-Pair-Id (${keyId}) is the id of an access key of IAM, and none of CloudFront's.`,
      evidence,
      fix: "Make a key pair, give CloudFront its public key, and sign with the private one under the id that CloudFront gives it (K…).",
    };
  }
  if (/Unknown Key/i.test(message)) {
    return {
      code: "UNKNOWN_KEY",
      sentence: "The distribution does not trust the key that Key-Pair-Id names.",
      evidence,
      fix: "Take the id of the public key (K…), put it into a key group, and the group into the cache behaviour that serves this path.",
    };
  }
  if (/Missing ?Key|^MalformedPolicy|unencode/i.test(`${code} ${message}`)) {
    return {
      code: "MALFORMED",
      sentence: `CloudFront cannot read the signing parameters: they were cut off, renamed or encoded again${values === undefined || values.has("Key-Pair-Id") ? "" : "; the URL has no Key-Pair-Id"}.`,
      evidence,
      fix: "Pass the URL on byte for byte as it was made; quote it in a shell. Set all cookies for the host and path that is asked for.",
    };
  }
  return undefined;
}
