/**
 * Uploads by an HTML form with a signed policy: `POST` to a bucket.
 * @module
 */
import {
  DaypassError,
  type ErrorDetails,
  isDaypassError,
  type KeyResolver,
  type ObligationKind,
  type WireRequest,
} from "daypass";
import type { S3Grant } from "daypass/s3";
import { type FormVerifier, type S3FormGrant, s3FormVerifier } from "daypass/s3/form";
import { s3FormV2Verifier } from "daypass/s3/form/v2";
import { excerpt } from "../../http/excerpt.ts";
import { type FormField, formBoundary, type MultipartForm, readMultipart } from "../../http/multipart.ts";
import { MultipartError } from "../../http/multipart-reader.ts";
import { firstSegment, virtualBucket } from "../../pipeline/addressed-bucket.ts";
import { Refusal } from "../../pipeline/refusal.ts";
import type { BodyVerifier } from "../protocol.ts";
import { locationOf } from "./answers.ts";
import { blamingToken, type S3AccessKey, type SessionOptions } from "./verifiers.ts";

/** The grant of a form in the shape of the other grants. A form has no query, and its fields replace the signed headers. */
export type S3PostGrant = S3FormGrant & S3Grant & { readonly location: string };

export interface FormOptions extends SessionOptions {
  readonly origins: readonly string[];
  readonly regions: readonly string[] | undefined;
  readonly clock: () => Date;
}

const ENFORCED: readonly ObligationKind[] = ["body-length", "body-checksum"];
/** "The form data and boundaries (excluding the contents of the file) cannot exceed 20KB." */
const LIMITS = { fieldBytes: 20 * 1024, fieldCount: 100, restBytes: 20 * 1024 };

// biome-ignore lint/suspicious/noTemplateCurlyInString: S3's own spelling
const FILE_NAME = "${filename}";

/** Verifies a form by the fields before its file. The request names the bucket, never a field (CVE-2023-43040). */
export function s3FormBody(options: FormOptions): BodyVerifier<S3PostGrant> {
  const { keys, sessions, found, origins, regions, clock } = options;
  const bucketOf = virtualBucket(origins);
  const verifiers = (credentials: KeyResolver<S3AccessKey>): readonly FormVerifier<S3FormGrant>[] => [
    s3FormVerifier({ credentials, regions, clock, enforces: ENFORCED }),
    s3FormV2Verifier({ credentials, clock, enforces: ENFORCED }),
  ];
  const plain = verifiers(keys);
  return {
    detects: ({ method, headers }) => method === "POST" && boundaryOf(headers) !== undefined,
    async verify(request, body) {
      const bucket = targetBucket(request, bucketOf(request.authority));
      const { fields, fileName, file } = await translated(async () => {
        const read = await readMultipart(body, boundaryOf(request.headers) ?? "", LIMITS);
        return { ...read, fileName: neededFileName(read) };
      });
      const token = fields.find(([name]) => name.toLowerCase() === "x-amz-security-token")?.[1];
      const session = token === undefined ? undefined : sessions?.open(token);
      const candidates =
        session === undefined ? plain : verifiers((id) => (id === session.accessKeyId ? session : undefined));
      const verified = () => only(candidates, fields).verify({ bucket, fields, fileName });
      const form = await translated(
        () => (token === undefined || sessions === undefined ? verified() : blamed(verified)),
        fields,
      );
      const location = `${locationOf(request, origins).replace(/\/$/, "")}/${encodeURIComponent(form.key)}`;
      const grant = Object.assign(form, { parameters: [], signedHeaders: [], location });
      if (session !== undefined) found.set(grant, session);
      return { grant, body: received(file, form.obligations) };
    },
  };
}

function only(
  verifiers: readonly FormVerifier<S3FormGrant>[],
  fields: readonly FormField[],
): FormVerifier<S3FormGrant> {
  const [first, second] = verifiers.filter((verifier) => verifier.detects(fields));
  if (first === undefined) throw new DaypassError("NO_SIGNATURE", "the form has no signed policy. Send all its fields");
  if (second === undefined) return first;
  throw new DaypassError("AMBIGUOUS_AUTHENTICATION", "the form has signatures of two versions. Send one");
}

/** The client's file name, if a field contains `${filename}`. Without a limit, 20 KB of such fields would become megabytes. */
function neededFileName({ fields, fileName }: Pick<MultipartForm, "fields" | "fileName">): string | undefined {
  const places = fields.reduce((count, [, value]) => count + value.split(FILE_NAME).length - 1, 0);
  if (places === 0) return undefined;
  if (fileName === "not-utf-8") {
    throw new MultipartError(
      "malformed",
      'the file name is not UTF-8, and the key contains it. Add accept-charset="utf-8" to the form',
    );
  }
  const { text = "" } = fileName;
  if (places * text.length <= LIMITS.fieldBytes) return text;
  throw new Refusal("FORM_TOO_LARGE", "the file name is too long for fields that repeat it so often. Shorten it");
}

function boundaryOf(headers: WireRequest["headers"]): string | undefined {
  const types = headers.filter(([name]) => name.toLowerCase() === "content-type");
  return types.length === 1 ? formBoundary(types[0]?.[1] ?? "") : undefined;
}

/** The target of a form is the bucket: `/` if the host names it, otherwise `/bucket` or `/bucket/`. */
function targetBucket({ target, authority }: WireRequest, virtual: string | undefined): string {
  if (virtual === undefined) {
    throw new DaypassError("WRONG_ORIGIN", `no configured origin has the host ${excerpt(authority)}. Correct the URL`);
  }
  const bucket = virtual === "" ? onlySegment(target) : target === "/" ? virtual : undefined;
  if (bucket !== undefined) return bucket;
  throw new Refusal("METHOD_NOT_ALLOWED", "the form is not sent to a bucket. Correct its action", { method: "POST" });
}

/** An existing folder may have any name. The storage decides whether it is a bucket. */
function onlySegment(target: string): string | undefined {
  const name = /^\/[^/?]+\/?$/.test(target) ? firstSegment(target) : undefined;
  return name?.includes("/") ? undefined : name;
}

async function translated<T>(read: () => Promise<T>, fields: readonly FormField[] = []): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw refusalOf(error, fields);
  }
}

/** If a form with a token names an unknown key, AWS reports the token. */
async function blamed<T>(verified: () => Promise<T>): Promise<T> {
  try {
    return await verified();
  } catch (error) {
    throw blamingToken(error);
  }
}

/** The file, with the length checked against the policy. The length is unknown before the last byte. */
async function* received(
  file: AsyncIterable<Uint8Array>,
  obligations: S3FormGrant["obligations"],
): AsyncGenerator<Uint8Array> {
  const length = obligations.find((obligation) => obligation.kind === "body-length");
  const { min, max } = length ?? { min: 0, max: Number.POSITIVE_INFINITY };
  let size = 0;
  try {
    for await (const chunk of file) {
      size += chunk.length;
      if (size > max) {
        throw new Refusal("TOO_LARGE", `the file has over ${max} bytes. Send a smaller one`, { size, limit: max });
      }
      yield chunk;
    }
  } catch (error) {
    throw refusalOf(error, []);
  }
  if (size < min) {
    throw new Refusal("TOO_SMALL", `the file has ${size} bytes. Send at least ${min}`, { size, limit: min });
  }
}

/** The signature in a form, for an error that shows it to its sender. */
function signatureDetails(fields: readonly FormField[]): ErrorDetails {
  const field = (wanted: RegExp): string => fields.find(([name]) => wanted.test(name))?.[1] ?? "";
  return {
    accessKeyId: field(/^awsaccesskeyid$/i) || field(/^x-amz-credential$/i).replace(/(?:\/[^/]*){4}$/, ""),
    policy: field(/^policy$/i),
    signature: field(/^(?:x-amz-)?signature$/i),
  };
}

/** The value of a field, as Amazon shows it to its sender. A session token is not shown. */
function fieldValue(fields: readonly FormField[], parameter: string): string {
  const isSecret = /token|signature/.test(parameter);
  return (!isSecret && fields.find(([name]) => name.toLowerCase() === parameter)?.[1]) || "";
}

function refusalOf(error: unknown, fields: readonly FormField[]): unknown {
  if (isDaypassError(error)) {
    const { code, message, details } = error;
    const isSignature = /^(?:x-amz-)?signature$/.test(String(details["parameter"])) && details["problem"] === "form";
    if (code === "SIGNATURE_MISMATCH" || code === "UNKNOWN_KEY" || isSignature) {
      return new Refusal(isSignature ? "SIGNATURE_MISMATCH" : code, message, signatureDetails(fields));
    }
    const value = fieldValue(fields, String(details["parameter"]));
    if (code === "MALFORMED") return new Refusal("FORM_FIELD", message, { ...details, value }, { cause: error });
    if (code === "WRONG_SCOPE") return new Refusal(code, message, { ...details, value }, { cause: error });
    return code === "EXPIRED" ? new Refusal("POLICY_EXPIRED", message, details, { cause: error }) : error;
  }
  if (!(error instanceof MultipartError)) return error;
  const codes = {
    malformed: "MALFORMED_FORM",
    "too-large": "FORM_TOO_LARGE",
    "no-file": "FORM_WITHOUT_FILE",
    "two-files": "FORM_WITH_FILES",
    incomplete: "MALFORMED_FORM",
  } as const;
  return new Refusal(codes[error.fault], error.message);
}
