import type { SignedRequest } from "daypass";
import { explain } from "daypass/explain";
import type { S3Credentials } from "daypass/s3";
import type { JsonObject } from "daypass/schemes";
import { loadScheme } from "../../lines/line-scheme.ts";
import { type Check, type Finding, problem } from "./finding.ts";
import { type Answer, send } from "./http-request.ts";

/** The bucket to check, and how to reach it. */
export interface BucketUnderTest {
  readonly bucket: string;
  /** Fields of a `sign --batch` line: region, endpoint, addressing, credentials. */
  readonly place: JsonObject;
}

const LIFETIME = 300;

/** Signs a request to the bucket as `daypass sign` would. */
export async function signFor({ bucket, place }: BucketUnderTest, request: JsonObject): Promise<SignedRequest> {
  const sign = await (await loadScheme("s3")).signer();
  const signed = await sign({
    expiresIn: LIFETIME,
    credentialExpiry: "clamp",
    ...place,
    ...(request["key"] === undefined ? { resource: "bucket" } : {}),
    ...request,
    scheme: "s3",
    bucket,
  });
  if (!("method" in signed && "headers" in signed)) throw new Error("the result is not a URL");
  return signed;
}

/** A request for one key of the bucket. */
export const LISTING: JsonObject = { method: "GET", query: { "list-type": "2", "max-keys": "1" } };

/** Signs and sends a request. */
export async function sendSigned(
  target: BucketUnderTest,
  request: JsonObject,
  body?: string,
): Promise<Answer & { readonly url: string }> {
  const { url, method, headers } = await signFor(target, request);
  const answer = await send({ url, method, headers, ...(body === undefined ? {} : { body }) });
  return { ...answer, url };
}

// Errors of a server that has accepted the signature.
const UNDERSTOOD = ["AccessDenied", "NoSuchKey", "NoSuchCORSConfiguration", "AllAccessDisabled"];

/** Whether the server accepted the signature. */
export function isUnderstood({ status, code }: Answer): boolean {
  return status < 300 || UNDERSTOOD.includes(code);
}

/** The same for a listing. Many servers that are not S3 storage answer every request with 200 and a page. */
export function isListing(answer: Answer): boolean {
  return isUnderstood(answer) && (answer.status >= 300 || answer.root?.name === "ListBucketResult");
}

/** The cause of a refusal, as `daypass explain` finds it. */
export async function refusal(check: Check, { target, answer, method, what }: Refused): Promise<Finding> {
  const status = `${what} was answered with ${answer.status}${answer.code === "" ? "" : ` ${answer.code}`}`;
  const { body, url } = answer;
  const { cause } = await explain(url, { errorBody: body, request: { method }, keys: [credentialsOf(target)] });
  if (cause === undefined || isUnderstood(answer))
    return problem(
      check,
      `${status}: the signature is right, but the key may not do this.`,
      "Give the key the permission, or use another key.",
    );
  return problem(check, `${status}: ${cause.sentence}`, cause.fix);
}

/** A request whose response is an error. */
export interface Refused {
  readonly target: BucketUnderTest;
  readonly answer: Answer & { readonly url: string };
  readonly method: string;
  /** The subject of the sentence, such as "A presigned PUT". */
  readonly what: string;
}

function credentialsOf({ place }: BucketUnderTest): S3Credentials {
  const { accessKeyId = "", secretAccessKey = "", sessionToken } = place["credentials"] as Partial<S3Credentials>;
  return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
}
