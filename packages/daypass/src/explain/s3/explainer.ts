import { UNSIGNED_PAYLOAD } from "../../schemes/s3/canonical.ts";
import type { S3Credentials } from "../../schemes/s3/credentials.ts";
import { detectS3 } from "../../schemes/s3/parse.ts";
import { earlier } from "../cause/life.ts";
import type { Explained, Explainer, SplitUrl, Subject } from "../explainer.ts";
import type { Explanation, Trap } from "../explanation.ts";
import { spellings } from "../secrets.ts";
import { lifeTraps, s3Traps, urlTraps } from "../traps.ts";
import { learnSent } from "../v4/diagnosis.ts";
import { openBody } from "../v4/open-body.ts";
import { signedValue, v4CanonicalRequest, v4StringToSign } from "../v4/variants.ts";
import { diagnoseS3, s3Input } from "./diagnosis.ts";
import { isS3Credentials, methodOfOperation, readS3Facts, type S3Facts, s3Resource, untilKeyEnds } from "./facts.ts";
import { type S3Version, SIGV4 } from "./version.ts";

/** S3 presigned URLs in Signature Version 4. */
export const s3Explainer: Explainer = { detects: detectS3, explain: (subject) => explainS3(subject, SIGV4) };

/** Explains a URL of one of the versions that have a canonical request. */
export async function explainS3(given: Subject, version: S3Version): Promise<Explained> {
  const { url } = given;
  const facts = readS3Facts(url);
  const subject = learnSent(given, (from) => s3Input(version, from, facts, ""));
  const keys = subject.keys.filter(isS3Credentials);
  const own = keys.find(({ accessKeyId }) => accessKeyId === facts.accessKeyId);
  const input = s3Input(version, subject, facts, own?.secretAccessKey ?? "");
  const { key, ...diagnosis } = await diagnoseS3({ version, subject, facts, input, keys });
  const headers = facts.signedHeaders.filter((name) => name !== "host");
  const method = diagnosis.method ?? methodOfOperation(facts.operation);
  const signed = { ...input, method: subject.known.method ? input.method : (method ?? input.method) };
  const endsAt = facts.endsAt && earlier(facts.endsAt, key?.expiration ?? undefined);
  const regions = facts.regionSet === "*" ? "any region" : (facts.regionSet ?? facts.region);
  const explanation: Explanation = {
    scheme: version.scheme,
    summary: `${version.title}${method === undefined ? "" : ` to ${method}`} ${method === undefined ? "for" : "the"} ${s3Resource(url)}, signed by ${facts.accessKeyId || "nobody"} for ${regions || "no region"}${endsAt === undefined ? "" : `, valid until ${endsAt.toISOString()}`}.`,
    signedBy: facts.accessKeyId,
    grants: { methods: method === undefined ? undefined : [method], resource: s3Resource(url) },
    binds: [
      "method",
      `host ${url.authority}`,
      "path",
      "all query parameters",
      "signing time and life",
      ...(facts.regionSet === undefined ? [] : ["set of regions"]),
      ...headers.map((name) => `header ${name}`),
      ...(input.payload === UNSIGNED_PAYLOAD ? [] : ["body (its SHA-256)"]),
    ],
    leavesOpen: [
      "scheme",
      ...openBody(input),
      ...(headers.includes("content-type") ? [] : ["header content-type"]),
      "all headers that are not listed, other than x-amz-*",
      "who uses it, from where, and how often",
    ],
    signedAt: facts.signedAt,
    startsAt: facts.signedAt,
    endsAt,
    mayEndEarlier: mayEndEarlier(version, facts, key),
    // What was sent is no proof of what was signed.
    mustSend: headers.map((name) => ({ name, value: signedValue(diagnosis.headers, name) })),
    traps: [...urlTraps(url), ...s3Traps(url), ...timeTraps(facts, subject.now), ...s3OnlyTraps(facts, url, method)],
    cause: diagnosis.cause,
    hypotheses: diagnosis.hypotheses,
    canonicalRequest: key === undefined ? undefined : v4CanonicalRequest(signed),
    stringToSign: key === undefined ? undefined : v4StringToSign(signed),
  };
  return { explanation, hidden: [facts.signature, ...spellings(facts.token)] };
}

function mayEndEarlier({ lifetime }: S3Version, facts: S3Facts, key: S3Credentials | undefined): string | undefined {
  if (key?.expiration !== undefined) return undefined;
  if (lifetime !== undefined && facts.token !== undefined) return lifetime;
  return untilKeyEnds(facts);
}

function timeTraps(facts: S3Facts, now: Date): readonly Trap[] {
  const life = lifeTraps(facts, now, "X-Amz-Expires");
  if (facts.token === undefined) return life;
  const text = "The URL carries a session token and expires with it, whatever X-Amz-Expires says.";
  return [{ name: "session-token", text }, ...life];
}

const TOKEN = "x-amz-security-token";

function s3OnlyTraps(facts: S3Facts, url: SplitUrl, method: string | undefined): readonly Trap[] {
  const traps: Trap[] = [];
  const isRegional = facts.regionSet === undefined;
  if (isRegional && /(?:^|\.)s3\.amazonaws\.com$/.test(url.authority) && facts.region !== "us-east-1") {
    traps.push({
      name: "global-endpoint",
      text: `The host is global but the signature is for ${facts.region}: a new bucket answers with a redirect to another host, which breaks the signature. Use s3.${facts.region}.amazonaws.com.`,
    });
  }
  if (facts.regionSet?.includes("*")) {
    traps.push({
      name: "region-pattern",
      text: `X-Amz-Region-Set is ${facts.regionSet}: the URL is valid in every region that matches it, future ones included.`,
    });
  }
  if (facts.accessKeyId.startsWith("ASIA") && facts.token === undefined && !facts.signedHeaders.includes(TOKEN)) {
    traps.push({
      name: "missing-session-token",
      text: "An access key ASIA… is temporary and needs X-Amz-Security-Token, which is missing.",
    });
  }
  if (method === "PUT" && !facts.signedHeaders.includes("content-type")) {
    traps.push({
      name: "open-content-type",
      text: "The Content-Type of this upload is not signed: the holder chooses it, even text/html.",
    });
  }
  return traps;
}
