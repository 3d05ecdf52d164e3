import type { Subject } from "../explainer.ts";
import type { Cause, Explanation } from "../explanation.ts";
import { methodFix } from "../search/variants.ts";
import { BEHIND_END, BUSY, CORS_FIX, NO_LENGTH } from "./common-error-rules.ts";

/** What other statuses mean than 403, which is that of nearly every refusal. */
const ROWS: readonly (readonly [status: RegExp, code: Cause["code"], sentence: string, fix: string])[] = [
  [
    /^30[1278]$/,
    "ENDPOINT",
    "The server answered with a redirect: a signature is for one host and path, and does not survive one. Usually the bucket is in another region, or http should be https.",
    "Sign for the redirect's target (in the Location header or the body), and send that URL.",
  ],
  [
    /^400$/,
    "SERVER",
    "The server rejects the request as malformed: S3 also answers so to a wrong region, an expired session token, a wrong checksum and two signatures, Cloud Storage to an expired URL.",
    "",
  ],
  [
    /^401$/,
    "SERVER",
    "The server asks for a login, which stores rarely do: Swift does so for a wrong or expired signature, R2 for an unknown key, and a proxy for its own password.",
    "",
  ],
  [
    /^404$/,
    "NOT_FOUND",
    "Nothing was found, for example no such object or bucket: most likely the signature was accepted. Or the wrong server answered.",
    "Check the spelling of the key (encoding, leading slash), the bucket, the version and the host.",
  ],
  [
    /^405$/,
    "METHOD",
    "The server does not allow this method here, whatever is signed.",
    "Send the method that the URL was made for; check that host and path lead to the object.",
  ],
  [/^411$/, ...NO_LENGTH],
  [
    /^(?:409|412)$/,
    "SERVER",
    "The signature was most likely accepted; a condition of the request is not met (If-None-Match, If-Match), or another request is changing the object.",
    "Check whether the object exists already.",
  ],
  [
    /^413$/,
    "PAYLOAD",
    "The body is larger than the server, or a proxy in front of it, accepts.",
    "Upload in parts, or raise the proxy's limit (nginx: client_max_body_size).",
  ],
  [
    /^(?:414|431|494)$/,
    "PROXY",
    "The URL or the headers are longer than the server, or a proxy in front of it, accepts.",
    "Raise its limits (nginx: large_client_header_buffers); a session token alone can make a URL of two thousand characters.",
  ],
  [/^416$/, ...BEHIND_END],
  [/^(?:429|503)$/, ...BUSY],
  [
    /^5/,
    "SERVER",
    "The server failed, or a proxy did not reach it: this says nothing about the URL.",
    "Retry until the URL expires; then check that the server is up and that the proxy can reach it.",
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
  const evidence = [`The server answered ${sent.method} with ${status}, and the response body was not given.`];
  if (status !== 403) {
    const rule = statusRule(status);
    return rule && { ...rule, evidence, fix: `${rule.fix} ${LOOK}`.trim() };
  }
  if (known.method && sent.method === "OPTIONS") {
    const sentence =
      "The bucket's CORS rules do not allow this request from this page: a browser asks with OPTIONS first, and no signature helps.";
    return { code: "CORS", sentence, evidence, fix: CORS_FIX };
  }
  // Of some schemes HEAD goes with whatever was signed.
  if (grants.methods === undefined && binds.includes("method") && known.method && sent.method === "HEAD") {
    const sentence =
      "The URL was sent with HEAD, and was probably signed for GET or PUT: a signature is for one method only.";
    return { code: "METHOD", sentence, evidence, fix: methodFix("GET", sent.method) };
  }
  const names = mustSend.map(({ name }) => name);
  // What was sent is no proof of what was signed: the key would be.
  if (names.length > 0 && known.headers && mustSend.some(({ value }) => value === undefined)) {
    return {
      code: "HEADER",
      sentence: `Most likely the header ${names.join(", ")} was signed with a different value than was sent. Or the URL was signed for another method, or its key lacks the permission: the response body says which.`,
      evidence,
      fix: `Send ${names.join(", ")} with exactly the value that was signed. ${LOOK}`,
    };
  }
  if (names.length > 0 && !known.headers) {
    return {
      code: "HEADER",
      sentence: `Most likely the header ${names.join(", ")}, which is signed, was not sent with the signed value. Or the URL was signed for another method, or its key lacks the permission: the response body says which.`,
      evidence,
      fix: `Send ${names.join(", ")} with exactly the value that was signed. ${LOOK}`,
    };
  }
  return {
    code: "SERVER",
    sentence: "The server refused it with 403, and nothing in the URL shows why: the response body does.",
    evidence,
    fix: LOOK,
  };
}

/** What a status other than 403 means. `undefined` if it refuses nothing or is unknown. */
export function statusRule(status: number | undefined): Omit<Cause, "evidence"> | undefined {
  const [, code, sentence, fix] = ROWS.find(([statuses]) => statuses.test(`${status}`)) ?? [];
  return code === undefined || sentence === undefined ? undefined : { code, sentence, fix: fix ?? "" };
}

const LOOK = "Give explain the response body (see the network tab, or run curl -i with the same method and headers).";
