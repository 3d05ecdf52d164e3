import { causeOf } from "../cause/combine-causes.ts";
import type { ServerError } from "../error-body.ts";
import type { Cause } from "../explanation.ts";

/** Source: "Troubleshoot issues related to a signed URL or signed cookies in CloudFront", AWS re:Post. */
export function saidByCloudfront(
  { code, message }: ServerError,
  values?: ReadonlyMap<string, string>,
): Cause | undefined {
  const evidence = `The server says ${code}${message === "" ? "" : `: ${message}`}`;
  const keyId = values?.get("Key-Pair-Id") ?? "";
  if (/Unknown Key/i.test(message)) {
    return /^A[KS]IA/.test(keyId)
      ? causeOf(
          "UNKNOWN_KEY",
          `Key-Pair-Id (${keyId}) is the id of an IAM access key, not of a CloudFront public key.`,
          "Create a key pair, upload the public key to CloudFront, and sign with the private key under the id that CloudFront gives it (K…).",
          evidence,
        )
      : causeOf(
          "UNKNOWN_KEY",
          "The distribution does not trust the key that Key-Pair-Id names.",
          "Use the id of the public key (K…), add the key to a key group, and the group to the cache behaviour that serves this path.",
          evidence,
        );
  }
  if (!/Missing ?Key|^MalformedPolicy|unencode/i.test(`${code} ${message}`)) return undefined;
  const lacks = values === undefined || values.has("Key-Pair-Id") ? "" : "; the URL has no Key-Pair-Id";
  return causeOf(
    "MALFORMED",
    `CloudFront cannot read the signing parameters: they were cut off, renamed or encoded again${lacks}.`,
    "Pass the URL on byte for byte as it was made; quote it in a shell. Set all cookies for the host and path that is asked for.",
    evidence,
  );
}
