import { systemClock } from "../core/time.ts";
import { azureCause } from "./azure/cause.ts";
import { clientCause } from "./cause/client-rules.ts";
import { isMismatch, isVague } from "./cause/server-cause.ts";
import { pageCause } from "./cause/unread-answer.ts";
import { saidByCloudfront } from "./cloudfront/explainer.ts";
import { parseErrorBody, type ServerError } from "./error-body.ts";
import type { Cause, ExplainOptions } from "./explanation.ts";
import { gcsCause } from "./gcs/cause.ts";
import { s3Cause } from "./s3/facts.ts";
import { serverRequest } from "./server-request.ts";

/** What an error response reveals if its URL is not available. */
export interface AnswerExplanation {
  /** The refused URL with its signature, if the response shows all of it, as S3's response to a wrong signature does. */
  readonly url?: string | undefined;
  /** What the response's own words mean. Missing if they are unknown. */
  readonly cause?: Cause | undefined;
}

/**
 * Explains an error response without its URL: what it means and, if the response shows it, the URL. Pass that to
 * {@link explain}, which finds far more. Nothing is sent anywhere.
 *
 * @param errorBody as the server sent it, or as a browser, a log or an exception shows it
 * @param options another `clock`
 * @example
 * ```ts
 * import { explainAnswer } from "daypass/explain";
 *
 * const { cause } = explainAnswer("<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>");
 * console.log(cause?.sentence); // The URL has expired.
 * ```
 */
export function explainAnswer(errorBody: string, options: Pick<ExplainOptions, "clock"> = {}): AnswerExplanation {
  const { clock = systemClock } = options;
  const error = parseErrorBody(errorBody);
  if (error === undefined) return { cause: pageCause(errorBody) ?? clientCause(errorBody) };
  const url = shownUrl(error);
  const said = isMismatch(error) ? undefined : causeOf(error, new Date(clock()));
  return { ...(url === undefined ? {} : { url }), cause: said ?? mismatch(error) };
}

/** Codes and elements identify the server that answered. */
function causeOf(error: ServerError, now: Date): Cause | undefined {
  const { code, fields } = error;
  if (fields.has("AuthenticationErrorDetail") || /^(?:Authentication|Authorization(?!Query|Header))/.test(code))
    return azureCause(error, now);
  if (fields.has("Details")) return gcsCause(error, now);
  const cause = saidByCloudfront(error) ?? s3Cause(error, now);
  return cause?.code === "PERMISSION" && isVague(error) ? { ...cause, ...DENIED } : cause;
}

/** Without the URL, the server that answered is unknown. */
const DENIED: Pick<Cause, "sentence" | "fix"> = {
  sentence:
    "The server denies access without saying why. At S3, this means that the signature was accepted but the signing key lacks the permission; CloudFront and others say the same of a wrong signature and of an expired URL.",
  fix: "Run explain again with the URL; then check the signing identity's permissions (if it may not list, a missing object is AccessDenied, too).",
};

/** The URL in S3's answer: its canonical request with the signature, which is a separate element. */
function shownUrl({ fields }: ServerError): string | undefined {
  const [, path = "", query = "", ...rest] = fields.get("CanonicalRequest")?.split("\n") ?? [];
  const [, host] = rest.map((line) => /^host:(\S+)$/.exec(line)).find((found) => found !== null) ?? [];
  const signature = fields.get("SignatureProvided");
  if (host === undefined || signature === undefined || !/(?:^|&)X-Amz-Algorithm=/.test(query)) return undefined;
  return `https://${host}${path}?${query}&X-Amz-Signature=${signature}`;
}

function mismatch(error: ServerError): Cause | undefined {
  const { code, message, fields } = error;
  const isAzure = code === "AuthenticationFailed";
  if (!isMismatch(error) && !isAzure) return undefined;
  const seen = serverRequest(error);
  const type = seen?.headers.find(([name]) => name === "content-type")?.[1];
  const shown = [
    ...(seen === undefined ? [] : [`a ${seen.method}`]),
    ...(type === undefined ? [] : [`the content-type ${type}`]),
  ].join(" with ");
  return {
    code: "WRONG_SECRET",
    sentence: `The signature does not fit the request${shown === "" ? "" : ` that the server saw, ${shown}`}: it was signed for a different method, host or header than was sent, or the URL was changed, or signed with a different ${isAzure ? "key" : "secret"}.`,
    evidence: [`The server says ${code}${message === "" ? "" : `: ${message}`}`],
    fix: `Run explain again with the URL, which says most${fields.size > 2 ? " in addition to this answer" : ""}, and with the key if you know it.`,
  };
}
