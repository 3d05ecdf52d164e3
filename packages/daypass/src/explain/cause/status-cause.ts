import type { Subject } from "../explainer.ts";
import type { Cause, Explanation } from "../explanation.ts";
import { methodFix } from "../search/variants.ts";
import { CORS_FIX } from "./common-words.ts";

/**
 * What a bare 403 means, of which nobody has the body: a HEAD has none, and a browser hides it from a page. `undefined` for other
 * statuses, and where the URL tells what it is for.
 */
export function statusCause(
  { grants, binds, mustSend }: Explanation,
  { known, sent }: Pick<Subject, "known" | "sent">,
  status: number | undefined,
): Cause | undefined {
  if (status !== 403) return undefined;
  const evidence = [`The server answered ${sent.method} with 403, and its body is not at hand.`];
  if (known.method && sent.method === "OPTIONS") {
    const sentence =
      "The bucket's CORS rules do not let this page do this: a browser asks with OPTIONS before it sends the request, and no signature helps.";
    return { code: "CORS", sentence, evidence, fix: CORS_FIX };
  }
  // Of some schemes HEAD goes with whatever was signed.
  if (grants.methods === undefined && binds.includes("method") && known.method && sent.method === "HEAD") {
    const sentence =
      "The URL was sent with HEAD, and was probably signed for GET or PUT: one method is signed, and no other.";
    return { code: "METHOD", sentence, evidence, fix: methodFix("GET", sent.method) };
  }
  const names = known.headers ? [] : mustSend.map(({ name }) => name);
  if (names.length > 0) {
    return {
      code: "HEADER",
      sentence: `Most likely the header ${names.join(", ")}, which the URL was signed with, was not sent with the value that was signed. Or the URL was signed for another method, or its key may not do this: the body of the answer tells.`,
      evidence,
      fix: `Send ${names.join(", ")} with exactly the value that was signed. ${LOOK}`,
    };
  }
  return {
    code: "SERVER",
    sentence: "The server refused it with 403, and nothing in the URL shows why: the body of its answer does.",
    evidence,
    fix: LOOK,
  };
}

const LOOK =
  "Give the body of the answer to explain (the network tab shows it, or curl -i with the same method and headers).";
