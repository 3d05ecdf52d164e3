import type { ServerError } from "../error-body.ts";
import type { Cause, CauseCode } from "../explanation.ts";
import { commonCause } from "./common-error-rules.ts";
import { daypassRow, isOwnText } from "./daypass-cause.ts";
import { storeCause } from "./store-error-rules.ts";

/** What the server's code alone says of what was signed. `undefined` for a mismatch, and where the code tells nothing. */
export function serverCause(error: ServerError, now: Date, signed = "URL"): Cause | undefined {
  const { code, message, fields } = error;
  const evidence = [`The server says ${code}${message === "" ? "" : `: ${message}`}`];
  const cause = (name: CauseCode, sentence: string, fix: string): Cause => ({ code: name, sentence, evidence, fix });
  const own = daypassRow(code);
  // Its end and its clock are told below.
  if (own !== undefined && code !== "EXPIRED" && !isMismatch(error)) {
    const [name, sentence, fix] = own;
    const text = isOwnText(code, message) ? `${sentence.replace(/\.$/, "")}: ${message.replace(/\.$/, "")}.` : sentence;
    return cause(name, text.replace(/\bURL\b/g, signed), fix);
  }
  const inItsWords = storeCause(error, signed);
  if (inItsWords !== undefined) return inItsWords;
  if (/Request has expired/i.test(message) || code === "EXPIRED") return expired(fields, { now, evidence, signed });
  const same = daypassRow(SAME_AS[code] ?? "");
  if (same !== undefined) return cause(same[0], same[1].replace(/\bURL\b/g, signed), same[2]);
  const region = expectedRegion(error);
  if (region !== undefined) {
    const sentence = `The ${signed} was signed for the wrong region; the server expects ${region}.`;
    return cause("REGION", sentence, `Sign for ${region}.`);
  }
  return commonCause(error, signed);
}

/** The region that the server names as its own, where it complains of the one that was signed. */
function expectedRegion({ message, fields }: ServerError): string | undefined {
  const [, signed, expected] = SCOPES.exec(message) ?? [];
  const region = expected ?? fields.get("Region") ?? /expecting ['"]([a-z0-9-]+)['"]/.exec(message)?.[1];
  // Where both scopes have one region, date or service differ.
  const isSaid = signed === undefined ? /region/i.test(message) : signed !== region;
  return isSaid ? region : undefined;
}

/** Garage's words, with the region of each scope. */
const SCOPES = /unexpected scope:? *['"]?\d+\/([^/]+)\/(?:.*expected:? *['"]?\d+\/([^/]+)\/)?/i;

/** Codes of stores that say just what one of ours does. */
const SAME_AS: Readonly<Record<string, string>> = {
  ExpiredToken: "EXPIRED_TOKEN",
  InvalidToken: "INVALID_TOKEN",
  TokenRefreshRequired: "EXPIRED_TOKEN",
  // Alibaba's.
  SecurityTokenExpired: "EXPIRED_TOKEN",
  InvalidSecurityToken: "INVALID_TOKEN",
};

/**
 * Whether servers give this answer for everything that they refuse: an end that has passed, another address and a missing
 * permission alike. What the URL itself shows is then the better answer.
 */
export function isVague(error: ServerError): boolean {
  const { code, message, fields } = error;
  if (
    storeCause(error, "URL") !== undefined ||
    !/^(?:AccessDenied|Forbidden|AuthenticationFailed|AuthorizationFailure)$/.test(code)
  )
    return false;
  const said = [message, fields.get("Details") ?? "", fields.get("AuthenticationErrorDetail") ?? ""].join("\n").trim();
  return !/expired|not valid yet|not yet valid|not signed|does not have|anonymous|not authorized to|policy|Start \[/i.test(
    said,
  );
}

/** What a mismatch of a Daypass server says, where nothing shows more. */
export function mismatchCause(): Cause {
  const [code, sentence, fix] = daypassRow("SIGNATURE_MISMATCH") as NonNullable<ReturnType<typeof daypassRow>>;
  return { code, sentence, evidence: [], fix };
}

/** What is left to say where neither what was signed nor the table explains the answer: what the server says. */
export function otherCause({ code, message }: ServerError, signed = "URL"): Cause {
  const text = message === "" ? code : `${code}: ${message}`;
  return {
    code: "SERVER",
    sentence: `The server says ${text.replace(/\.$/, "")}; nothing wrong with the ${signed} explains it.`,
    evidence: [],
    fix: "Look the code up in the server's documentation: it is not about the signature.",
  };
}

const FIVE_MINUTES = 300_000;

interface Ended {
  readonly now: Date;
  readonly evidence: readonly string[];
  readonly signed: string;
}

function expired(fields: ReadonlyMap<string, string>, { now, evidence, signed }: Ended): Cause {
  const server = new Date(fields.get("ServerTime") ?? Number.NaN);
  const end = fields.get("Expires");
  const skew = server.getTime() - now.getTime();
  if (Math.abs(skew) > FIVE_MINUTES && end !== undefined && new Date(end).getTime() > now.getTime()) {
    return {
      code: "CLOCK",
      sentence: `The ${signed} has expired by the server's clock (${server.toISOString()}), but not by this one (${now.toISOString()}).`,
      evidence,
      fix: "Set the clocks (NTP).",
    };
  }
  return {
    code: "EXPIRED",
    sentence: `The ${signed} has expired${end === undefined ? "" : `: it was valid until ${end}`}.`,
    evidence,
    fix: `Ask for a new ${signed}.`,
  };
}

/** Whether the server says that the signature does not fit the request. */
export function isMismatch({ code, message }: ServerError): boolean {
  // Garage's words: "Forbidden: Invalid signature".
  const isDenied = code === "AccessDenied" && /invalid signature/i.test(message);
  // STS and others that answer in XML have one code for all that may be wrong with a signature.
  const isOther = /^(?:Signature (?:expired|not yet current): |Credential should be scoped )/i.test(message);
  return isDenied || (code === "SignatureDoesNotMatch" && !isOther) || code === "SIGNATURE_MISMATCH";
}
