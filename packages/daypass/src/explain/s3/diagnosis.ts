import { UNSIGNED_PAYLOAD } from "../../schemes/s3/canonical.ts";
import type { S3Credentials } from "../../schemes/s3/credentials.ts";
import { headerValues } from "../../wire/raw-target.ts";
import { amazonRegion, amazonService, isAmazonWebsite } from "../amazon-host.ts";
import { grammarCause } from "../cause/grammar.ts";
import { mixedKeys, noneFits, OTHER_HOST } from "../cause/keys.ts";
import { isMismatch, isVague } from "../cause/server-cause.ts";
import type { ToldMethod } from "../cause/undecided.ts";
import type { Diagnosis, Subject } from "../explainer.ts";
import type { Cause } from "../explanation.ts";
import { readParameters } from "../parameters.ts";
import { s3Traps } from "../traps.ts";
import { checkV4, type V4Diagnosis } from "../v4/check.ts";
import { timeCause } from "../v4/diagnosis.ts";
import { firstCause } from "../v4/order.ts";
import { type V4Input, v4Input } from "../v4/variants.ts";
import { keyEndCause, methodOfOperation, type S3Facts, s3Cause, TOKEN, tokenCause, uploadMark } from "./facts.ts";
import { refine } from "./refine.ts";
import { storeRegion } from "./store-region.ts";
import { storeHost, unsignedHost } from "./unsigned-hosts.ts";
import type { S3Version } from "./version.ts";

/** What would be signed for the request as it was sent. */
export function s3Input(
  { dialect }: S3Version,
  { sent, sentUrl, request }: Subject,
  facts: S3Facts,
  secret: string,
): V4Input {
  const header = headerValues(sent.headers, "x-amz-content-sha256")[0];
  const parameter = readParameters(sentUrl).find(([name]) => name === "X-Amz-Content-Sha256")?.[1];
  const isSigned = facts.signedHeaders.includes("x-amz-content-sha256");
  return v4Input({
    dialect,
    method: sent.method,
    rawPath: sentUrl.wire.path,
    tokens: sentUrl.wire.tokens.filter(({ name }) => name !== "X-Amz-Signature"),
    headers: facts.signedHeaders.map((name) => ({
      name,
      values: name === "host" ? [storeHost(sent.authority)] : headerValues(sent.headers, name),
    })),
    payload: (isSigned ? (header ?? request?.bodySha256) : undefined) ?? parameter ?? UNSIGNED_PAYLOAD,
    scope: { date: facts.date, region: facts.region, service: facts.service },
    time: facts.time,
    secret,
  });
}

/** What a diagnosis works on. */
interface Case {
  readonly version: S3Version;
  readonly subject: Subject;
  readonly facts: S3Facts;
  /** What would be signed for the request as it was sent. */
  readonly input: V4Input;
  readonly keys: readonly S3Credentials[];
}

/** A diagnosis, and the key that its words about tokens and ends are of. */
export interface S3Diagnosis extends Diagnosis {
  readonly key: S3Credentials | undefined;
}

/** Finds the cause, in the order of {@link firstCause}. */
export async function diagnoseS3(given: Case): Promise<S3Diagnosis> {
  const { facts, subject } = given;
  const { error, now } = subject;
  const isRefused = error !== undefined && isMismatch(error);
  const said = error === undefined || isRefused ? undefined : s3Cause(error, now);
  const { signature, key } = await checkSignature(given);
  const { isProven: _, signer: __, ...rest } = signature;
  const own = isRefused ? undefined : (bodyCause(given, signature) ?? keyCause(given, key));
  const scope = scopeCause(given, signature);
  const grammar = readGrammar(given);
  const isExact = said !== undefined && error !== undefined && !isVague(error);
  // A server that says "malformed" leaves it to the reader to find out what.
  const unread = said?.code === "MALFORMED" ? (grammar ?? scope) : undefined;
  const cause = firstCause({
    subject,
    headers: given.input.headers,
    signature,
    said: isExact ? (unread ?? refine(said, facts, subject)) : said,
    malformed: grammar ?? hoistedCause(given),
    beside: scope ?? own,
    // A signature that was made for another service.
    certain: scope?.code === "SERVICE" ? scope : undefined,
    late: timeCause(facts, now) ?? keyEndCause(key, facts.endsAt, now),
  });
  return { ...rest, key, cause };
}

/** The key has a session token, and neither the URL nor a header has it. */
function keyCause({ facts, subject }: Case, key: S3Credentials | undefined): Cause | undefined {
  if (!key?.sessionToken) return undefined;
  const { token } = facts;
  if (token === undefined || token === key.sessionToken) return tokenCause(facts, TOKEN, subject);
  const isCut = key.sessionToken.startsWith(token);
  return {
    code: "INVALID_TOKEN",
    sentence: `The session token in the URL (${TOKEN}) does not belong to the given key: ${isCut ? "its end was cut off" : "it was changed in transit, or belongs to another session"}.`,
    evidence: [],
    fix: "Pass the URL on byte for byte as it was made, or sign again with access key, secret and session token from one set of credentials.",
  };
}

/** The body is another one than its hash says, which was signed only where a key has shown it or the URL has it. */
function bodyCause(
  { input: { payload }, subject: { request, sentUrl } }: Case,
  { signer }: V4Diagnosis,
): Cause | undefined {
  const { bodySha256 } = request ?? {};
  if (bodySha256 === undefined || !/^[0-9a-f]{64}$/.test(payload) || payload === bodySha256) return undefined;
  if (signer === undefined && !readParameters(sentUrl).some(([name]) => name === "X-Amz-Content-Sha256")) {
    return {
      code: "HEADER",
      sentence:
        "The header x-amz-content-sha256 that was sent is not the hash of the body: either the header or the body differs from what was signed.",
      evidence: [`the header: ${payload}`, `the body: ${bodySha256}`],
      fix: "Send the header with the value that was signed, and the body that has this hash.",
    };
  }
  return {
    code: "PAYLOAD",
    sentence: "The body differs from the one that was signed: its hash does not match x-amz-content-sha256.",
    evidence: [`signed: ${payload}`, `the body: ${bodySha256}`],
    fix: "Send the body that was signed, or sign with UNSIGNED-PAYLOAD.",
  };
}

function readGrammar({ version, subject: { sent, sentUrl }, facts }: Case): Cause | undefined {
  // A header that is missing is no fault of the grammar, and nobody may have told the headers.
  const hash = "x-amz-content-sha256";
  const isOpen = facts.signedHeaders.includes(hash) && headerValues(sent.headers, hash).length === 0;
  const parameter = readParameters(sentUrl).find(([name]) => name === "X-Amz-Content-Sha256")?.[1];
  const headers = isOpen ? [...sent.headers, [hash, parameter ?? UNSIGNED_PAYLOAD] as const] : sent.headers;
  const received = {
    request: { ...sent, headers },
    wire: sentUrl.wire,
    origin: `${sentUrl.protocol}://${sent.authority}`,
    wildcard: "",
  };
  // Of SigV4A it is DER, which tells its length itself.
  const isHex = facts.regionSet === undefined;
  return grammarCause(() => version.checkGrammar(received), {
    refusesHeaders: true,
    signature: isHex ? { parameter: "X-Amz-Signature", text: facts.signature, digits: 64 } : undefined,
  });
}

/** A header that an SDK has put into the query, and of which the server complains. */
function hoistedCause({ subject: { url, error } }: Case): Cause | undefined {
  if (error === undefined || isMismatch(error)) return undefined;
  const message = error.message.toLowerCase();
  const trap = s3Traps(url).find(
    ({ name, text }) => name === "header-in-query" && message.includes(text.split(" ", 1)[0] as string),
  );
  if (trap === undefined) return undefined;
  const evidence = [`The server says ${error.code}: ${error.message}`];
  return { code: "HEADER", sentence: trap.text, evidence, fix: "Sign it as a header, and send it." };
}

function scopeCause(
  { version, subject: { url, error }, facts: { region, regionSet, service } }: Case,
  { signer }: V4Diagnosis,
): Cause | undefined {
  const expected = amazonService(url.authority) ?? version.dialect.services[0];
  if (service !== expected && service !== "s3express") {
    return {
      code: "SERVICE",
      sentence: `The URL was signed for the service ${service}, but S3 expects ${expected}.`,
      evidence: [],
      fix: `Sign for the service ${expected}.`,
    };
  }
  const cdn = unsignedHost(url.authority);
  if (cdn !== undefined && error !== undefined && !(cdn.passesOn === true && signer !== undefined)) {
    return {
      code: "ENDPOINT",
      sentence: `${url.authority} is ${cdn.what}, which ${cdn.why}.`,
      evidence: [`host ${url.authority}`],
      fix: cdn.fix,
    };
  }
  if (isAmazonWebsite(url.authority)) {
    return {
      code: "ENDPOINT",
      sentence: "The host is the bucket's website endpoint, which does not accept signed requests.",
      evidence: [`host ${url.authority}`],
      fix: "Sign for the bucket's regional endpoint (s3.REGION.amazonaws.com).",
    };
  }
  if (regionSet !== undefined) return undefined;
  // Whether those take another region nobody has written down: where they refuse, it is the first to look at.
  const hostRegion = amazonRegion(url.authority) ?? (error === undefined ? undefined : storeRegion(url.authority));
  if (hostRegion === undefined || hostRegion === region) return undefined;
  return {
    code: "REGION",
    sentence: `The URL was signed for the region ${region}, but its host is in ${hostRegion}.`,
    evidence: [`host ${url.authority}`],
    fix: `Sign for ${hostRegion}, or use the endpoint of ${region}.`,
  };
}

/** The key is the one whose secret gave the signature; where none did, the first of the id that the URL names. */
async function checkSignature({
  version,
  subject,
  facts,
  input,
  keys,
}: Case): Promise<{ readonly signature: V4Diagnosis; readonly key: S3Credentials | undefined }> {
  const { accessKeyId } = facts;
  const fits = version.matcher(facts);
  const asked = keys.map((key) => ({ id: key.accessKeyId, secret: key.secretAccessKey, fits }));
  const signature = await checkV4({
    subject,
    input,
    signed: signedInput(version, subject, facts),
    keyId: accessKeyId,
    keys: asked,
    told: told(facts),
    likely: uploadMark(subject),
    isWhole: /^[0-9a-f]{64,}$/.test(facts.signature),
    says: {
      otherId: (id) => mixedKeys(`the key ${accessKeyId}`, id, { what: "secret" }),
      wrongKey: (tried) => ({
        code: "WRONG_SECRET",
        sentence: `The URL was signed with a different secret than the one given for ${accessKeyId}, or changed in a way that explain does not recognize.`,
        evidence: [noneFits(tried)],
        fix: `Compare the signer's secret with the server's; look for a rotated key. ${OTHER_HOST}`,
      }),
      otherAtServer: () => ({
        code: "WRONG_SECRET",
        sentence: `The signature is right for this request and the given secret: the server holds another secret for ${accessKeyId}, or a proxy changed the request before it arrived.`,
        evidence: [`checked at ${subject.now.toISOString()}`],
        fix: "Compare the server's secret with this one; then check the proxies between client and server.",
      }),
    },
  });
  const signer = keys.find((_, i) => asked[i] === signature.signer);
  return { signature, key: signer ?? keys.find((key) => key.accessKeyId === accessKeyId) };
}

/** The request that the given URL stands for, whatever was sent. */
function signedInput(version: S3Version, subject: Subject, facts: S3Facts): V4Input {
  const { url, sent } = subject;
  return s3Input(version, { ...subject, sentUrl: url, sent: { ...sent, authority: url.authority } }, facts, "");
}

/** The method that AWS's SDK for JavaScript writes down as the operation. */
function told({ operation }: S3Facts): ToldMethod | undefined {
  const method = methodOfOperation(operation);
  return method === undefined ? undefined : { method, by: `x-id=${operation}` };
}
