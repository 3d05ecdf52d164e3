import { isSubResource } from "../../schemes/s3/v2/canonical.ts";
import type { Subject } from "../explainer.ts";
import type { Cause } from "../explanation.ts";
import { readParameters } from "../parameters.ts";
import { isTracking } from "../search/added-parameters.ts";

/**
 * Parameters that came after signing, as a rule: nobody signs what trackers add.
 *
 * @param others what else may be the cause, behind "was signed"
 * @param notSigned parameters that are not signed, by the scheme's own rules
 */
export function addedCause(
  { sentUrl }: Subject,
  others: readonly string[],
  notSigned: readonly string[] = [],
): Cause | undefined {
  const parameters = readParameters(sentUrl)
    .map(([name]) => name)
    .filter((name) => SIGNATURE.test(name) || !notSigned.includes(name));
  const names = parameters.filter(isTracking);
  if (names.length === 0) return appendedCause(parameters, others);
  return {
    code: "QUERY",
    sentence: `Most likely ${names.join(", ")} was added after signing, as mail and ad trackers do. Or the URL was signed ${others.join(", or ")}: without the key, explain cannot tell which.`,
    evidence: ["The signature covers all query parameters."],
    fix: "Let nothing add to signed URLs (such as a newsletter's click tracking), and send the URL as it was made. With the key, explain can tell for certain.",
  };
}

/** What stands in a signed URL by the stores' own rules, behind a signature, too: signers sort. */
const OF_STORES =
  /^(?:x-(?:amz|goog|oss)-.+|x-id|response-.+|generation|userProject|prefix|delimiter|start-after|attributes|retention|legal-hold|select|encoding-type|fetch-owner|.+-type|max-.+|(?:.+-)?marker|.+-token)$/i;
const SIGNATURE = /^(?:X-Amz-Signature|X-Goog-Signature|x-oss-signature)$/;
const TOKEN = "X-Amz-Security-Token";

/** What stands at the end, behind the signature and all that signers write: they put theirs in front of it, or all in order. */
function appendedCause(names: readonly string[], others: readonly string[]): Cause | undefined {
  const signature = names.findIndex((name) => SIGNATURE.test(name));
  const behind = names.slice(signature + 1);
  if (signature < 0 || isSorted(names)) return undefined;
  const isToken = behind.at(-1) === TOKEN;
  const last = behind.findLastIndex((name) => OF_STORES.test(name) || isSubResource(name));
  const appended = isToken ? [TOKEN] : behind.slice(last + 1);
  if (appended.length === 0) return undefined;
  return {
    code: isToken ? "TOKEN_AFTER_SIGNING" : "QUERY",
    sentence: `Most likely ${appended.join(", ")} was added after signing: it follows the signature. Or the URL was signed ${others.join(", or ")}: without the key, explain cannot tell which.`,
    evidence: ["The signature covers all query parameters."],
    fix: isToken
      ? "Give the signer the session token with the key: it is signed, too."
      : "Put everything into the request before it is signed, and add nothing to the URL. With the key, explain can tell for certain.",
  };
}

/** As AWS's SDK for JavaScript writes them, whose signature stands in front of what it has signed. */
function isSorted(names: readonly string[]): boolean {
  return names.every((name, at) => at === 0 || (names[at - 1] ?? "") <= name);
}
