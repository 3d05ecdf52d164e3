import { AWS4 } from "../../core/v4.ts";
import type { S3Credentials } from "../../schemes/s3/credentials.ts";
import { checkSignatureForm } from "../../schemes/s3/parse.ts";
import { uriEncodePath } from "../../wire/encoding.ts";
import { malformed } from "../../wire/parameters.ts";
import { headerValues } from "../../wire/raw-target.ts";
import { grammarCause } from "../cause/grammar.ts";
import { mixedKeys, noneFits } from "../cause/keys.ts";
import { duration } from "../cause/life.ts";
import { isMismatch, serverCause } from "../cause/server-cause.ts";
import { NOT_VALID } from "../error-body.ts";
import type { Diagnosis, Subject } from "../explainer.ts";
import type { Cause } from "../explanation.ts";
import { readParameters } from "../parameters.ts";
import { keyEndCause, type S3Facts, TOKEN, tokenCause } from "../s3/facts.ts";
import { EMPTY_SHA256 } from "../search/unknowns.ts";
import { checkV4, type V4Diagnosis } from "../v4/check.ts";
import { timeCause } from "../v4/diagnosis.ts";
import { firstCause } from "../v4/order.ts";
import { type V4Dialect, type V4Input, v4Input, v4Signatures } from "../v4/variants.ts";
import type { AwsService } from "./services.ts";

interface Signed {
  readonly subject: Subject;
  readonly facts: S3Facts;
  readonly secret?: string | undefined;
  /** Whether the session token is signed where the service takes it appended. */
  readonly withToken?: true;
}

function dialectOf({ names, called }: AwsService): V4Dialect {
  return {
    name: called,
    family: AWS4,
    prefix: "X-Amz-",
    optional: /^X-Amz-(?:Content-Sha256|Security-Token)$/,
    lost: [],
    regions: ["us-east-1", "eu-west-1", "us-west-2", ""],
    services: names,
    hasSecret: true,
    isRegional: true,
  };
}

/** What would be signed for the request as it was sent: the path encoded twice, and of a body the hash of an empty one. */
export function awsInput(service: AwsService, { subject, facts, secret = "", withToken }: Signed): V4Input {
  const { sent, sentUrl } = subject;
  const { unsigned = [], appendsToken } = service;
  const left = [...unsigned, "X-Amz-Signature", ...(appendsToken === true && withToken !== true ? [TOKEN] : [])];
  const header = headerValues(sent.headers, "x-amz-content-sha256")[0];
  const parameter = readParameters(sentUrl).find(([name]) => name === "X-Amz-Content-Sha256")?.[1];
  const input = v4Input({
    dialect: dialectOf(service),
    method: sent.method,
    rawPath: sentUrl.wire.path,
    tokens: sentUrl.wire.tokens.filter(({ name }) => !left.includes(name)),
    headers: facts.signedHeaders.map((name) => ({
      name,
      values: name === "host" ? [sent.authority] : headerValues(sent.headers, name),
    })),
    payload: (facts.signedHeaders.includes("x-amz-content-sha256") ? header : undefined) ?? parameter ?? EMPTY_SHA256,
    scope: { date: facts.date, region: facts.region, service: facts.service },
    time: facts.time,
    secret,
  });
  return { ...input, path: uriEncodePath(input.path) };
}

interface Case {
  readonly service: AwsService;
  readonly subject: Subject;
  readonly facts: S3Facts;
  /** By what the service counts. */
  readonly endsAt: Date | undefined;
  readonly keys: readonly S3Credentials[];
}

/** Finds the cause, in the order of {@link firstCause}. */
export async function diagnoseAws(given: Case): Promise<Diagnosis & { readonly key: S3Credentials | undefined }> {
  const { service, subject, facts, endsAt } = given;
  const { error, now } = subject;
  const input = awsInput(service, { subject, facts });
  const { signature, key } = await checkSignature(given, input);
  const { isProven: _, signer: __, ...rest } = signature;
  const scope = serviceCause(given);
  const said = error === undefined || isMismatch(error) ? undefined : saidCause(given);
  // An answer that is given for everything comes behind all that was found.
  const saysNothing = error?.code === NOT_VALID;
  const cause = firstCause({
    subject: saysNothing ? { ...subject, error: undefined } : subject,
    headers: input.headers,
    signature,
    said,
    malformed: grammar(given),
    beside: scope ?? (key?.sessionToken ? tokenCause(facts, TOKEN, subject) : undefined),
    certain: scope,
    late: timeCause({ ...facts, endsAt, expires: service.life ?? facts.expires }, now) ?? keyEndCause(key, endsAt, now),
  });
  return { ...rest, key, cause };
}

const OWN = ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-SignedHeaders", "X-Amz-Signature"];

function grammar({ service, subject: { sentUrl }, facts }: Case): Cause | undefined {
  const names = readParameters(sentUrl).map(([name]) => name);
  const { maxExpires } = service;
  const damaged = grammarCause(
    () => {
      for (const name of OWN) {
        if (!names.includes(name)) throw malformed(name, "missing", "a parameter with a value");
        if (names.indexOf(name) !== names.lastIndexOf(name)) throw malformed(name, "duplicate", "one parameter");
      }
      checkSignatureForm(facts.signature);
      if (facts.signedAt === undefined) throw malformed("X-Amz-Date", "form", "a real instant as YYYYMMDDTHHMMSSZ");
    },
    { signature: { parameter: "X-Amz-Signature", text: facts.signature, digits: 64 } },
  );
  if (damaged !== undefined || maxExpires === undefined || !(facts.expires > maxExpires)) return damaged;
  return {
    code: "MALFORMED",
    sentence: `Its lifetime (X-Amz-Expires) is ${duration(facts.expires)}, and ${service.called} accepts at most ${duration(maxExpires)}.`,
    evidence: [],
    fix: `Sign with a lifetime of at most ${maxExpires} seconds, and sign again when it expires.`,
  };
}

/** A signature that was made for another service than the host's. */
function serviceCause({ service, subject: { url }, facts }: Case): Cause | undefined {
  const { names, called } = service;
  if (facts.service === "" || names.includes(facts.service)) return undefined;
  return {
    code: "SERVICE",
    sentence: `The URL was signed for the service ${facts.service}, but ${called} expects ${names.join(" or ")}.`,
    evidence: [`host ${url.authority}`],
    fix: `Sign for the service ${names[0]}.`,
  };
}

/** What was answered: of a service that refuses everything with the same words what there is to look at. */
function saidCause({ service, subject: { error, now } }: Case): Cause | undefined {
  if (error === undefined) return undefined;
  const check = `Check that ${service.check}.`;
  const said = error.code === NOT_VALID ? undefined : serverCause(error, now);
  if (said !== undefined) return said.code === "PERMISSION" ? { ...said, fix: check } : said;
  if (error.code !== NOT_VALID) return undefined;
  return {
    code: "PERMISSION",
    sentence: `${service.called} refuses it without saying why${refusalMeans(service)}.`,
    evidence: [],
    fix: check,
  };
}

function refusalMeans({ refusal, tellsSignatures }: AwsService): string {
  if (refusal === undefined) return "";
  return tellsSignatures === true
    ? "; it does say when a signature does not match or has expired"
    : ": it gives the same answer for an expired token, a wrong signature and a signer without permission";
}

async function checkSignature(
  { service, subject, facts, keys }: Case,
  input: V4Input,
): Promise<{ readonly signature: V4Diagnosis; readonly key: S3Credentials | undefined }> {
  const { accessKeyId } = facts;
  const signatureOf = v4Signatures(AWS4);
  const named = keys.find((key) => key.accessKeyId === accessKeyId);
  if (named !== undefined && service.appendsToken === true && facts.token !== undefined) {
    const other = awsInput(service, { subject, facts, secret: named.secretAccessKey, withToken: true });
    if (signatureOf(other) === facts.signature)
      return { signature: { isProven: true, cause: SIGNED_TOKEN }, key: named };
  }
  const asked = keys.map((key) => ({
    id: key.accessKeyId,
    secret: key.secretAccessKey,
    fits: (tried: V4Input) => signatureOf(tried) === facts.signature,
  }));
  const { url, sent } = subject;
  const signature = await checkV4({
    subject,
    input,
    signed: awsInput(service, {
      subject: { ...subject, sentUrl: url, sent: { ...sent, authority: url.authority } },
      facts,
    }),
    keyId: accessKeyId,
    keys: asked,
    told: service.method && { method: service.method, by: `there is no other for ${service.called}` },
    isWhole: /^[0-9a-f]{64,}$/.test(facts.signature),
    wrongKeyTellsHeaders: true,
    says: {
      otherId: (id) => mixedKeys(`the key ${accessKeyId}`, id, { what: "secret" }),
      wrongKey: (tried) => ({
        code: "WRONG_SECRET",
        sentence: `It was signed with a different secret than the one given for ${accessKeyId}, or changed in a way that explain does not recognize.`,
        evidence: [noneFits(tried)],
        fix: `Check the signer's secret; look for a rotated key.${comparing(facts.signedHeaders)}`,
      }),
      otherAtServer: () => ({
        code: "PROXY",
        sentence: `The signature is right for this request and the given secret of ${accessKeyId}: ${service.called} received a different request.`,
        evidence: [`checked at ${subject.now.toISOString()}`],
        fix: "Check the proxies between client and server: host, path and query have to arrive as they were signed.",
      }),
    },
  });
  const signer = keys.find((_, i) => asked[i] === signature.signer);
  const { cause } = signature;
  const told = cause?.code === "PAYLOAD" ? { ...signature, cause: { ...cause, fix: EMPTY_BODY } } : signature;
  return { signature: told, key: signer ?? named };
}

/** The values of signed headers are in no URL: one that was sent may be another than the signer's. */
function comparing(signedHeaders: readonly string[]): string {
  const names = signedHeaders.filter((name) => name !== "host");
  return names.length === 0
    ? ""
    : ` Compare the ${names.join(", ")} that was sent with what the signer had: it is signed.`;
}

const EMPTY_BODY =
  "Sign with the hash of an empty body: UNSIGNED-PAYLOAD is for S3, and for the few services that document it (VPC Lattice).";

const SIGNED_TOKEN: Cause = {
  code: "QUERY",
  sentence:
    "The session token was signed with the rest of the query, but IoT Core accepts it only when it is appended after the signature.",
  evidence: ["The given key gives the signature with X-Amz-Security-Token in the canonical query."],
  fix: "Sign without the session token, and append &X-Amz-Security-Token=… (percent-encoded) to the signed URL.",
};
