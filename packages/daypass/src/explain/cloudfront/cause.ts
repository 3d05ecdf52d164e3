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
      sentence: `Key-Pair-Id (${keyId}) is the id of an IAM access key, not of a CloudFront public key.`,
      evidence,
      fix: "Create a key pair, upload the public key to CloudFront, and sign with the private key under the id that CloudFront gives it (K…).",
    };
  }
  if (/Unknown Key/i.test(message)) {
    return {
      code: "UNKNOWN_KEY",
      sentence: "The distribution does not trust the key that Key-Pair-Id names.",
      evidence,
      fix: "Use the id of the public key (K…), add the key to a key group, and the group to the cache behaviour that serves this path.",
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
