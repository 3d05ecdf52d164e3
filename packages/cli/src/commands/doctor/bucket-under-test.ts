import type { SignedRequest } from "daypass";
import { type Explanation, explain } from "daypass/explain";
import type { S3Credentials } from "daypass/s3";
import type { JsonObject } from "daypass/schemes";
import { UsageError } from "../../command.ts";
import { loadScheme } from "../../lines/line-scheme.ts";
import { type Check, type Finding, problem } from "./finding.ts";
import { type Answer, rootName, send } from "./send.ts";

/** The bucket that is examined, and how it is reached. */
export interface Patient {
  readonly bucket: string;
  /** Fields of a line of `sign --batch`: region, endpoint, addressing, credentials. */
  readonly place: JsonObject;
}

const LIFE = 300;

/** Signs a request to the bucket as `daypass sign` would. */
export async function signFor({ bucket, place }: Patient, request: JsonObject): Promise<SignedRequest> {
  const sign = await (await loadScheme("s3")).signer();
  const signed = await sign({ expiresIn: LIFE, credentialExpiry: "clamp", ...place, ...request, scheme: "s3", bucket });
  if (!("method" in signed && "headers" in signed)) throw new UsageError("expected a URL");
  return signed;
}

/** Signs and sends. */
export async function ask(
  patient: Patient,
  request: JsonObject,
  body?: string,
): Promise<Answer & { readonly url: string }> {
  const { url, method, headers } = await signFor(patient, request);
  const answer = await send({ url, method, headers, ...(body === undefined ? {} : { body }) });
  return { ...answer, url };
}

// The server has understood who asks and what for, and says no to that, or that it is not there.
const UNDERSTOOD = ["AccessDenied", "NoSuchKey", "NoSuchCORSConfiguration", "AllAccessDisabled"];

/** Whether the signature was accepted, whatever the answer is. */
export function isUnderstood({ status, code }: Answer): boolean {
  return status < 300 || UNDERSTOOD.includes(code);
}

/** The same of an answer to a listing. Many a server that is no storage answers everything with 200 and a page. */
export function isListing(answer: Answer): boolean {
  return isUnderstood(answer) && (answer.status >= 300 || rootName(answer.body) === "ListBucketResult");
}

/** Why a request was refused, as `daypass explain` finds it. */
export async function refusal(check: Check, { patient, answer, method, what }: Refused): Promise<Finding> {
  const said = saidBy({ answer, what });
  const { cause } = await explained({ patient, answer, method });
  if (cause === undefined || isUnderstood(answer))
    return problem(
      check,
      `${said}: the signature is right, but the key may not do this.`,
      "Give the key the permission, or use another key.",
    );
  return problem(check, `${said}: ${cause.sentence}`, cause.fix);
}

/** What a page says in the place of a store's answer. `undefined` where none came, and where it does not name who has written it. */
export async function pageFinding(check: Check, refused: Refused): Promise<Finding | undefined> {
  const { cause } = await explained(refused);
  if (cause?.evidence[0]?.startsWith("The answer is a page of ") !== true) return undefined;
  return problem(check, `${saidBy(refused)}: ${cause.sentence}`, cause.fix);
}

function saidBy({ answer: { status, code }, what }: Pick<Refused, "answer" | "what">): string {
  return `${what} was answered with ${status}${code === "" ? "" : ` ${code}`}`;
}

function explained({ patient, answer: { body, url }, method }: Omit<Refused, "what">): Promise<Explanation> {
  return explain(url, { errorBody: body, request: { method }, keys: [credentialsOf(patient)] });
}

/** A request that was answered, and not with what was asked for. */
export interface Refused {
  readonly patient: Patient;
  readonly answer: Answer & { readonly url: string };
  readonly method: string;
  /** Begins the sentence. */
  readonly what: string;
}

function credentialsOf({ place }: Patient): S3Credentials {
  const { accessKeyId = "", secretAccessKey = "", sessionToken } = place["credentials"] as Partial<S3Credentials>;
  return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
}
