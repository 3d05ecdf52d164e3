import type { KeyResolver, ReceivedRequest, Scheme, Verifier, WireRequest } from "../../../core/contracts.ts";
import { requireOptions } from "../../../core/require-options.ts";
import { verifier } from "../../../core/verify.ts";
import { malformed } from "../../../wire/parameters.ts";
import type { S3Credentials } from "../credentials.ts";
import type { S3Grant } from "../grant.ts";
import { detectS3, hasExpressSession, type ParsedS3, parseS3 } from "../parse.ts";
import { checkScope, type S3Key, type S3VerifierOptions, s3KeyResolver, s3Scheme } from "../verify.ts";

/** Options of {@link s3ExpressVerifier}. */
export interface S3ExpressVerifierOptions extends Omit<S3VerifierOptions, "credentials" | "cache"> {
  /**
   * The sessions that `CreateSession` issued: access key, secret and session token, with the expiry as `expiration`; or
   * a function that looks them up by access key id.
   */
  readonly credentials: S3Credentials | readonly S3Credentials[] | KeyResolver<S3Credentials>;
}

const TOKEN = "X-Amz-S3session-Token";

/**
 * Verifies presigned URLs of S3 Express One Zone: SigV4 in the query for the service `s3express`, with a session token in
 * `X-Amz-S3session-Token`. For servers that issue sessions themselves, and for holders of a session who want to know what
 * its URLs grant.
 *
 * Makes the same checks as `s3Verifier` of `daypass/s3`, and checks that the token belongs to the access key, is signed and is not
 * repeated. Does not check that the session was created for this bucket, or that it may write: the caller must.
 *
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-express-create-session.html
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `verify`: `NO_SIGNATURE`, `MALFORMED`,
 * `AMBIGUOUS_AUTHENTICATION`, `WRONG_ORIGIN`, `UNSIGNED_HEADER`, `UNKNOWN_KEY`, `WRONG_SCOPE`, `SIGNATURE_MISMATCH`,
 * `EXPIRED`, `NOT_YET_VALID`, `INVALID_TOKEN`, `EXPIRED_TOKEN`, `UNSUPPORTED_PAYLOAD`, `UNENFORCED_CONSTRAINT`
 * @example
 * ```ts
 * import type { WireRequest } from "daypass";
 * import { s3ExpressVerifier } from "daypass/s3/express";
 *
 * const session = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "…", sessionToken: "…", expiration: new Date(Date.now() + 300_000) };
 * const verifier = s3ExpressVerifier({
 *   credentials: session,
 *   origins: ["https://*.s3express-use1-az4.us-east-1.amazonaws.com"],
 * });
 * export const grantFor = (request: WireRequest) => verifier.verify(request);
 * ```
 */
export function s3ExpressVerifier(options: S3ExpressVerifierOptions): Verifier<S3Grant> {
  requireOptions(options);
  const scheme: Scheme<ParsedS3, S3Key, S3Grant> = {
    ...s3Scheme(options),
    id: "s3/express",
    detect: detectS3Express,
    parse(received) {
      const parsed = parseS3Express(received);
      checkScope(parsed.scope, options.regions, "X-Amz-Credential", "s3express");
      return parsed;
    },
  };
  return verifier(scheme, s3KeyResolver(options.credentials), options);
}

function detectS3Express(request: WireRequest): boolean {
  return hasExpressSession(request) && detectS3(request);
}

/** Reads the token of a session where other URLs have `X-Amz-Security-Token`. Throws as `parseS3` does. */
function parseS3Express(received: ReceivedRequest): ParsedS3 {
  const parsed = parseS3(received);
  // SigV4's own parser reads the token as another signed parameter.
  const tokens = parsed.parameters.filter(([name]) => name.toLowerCase() === TOKEN.toLowerCase());
  const [[name, sessionToken] = ["", ""], second] = tokens;
  if (name !== TOKEN || second !== undefined || parsed.sessionToken !== undefined) {
    throw malformed(TOKEN, second ? "duplicate" : "spelling", "one parameter of this spelling, and no other token");
  }
  return { ...parsed, sessionToken, parameters: parsed.parameters.filter((pair) => pair !== tokens[0]) };
}
