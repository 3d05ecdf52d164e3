import type { ServerError } from "../error-body.ts";
import type { Cause } from "../explanation.ts";
import { ruleCause } from "./answer-rules.ts";
import { daypassRow, isOwnText } from "./daypass-cause.ts";
import { S3_RULES, STORE_RULES } from "./server-rules.ts";

/** Codes of stores that mean the same as a code of a Daypass server. */
const SAME_AS: Readonly<Record<string, string>> = {
  ExpiredToken: "EXPIRED_TOKEN",
  TokenRefreshRequired: "EXPIRED_TOKEN",
  InvalidToken: "INVALID_TOKEN",
  // Alibaba's.
  SecurityTokenExpired: "EXPIRED_TOKEN",
  InvalidSecurityToken: "INVALID_TOKEN",
};

/** The meaning of the server's answer alone. `undefined` for a signature mismatch and for unknown answers. */
export function serverCause(error: ServerError, now: Date, signed = "URL"): Cause | undefined {
  const { code, message, fields } = error;
  const evidence = [`The server says ${code}${message === "" ? "" : `: ${message}`}`];
  const own = isMismatch(error) || code === "EXPIRED" ? undefined : daypassRow(code);
  const same = own ?? daypassRow(SAME_AS[code] ?? "");
  if (same !== undefined) {
    const [name, sentence, fix] = same;
    const isOwn = own !== undefined && isOwnText(code, message);
    const text = isOwn ? `${sentence.replace(/\.$/, "")}: ${message.replace(/\.$/, "")}.` : sentence;
    return { code: name, sentence: text.replace(/\bURL\b/g, signed), evidence, fix };
  }
  const ofStore = ruleCause(STORE_RULES, error, signed);
  if (ofStore !== undefined) return ofStore;
  if (/Request has expired/i.test(message) || code === "EXPIRED") return expired(fields, { now, evidence, signed });
  const region = expectedRegion(error);
  if (region === undefined) return ruleCause(S3_RULES, error, signed);
  const sentence = `The ${signed} was signed for the wrong region; the server expects ${region}.`;
  return { code: "REGION", sentence, evidence, fix: `Sign for ${region}.` };
}

/** The server's region, if the answer complains about the signed one. */
function expectedRegion({ message, fields }: ServerError): string | undefined {
  const expected = fields.get("Region") ?? /expecting ['"]([a-z0-9-]+)['"]/.exec(message)?.[1];
  // Garage shows the signed scope. If its region is right, the date or the service is wrong.
  const [, signed] = /unexpected scope:? *['"]?\d+\/([^/]+)\//i.exec(message) ?? [];
  const isAboutRegion = signed === undefined ? /region/i.test(message) : signed !== expected;
  return isAboutRegion ? expected : undefined;
}

/**
 * Whether servers give this answer for everything that they refuse: an expired URL, another address and a missing permission
 * alike. A fault that the URL shows is then the better cause.
 */
export function isVague(error: ServerError): boolean {
  const { code, message, fields } = error;
  if (!/^(?:AccessDenied|Forbidden|AuthenticationFailed|AuthorizationFailure)$/.test(code)) return false;
  const text = [message, fields.get("Details") ?? "", fields.get("AuthenticationErrorDetail") ?? ""].join("\n");
  const isSpecific =
    /expired|not valid yet|not yet valid|not signed|does not have|anonymous|not authorized to|policy|Start \[/i.test(
      text,
    );
  return !isSpecific && ruleCause(STORE_RULES, error, "URL") === undefined;
}

/** The cause of a Daypass server's mismatch if nothing shows more. */
export function mismatchCause(): Cause {
  const [code, sentence, fix] = daypassRow("SIGNATURE_MISMATCH") as NonNullable<ReturnType<typeof daypassRow>>;
  return { code, sentence, evidence: [], fix };
}

/** The cause for an answer that neither the rules nor the URL explain. */
export function otherCause({ code, message }: ServerError, signed = "URL"): Cause {
  const text = message === "" ? code : `${code}: ${message}`;
  return {
    code: "SERVER",
    sentence: `The server says ${text.replace(/\.$/, "")}; nothing wrong with the ${signed} explains it.`,
    evidence: [],
    fix: "Look the code up in the server's documentation: it is not about the signature.",
    isGuess: true,
  };
}

const FIVE_MINUTES = 300_000;

interface Expired {
  readonly now: Date;
  readonly evidence: readonly string[];
  readonly signed: string;
}

function expired(fields: ReadonlyMap<string, string>, { now, evidence, signed }: Expired): Cause {
  const server = new Date(fields.get("ServerTime") ?? Number.NaN);
  const end = fields.get("Expires");
  const skew = server.getTime() - now.getTime();
  if (Math.abs(skew) > FIVE_MINUTES && end !== undefined && new Date(end).getTime() > now.getTime()) {
    const sentence = `The ${signed} has expired by the server's clock (${server.toISOString()}), but not by this one (${now.toISOString()}).`;
    return { code: "CLOCK", sentence, evidence, fix: "Set the clocks (NTP)." };
  }
  const until = end === undefined ? "" : `: it was valid until ${end}`;
  return { code: "EXPIRED", sentence: `The ${signed} has expired${until}.`, evidence, fix: `Ask for a new ${signed}.` };
}

/** Whether the server says that the signature does not match the request. */
export function isMismatch({ code, message }: ServerError): boolean {
  // Garage says "Forbidden: Invalid signature".
  return (
    /^SignatureDoesNotMatch$|^SIGNATURE_MISMATCH$/.test(code) ||
    (code === "AccessDenied" && /invalid signature/i.test(message))
  );
}
