import { hmacSha1 } from "#crypto";
import type { SignedHeader } from "../../schemes/s3/canonical.ts";
import type { S3Credentials } from "../../schemes/s3/credentials.ts";
import {
  canonicalizedResource,
  checkS3V2,
  isSubResource,
  type Parameter,
  type S3V2Parts,
  s3V2StringToSign,
} from "../../schemes/s3/v2/canonical.ts";
import { detectS3V2, isAuthParameter, parseS3V2 } from "../../schemes/s3/v2/parse.ts";
import { base64 } from "../../wire/encoding.ts";
import { headerValues } from "../../wire/raw-target.ts";
import { amazonBucket } from "../amazon-host.ts";
import { causeOf } from "../cause/combine-causes.ts";
import { isMismatch } from "../cause/server-cause.ts";
import { compareTexts } from "../cause/text-compare.ts";
import type { Undecided } from "../cause/undecided.ts";
import type { ServerError } from "../error-body.ts";
import type { Explainer, SplitUrl, Subject } from "../explainer.ts";
import type { Cause, Trap } from "../explanation.ts";
import { readParameters } from "../parameters.ts";
import type { Variant } from "../search/search.ts";
import { bucketOfHost } from "../search/spellings.ts";
import { contentTypes, pathVariants } from "../search/text-variants.ts";
import { shownHeaders, withMethods, withTypes } from "../search/unknowns.ts";
import { movedEnds } from "../search/usual-lives.ts";
import { CONTENT_TYPES, methodVariants, secretVariants } from "../search/variants.ts";
import { explainTextScheme, type TextScheme } from "../text-scheme.ts";
import { s3Traps } from "../traps.ts";
import {
  type Credential,
  isS3Credentials,
  keyEndCause,
  s3Cause,
  s3Resource,
  tokenCause,
  tokenTraps,
  untilKeyEnds,
  uploadMark,
} from "./facts.ts";

/** S3 presigned URLs in the legacy Signature Version 2. */
export const s3V2Explainer: Explainer = {
  detects: detectS3V2,
  explain: (subject) => explainTextScheme(subject, readS3V2(subject)),
};

interface V2Input extends Omit<S3V2Parts, "resource"> {
  readonly path: string;
  readonly virtualBucket: string;
  readonly subResources: readonly Parameter[];
  readonly secret: string;
}

/** Signed headers that boto also writes into the query. */
const HOISTED = /^(?:x-amz-.*|content-(?:type|md5))$/i;
const TOKEN = "x-amz-security-token";

function readS3V2(asked: Subject): TextScheme<V2Input> {
  const { url, keys, now } = asked;
  const values = new Map(readParameters(url));
  const expires = values.get("Expires") ?? "";
  const accessKeyId = values.get("AWSAccessKeyId") ?? "";
  const signature = values.get("Signature") ?? "";
  const token = values.get(TOKEN);
  const credential = { accessKeyId, token };
  const open = [...values.keys()].filter(
    (name) => !isAuthParameter(name) && !isSubResource(name) && !HOISTED.test(name),
  );
  const endsAt = /^\d{1,11}$/.test(expires) ? new Date(Number(expires) * 1000) : undefined;
  const given = keys.filter(isS3Credentials);
  // Several given keys can have one id.
  const ownKey = (fitting: V2Input | undefined): S3Credentials | undefined => {
    const own = given.filter((key) => key.accessKeyId === accessKeyId);
    return own.find(({ secretAccessKey }) => secretAccessKey === fitting?.secret) ?? own[0];
  };
  return {
    scheme: "s3/v2",
    title: "An S3 presigned URL in the legacy Signature Version 2",
    resource: s3Resource(url),
    signedBy: accessKeyId,
    binds: [
      "method",
      "bucket",
      "key",
      "end",
      "sub-resources and response-* parameters",
      "headers content-md5, content-type and x-amz-*",
    ],
    leavesOpen: [
      "scheme and host",
      "every other query parameter",
      "every other header",
      "body",
      "who uses it, from where, and how often",
    ],
    endsAt,
    end: expires,
    keyEnd: (fitting) => ownKey(fitting)?.expiration ?? undefined,
    mayEndEarlier: untilKeyEnds(credential),
    mustSend(fitting) {
      const shown = fitting === undefined ? [] : shownHeaders(implied(fitting, asked));
      return [...hoistedHeaders(url).filter(({ name }) => shown.every((other) => other.name !== name)), ...shown];
    },
    traps: [...s3Traps(url), ...v2Traps(open, credential)],
    secrets: [signature, token],
    check(subject) {
      const { error, known } = subject;
      const types = [values.get("content-type") ?? "", ...CONTENT_TYPES];
      return {
        keys: given.map(({ accessKeyId: id, secretAccessKey: secret }) => ({ id, change: { secret } })),
        inputOf: (from) => inputOf(from, expires),
        textOf,
        fits: (input) => checkS3V2(partsOf(input), { secretAccessKey: input.secret, signature }).matches,
        signatures: { signature, signatureOf: (input) => base64(hmacSha1(input.secret, textOf(input))) },
        variantsOf: (input) => variants(input, subject, types),
        unknowns: (input) =>
          withTypes(withMethods(input, known), known, (one, contentType) => ({ ...one, contentType }), types),
        implied: (input) => implied(input, subject),
        difference: compareTexts,
        parse: (received) => parseS3V2(received, new Set(readParameters(subject.sentUrl).map(([name]) => name))),
        reading: { refusesHeaders: true },
        told: uploadMark(subject),
        said: (told) => (told.code === "UnauthorizedAccess" ? legacy(told) : s3Cause(told, now)),
        other: hoistedCause(subject),
        otherOf(fitting) {
          if (error !== undefined && isMismatch(error)) return undefined;
          const key = ownKey(fitting);
          const lacksToken = key?.sessionToken ? tokenCause(credential, TOKEN, subject) : undefined;
          return lacksToken ?? keyEndCause(key, endsAt, now);
        },
      };
    },
  };
}

/** The bucket's place is known on Amazon's hosts. On other hosts, variants try it. */
function inputOf({ sent, sentUrl }: Subject, expires: string): V2Input {
  const parameters = readParameters(sentUrl);
  const names = new Set(sent.headers.map(([name]) => name.toLowerCase()).filter((name) => name.startsWith("x-amz-")));
  const hoisted = parameters.filter(([name]) => /^x-amz-/i.test(name));
  return {
    method: sent.method,
    contentMd5: headerValues(sent.headers, "content-md5")[0] ?? "",
    contentType: headerValues(sent.headers, "content-type")[0] ?? "",
    expires,
    amz: [
      ...[...names].map((name): SignedHeader => ({ name, values: headerValues(sent.headers, name) })),
      ...hoisted.map(([name, value]): SignedHeader => ({ name: name.toLowerCase(), values: [value] })),
    ],
    path: sentUrl.wire.path,
    virtualBucket: amazonBucket(sent.authority) ?? "",
    subResources: parameters.filter(([name]) => isSubResource(name)),
    secret: "",
  };
}

function partsOf({ virtualBucket, path, subResources, ...parts }: V2Input): S3V2Parts {
  return { ...parts, resource: canonicalizedResource(virtualBucket, path, subResources) };
}

function textOf(input: V2Input): string {
  return s3V2StringToSign(partsOf(input));
}

/** botocore writes the headers that it signed into the query, too. */
function hoistedHeaders(url: SplitUrl): readonly { readonly name: string; readonly value: string }[] {
  return readParameters(url)
    .filter(([name]) => /^content-(?:type|md5)$/.test(name))
    .map(([name, value]) => ({ name, value }));
}

/** A header in the query that was not sent with this value. */
function hoistedCause({ url, sent, known }: Subject): Cause | undefined {
  const wrong = hoistedHeaders(url).find(({ name, value }) => headerValues(sent.headers, name)[0] !== value);
  if (!known.headers || wrong === undefined) return undefined;
  const { name, value } = wrong;
  const sentence = `The URL was signed with the header ${name}: ${value}, which was not sent so.`;
  return causeOf("HEADER", sentence, `Send ${name}: ${value}.`, `the parameter ${name} of the URL`);
}

/** Backblaze B2 treats a URL of this version as unsigned, and says that the bucket is not public. */
function legacy({ code, message }: ServerError): Cause {
  return causeOf(
    "LEGACY_SIGNATURE",
    "The server does not support Signature Version 2, and treated the request as unsigned.",
    "Sign with Signature Version 4.",
    `The server says ${code}: ${message}`,
  );
}

/** Sent headers that are signed without being named, except those in the query. */
function implied({ contentMd5, contentType, amz }: V2Input, { sentUrl }: Subject): NonNullable<Undecided["headers"]> {
  const hoisted = readParameters(sentUrl).map(([name]) => name.toLowerCase());
  const content = [
    { name: "content-md5", values: [contentMd5] },
    { name: "content-type", values: [contentType] },
  ];
  return [...content.filter(({ values }) => values[0] !== ""), ...amz.filter(({ name }) => !hoisted.includes(name))];
}

function v2Traps(open: readonly string[], credential: Credential): readonly Trap[] {
  const text =
    "Signature Version 2: host, scheme and all query parameters but sub-resources are open, and AWS regions since 2014 refuse it.";
  const unsigned = `${open.join(", ")}: not signed, the holder of the URL can change it. S3 serves it anyway, a Daypass server refuses it.`;
  return [
    { name: "sigv2", text },
    ...(open.length === 0 ? [] : [{ name: "open-parameters", text: unsigned }]),
    ...tokenTraps(credential, TOKEN, "Expires"),
  ];
}

/** The likeliest first. */
function* variants(input: V2Input, { sent }: Subject, types: readonly string[]): Generator<Variant<V2Input>> {
  yield* methodVariants(input);
  yield* secretVariants(input);
  yield* contentTypes(input.contentType, (contentType) => ({ ...input, contentType }), new Set(types));
  const bucket = input.virtualBucket === "" ? bucketOfHost(sent.authority)?.bucket : "";
  if (bucket !== undefined) {
    yield {
      code: "HOST",
      input: { ...input, virtualBucket: bucket },
      signed: `The URL was signed ${bucket === "" ? "without the bucket of its host" : `with ${bucket} in its host as the bucket`}.`,
      seen: `The server ${bucket === "" ? "did not take the host's first label" : `took ${bucket} in the host`} as the bucket.`,
      fix: "Configure the server's domain, so that it finds the bucket in the host; or use path style.",
    };
  }
  yield* pathVariants(input, input.path);
  for (const parameter of input.subResources) {
    yield {
      code: "QUERY",
      input: { ...input, subResources: input.subResources.filter((other) => other !== parameter) },
      signed: `The query parameter ${parameter[0]} was added after signing, or the signer did not sign it.`,
      seen: `The server did not count the query parameter ${parameter[0]}.`,
      fix: "Put sub-resources and response-* into the request before it is signed.",
    };
  }
  for (const header of input.amz) {
    yield {
      code: header.name === TOKEN ? "TOKEN_AFTER_SIGNING" : "UNSIGNED_HEADER",
      input: { ...input, amz: input.amz.filter((other) => other !== header) },
      signed: `${header.name} was added after signing.`,
      seen: `${header.name} did not reach the server, or it did not count it.`,
      fix: "SigV2 signs every x-amz-* header: send exactly those that were signed, and let no proxy add one.",
    };
  }
  yield* movedEnds(input.expires, (expires) => ({ ...input, expires }));
}
