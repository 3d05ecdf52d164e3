import type { Subject } from "../explainer.ts";
import type { Cause, Explanation } from "../explanation.ts";
import { methodFix } from "../search/variants.ts";
import { BEHIND_END, BUSY, CORS_FIX, NO_LENGTH } from "./common-words.ts";

/** What other statuses mean than 403, which is that of nearly every refusal. */
const ROWS: readonly (readonly [status: RegExp, code: Cause["code"], sentence: string, fix: string])[] = [
  [
    /^30[1278]$/,
    "ENDPOINT",
    "The server answered with a redirect: a signature is for one host and path, and does not go with it. As a rule the bucket lives in another region, or http was to be https.",
    "Sign for the place where it leads (its header Location, or the body, tells), and send that URL.",
  ],
  [
    /^400$/,
    "SERVER",
    "The server cannot read the request, or a part of it: S3 says so of another region, a session token that has ended, a checksum that does not fit and two signatures, Cloud Storage of an end that has passed.",
    "",
  ],
  [
    /^401$/,
    "SERVER",
    "The server asks for a login, which stores seldom do: Swift says so of a signature that does not fit or has ended, R2 of a key that it does not know, and a proxy of its own password.",
    "",
  ],
  [
    /^404$/,
    "NOT_FOUND",
    "Nothing is there, no such object or bucket for one: most likely the signature was accepted. Or another server answered than was meant.",
    "Look at the key's spelling (encoding, leading slash), the bucket, the version and the host.",
  ],
  [
    /^405$/,
    "METHOD",
    "The server takes no such method at this place, whatever is signed.",
    "Send the method that the URL was made for; look whether host and path lead to the object.",
  ],
  [/^411$/, ...NO_LENGTH],
  [
    /^(?:409|412)$/,
    "SERVER",
    "The signature was accepted, as a rule; a condition of the request is not met (If-None-Match, If-Match), or another request is at work on the object.",
    "Look whether the object is there already.",
  ],
  [
    /^413$/,
    "PAYLOAD",
    "The body is longer than the server, or a proxy in front of it, takes.",
    "Upload in parts, or raise the proxy's limit (nginx: client_max_body_size).",
  ],
  [
    /^(?:414|431|494)$/,
    "PROXY",
    "The URL or the headers are longer than the server, or a proxy in front of it, takes.",
    "Raise its limits (nginx: large_client_header_buffers); a session token alone can make a URL of two thousand characters.",
  ],
  [/^416$/, ...BEHIND_END],
  [/^(?:429|503)$/, ...BUSY],
  [
    /^5/,
    "SERVER",
    "The server failed, or a proxy did not reach it: it says nothing of the URL.",
    "Send it again, as long as the URL lives; then look whether the server is up, and whether the proxy reaches it.",
  ],
];

/**
 * What a bare status means, of which nobody has the body: a HEAD has none, and a browser hides it from a page. `undefined` for one that
 * refuses nothing or that is not known, and where the URL tells what it is for.
 */
export function statusCause(
  { grants, binds, mustSend }: Explanation,
  { known, sent }: Pick<Subject, "known" | "sent">,
  status: number | undefined,
): Cause | undefined {
  if (status !== 403) return otherStatus(sent.method, status);
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
  const names = mustSend.map(({ name }) => name);
  // What was sent is no proof of what was signed: the key would be.
  if (names.length > 0 && known.headers && mustSend.some(({ value }) => value === undefined)) {
    return {
      code: "HEADER",
      sentence: `Most likely the header ${names.join(", ")} was signed with another value than was sent. Or the URL was signed for another method, or its key may not do this: the body of the answer tells.`,
      evidence,
      fix: `Send ${names.join(", ")} with exactly the value that was signed. ${LOOK}`,
    };
  }
  if (names.length > 0 && !known.headers) {
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

function otherStatus(method: string, status: number | undefined): Cause | undefined {
  const [, code, sentence, fix] = ROWS.find(([statuses]) => statuses.test(`${status}`)) ?? [];
  if (code === undefined || sentence === undefined) return undefined;
  const evidence = [`The server answered ${method} with ${status}, and its body is not at hand.`];
  return { code, sentence, evidence, fix: `${fix} ${LOOK}`.trim() };
}

const LOOK =
  "Give the body of the answer to explain (the network tab shows it, or curl -i with the same method and headers).";
