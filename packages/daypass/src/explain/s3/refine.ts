import type { Subject } from "../explainer.ts";
import type { Cause } from "../explanation.ts";
import { s3Traps } from "../traps.ts";
import { type S3Facts, TOKEN, tokenCause } from "./facts.ts";

/** Where the URL itself shows why the server says what it says, that is the better explanation. */
export function refine(said: Cause, facts: S3Facts, subject: Subject): Cause {
  const empty = s3Traps(subject.url).find(({ name }) => name === "empty-body-checksum");
  if (said.code === "CHECKSUM" && empty !== undefined) {
    return {
      ...said,
      sentence: empty.text,
      fix: "Sign without a checksum, or with the checksum of the body that is sent.",
    };
  }
  // No server knows a temporary key without its token, and Amazon's all begin so.
  if (said.code === "UNKNOWN_KEY" && facts.accessKeyId.startsWith("ASIA")) {
    const cause = tokenCause(facts, TOKEN, subject);
    if (cause !== undefined) return { ...cause, evidence: said.evidence };
  }
  if (said.code === "INVALID_TOKEN" && hasPlainPlus(subject)) {
    return {
      ...said,
      sentence: `The session token (${TOKEN}) has a plain +, which was not sent as %2B: the server reads a space.`,
      fix: "Percent-encode the token once, so that + travels as %2B.",
    };
  }
  if (said.code === "INVALID_TOKEN" && facts.token?.includes(" ") === true) {
    return {
      ...said,
      sentence: `The session token (${TOKEN}) has a space where it had a +: something decoded it before it was signed.`,
      fix: "Give the signer the token exactly as it is in the credentials, and let the signer encode it once.",
    };
  }
  if (said.code === "UNSIGNED_HEADER" && facts.signedHeaders.length > 0 && !facts.signedHeaders.includes("host")) {
    return {
      ...said,
      code: "SIGNED_HEADERS",
      sentence: `The URL does not sign the host: X-Amz-SignedHeaders is ${facts.signedHeaders.join(";")}, without host.`,
      fix: "Sign again, with host among the signed headers.",
    };
  }
  if (
    said.code === "EXPIRED" &&
    facts.endsAt !== undefined &&
    subject.now < facts.endsAt &&
    // Where the server names the end, its answer has that already.
    subject.error?.fields.get("Expires") === undefined
  ) {
    return {
      ...said,
      code: "CLOCK",
      sentence: `The URL has expired by the server's clock, but not by this one: it says that it expires at ${facts.endsAt.toISOString()}.`,
      fix: "Set the clocks (NTP).",
    };
  }
  return said;
}

/** A token is in base64, where + is a digit. */
function hasPlainPlus({ sentUrl }: Subject): boolean {
  return sentUrl.wire.tokens.some(({ name, value = "" }) => name === TOKEN && value.includes("+"));
}
