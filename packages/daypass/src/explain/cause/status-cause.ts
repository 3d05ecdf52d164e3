import type { Explained, Subject } from "../explainer.ts";
import type { Cause } from "../explanation.ts";
import type { AnswerRule } from "./answer-rules.ts";
import { causeOf, guess } from "./combine-causes.ts";
import { BEHIND_END, BUSY, CORS_FIX, NO_LENGTH } from "./server-rules.ts";
import { headerCause, wrongMethod } from "./undecided.ts";

type StatusRule = Omit<AnswerRule, "code" | "says"> & { readonly status: RegExp };

/** Statuses other than 403, with which stores refuse nearly everything. */
const STATUS_RULES: readonly StatusRule[] = [
  {
    status: /^30[1278]$/,
    cause: "ENDPOINT",
    sentence:
      "The server answered with a redirect: a signature is for one host and path, and does not survive one. Usually the bucket is in another region, or http should be https.",
    fix: "Sign for the redirect's target (in the Location header or the body), and send that URL.",
  },
  {
    status: /^400$/,
    cause: "SERVER",
    sentence:
      "The server rejects the request as malformed: S3 also answers so to a wrong region, an expired session token, a wrong checksum and two signatures, Cloud Storage to an expired URL.",
    fix: "",
  },
  {
    status: /^401$/,
    cause: "SERVER",
    sentence:
      "The server asks for a login, which stores rarely do: Swift does so for a wrong or expired signature, R2 for an unknown key, and a proxy for its own password.",
    fix: "",
  },
  {
    status: /^404$/,
    cause: "NOT_FOUND",
    sentence:
      "Nothing was found, for example no such object or bucket: most likely the signature was accepted. Or the wrong server answered.",
    fix: "Check the spelling of the key (encoding, leading slash), the bucket, the version and the host.",
  },
  {
    status: /^405$/,
    cause: "METHOD",
    sentence: "The server does not allow this method here, whatever is signed.",
    fix: "Send the method that the URL was made for; check that host and path lead to the object.",
  },
  { status: /^411$/, ...NO_LENGTH },
  {
    status: /^(?:409|412)$/,
    cause: "SERVER",
    sentence:
      "The signature was most likely accepted; a condition of the request is not met (If-None-Match, If-Match), or another request is changing the object.",
    fix: "Check whether the object exists already.",
  },
  {
    status: /^413$/,
    cause: "PAYLOAD",
    sentence: "The body is larger than the server, or a proxy in front of it, accepts.",
    fix: "Upload in parts, or raise the proxy's limit (nginx: client_max_body_size).",
  },
  {
    status: /^(?:414|431|494)$/,
    cause: "PROXY",
    sentence: "The URL or the headers are longer than the server, or a proxy in front of it, accepts.",
    fix: "Raise its limits (nginx: large_client_header_buffers); a session token alone can make a URL of two thousand characters.",
  },
  { status: /^416$/, ...BEHIND_END },
  { status: /^(?:429|503)$/, ...BUSY },
  {
    status: /^5/,
    cause: "SERVER",
    sentence: "The server failed, or a proxy did not reach it: this says nothing about the URL.",
    fix: "Retry until the URL expires; then check that the server is up and that the proxy can reach it.",
  },
];

/** The meaning of a status other than 403. `undefined` for a success and for unknown statuses. */
export function statusRule(status: number | undefined): Omit<Cause, "evidence"> | undefined {
  const rule = STATUS_RULES.find((one) => one.status.test(`${status}`));
  return rule && { code: rule.cause, sentence: rule.sentence, fix: rule.fix };
}

const LOOK = "Give explain the response body (see the network tab, or run curl -i with the same method and headers).";

/**
 * The meaning of a status whose body is unknown: a HEAD has none, and a browser hides it from a page. `undefined` for a
 * success and for unknown statuses.
 */
export function statusCause(explained: Explained, subject: Subject, status: number | undefined): Cause | undefined {
  const evidence = `The server answered ${subject.sent.method} with ${status}, and the response body was not given.`;
  const { code, sentence, fix } = (status === 403 ? refusal(explained, subject) : statusRule(status)) ?? {};
  if (code === undefined || sentence === undefined) return undefined;
  return guess(causeOf(code, sentence, `${fix} ${code === "METHOD" || code === "CORS" ? "" : LOOK}`.trim(), evidence));
}

/** A refused HEAD or OPTIONS, for which signers seldom sign. `undefined` if a key has shown the signed method. */
export function headCause({ explanation: { grants, binds } }: Explained, { known, sent }: Subject): Cause | undefined {
  // Some schemes accept HEAD with any signed method.
  const isOpen = grants.methods === undefined && binds.includes("method") && known.method;
  return isOpen ? wrongMethod(sent.method, { isSame: false }) : undefined;
}

/** The meaning of 403, with which stores refuse nearly everything. */
function refusal(explained: Explained, subject: Subject): Omit<Cause, "evidence"> {
  const { explanation, keyFits, implied = [] } = explained;
  const { mustSend } = explanation;
  const { known, sent } = subject;
  const names = mustSend.map(({ name }) => name).join(", ");
  if (known.method && sent.method === "OPTIONS") {
    const sentence =
      "The bucket's CORS rules do not allow this request from this page: a browser asks with OPTIONS first, and no signature helps.";
    return { code: "CORS", sentence, fix: CORS_FIX };
  }
  const wrong = headCause(explained, subject);
  if (wrong !== undefined) return wrong;
  // Only a key proves which value was signed.
  if (names !== "" && (!known.headers || mustSend.some(({ value }) => value === undefined))) {
    const sentence = `Most likely the header ${names} was not sent with the value that was signed. Or the URL was signed for another method, or its key lacks the permission.`;
    return { code: "HEADER", sentence, fix: `Send ${names} with exactly the value that was signed.` };
  }
  if (keyFits === true) {
    const method = known.method
      ? ""
      : `, or the URL was sent with another method than ${sent.method} (curl -I sends HEAD)`;
    const sentence = `The signature is right for the given key: most likely the key lacks the permission${method}, or the server has another secret for it.`;
    return { code: "PERMISSION", sentence, fix: "" };
  }
  if (implied.length > 0)
    return headerCause(implied, ["for another method", "with a key that lacks the permission"], "implied");
  const sentence = "The server refused it with 403, and nothing in the URL shows why: the response body does.";
  return { code: "SERVER", sentence, fix: "" };
}
