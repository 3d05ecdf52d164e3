import type { WireRequest } from "../../core/contracts.ts";
import { detectS3 } from "../../schemes/s3/parse.ts";
import { earlier } from "../cause/life.ts";
import { decodeOr } from "../decoded.ts";
import type { Explained, Explainer, SplitUrl, Subject } from "../explainer.ts";
import type { Trap } from "../explanation.ts";
import { readParameters } from "../parameters.ts";
import { isS3Credentials, readS3Facts, type S3Facts, untilKeyEnds } from "../s3/facts.ts";
import { spellings } from "../secrets.ts";
import { lifeTraps, urlTraps } from "../traps.ts";
import { learnSent } from "../v4/diagnosis.ts";
import { signedValue, v4CanonicalRequest, v4StringToSign } from "../v4/variants.ts";
import { awsInput, diagnoseAws } from "./diagnosis.ts";
import { AWS_SERVICES, type AwsFacts, type AwsService, awsService } from "./services.ts";

const SERVICE = /[?&]X-Amz-Credential=[^&]*?(?:%2F|\/)([a-z0-9-]{1,64})(?:%2F|\/)aws4_request(?:&|$)/i;

/** Requests of AWS's other services that are signed in their query: Signature Version 4 as S3's are, and for no bucket. */
export const awsExplainer: Explainer = {
  detects: (request) => detectS3(request) && serviceOf(request) !== undefined,
  explain: explainAws,
  // What databases and brokers say of a password, and kubectl of a token.
  ownRefusal: new RegExp(
    AWS_SERVICES.flatMap(({ refusal }) => (refusal === undefined ? [] : [refusal.source])).join("|"),
    "i",
  ),
};

function serviceOf({ target, authority }: Pick<WireRequest, "target" | "authority">): AwsService | undefined {
  return awsService(bareHost(authority), SERVICE.exec(target)?.[1] ?? "");
}

function bareHost(authority: string): string {
  return authority.replace(/:\d+$/, "").toLowerCase();
}

function factsOf(url: SplitUrl, { service, signedHeaders, expires }: S3Facts): AwsFacts {
  const parameters = new Map([...readParameters(url)].reverse());
  return {
    host: bareHost(url.authority),
    name: service,
    signedHeaders,
    expires,
    parameter: (name) => parameters.get(name) ?? "",
  };
}

async function explainAws(given: Subject): Promise<Explained> {
  const { url, now } = given;
  const signature = readS3Facts(url);
  const service = serviceOf({ target: `?${url.wire.query}`, authority: url.authority }) as AwsService;
  const facts = factsOf(url, signature);
  const { what, opens, method: only, isPassword, life, unsigned = [] } = service;
  const subject = learnSent(given, (from) => awsInput(service, { subject: from, facts: signature }));
  const keys = subject.keys.filter(isS3Credentials);
  const { signedAt } = signature;
  const end = life === undefined || signedAt === undefined ? signature.endsAt : later(signedAt, life);
  const { key, ...diagnosis } = await diagnoseAws({ service, subject, facts: signature, endsAt: end, keys });
  const endsAt = end && earlier(end, key?.expiration ?? undefined);
  const method = only ?? diagnosis.method;
  const address = `${url.authority}${decodeOr(url.wire.path)}`;
  const resource = opens === undefined ? address : `${opens(facts)}, at ${isPassword ? facts.host : address}`;
  const headers = signature.signedHeaders.filter((name) => name !== "host");
  const signed = awsInput(service, {
    subject: { ...subject, sent: { ...subject.sent, method: method ?? subject.sent.method } },
    facts: signature,
    secret: key?.secretAccessKey,
  });
  return {
    explanation: {
      scheme: "aws",
      summary: `${typeof what === "string" ? what : what(facts)} for ${resource}, signed by ${signature.accessKeyId || "nobody"} for ${signature.region || "no region"}${endsAt === undefined ? "" : `, valid until ${endsAt.toISOString()}`}.`,
      signedBy: signature.accessKeyId,
      grants: { methods: method === undefined ? undefined : [method], resource },
      binds: [
        ...["method", `host ${url.authority}`, "path"],
        unsigned.length === 0 && service.appendsToken !== true ? "all query parameters" : "query parameters",
        ...["signing time and life", ...headers.map((name) => `header ${name}`), "body (that it is empty)"],
      ],
      leavesOpen: [
        "scheme",
        ...(service.appendsToken === true ? ["session token"] : []),
        ...unsigned.map((name) => `parameter ${name}`),
        "who uses it, from where, and how often",
      ],
      signedAt,
      startsAt: signedAt,
      endsAt,
      mayEndEarlier: key?.expiration === undefined ? untilKeyEnds(signature) : undefined,
      mustSend: headers.map((name) => ({ name, value: signedValue(diagnosis.headers, name) })),
      traps: [
        ...urlTraps(url).filter(({ name }) => isPassword !== true || !/^(?:http|internal-host)$/.test(name)),
        ...tokenTraps(signature),
        ...lifeTraps({ ...signature, endsAt }, now, "X-Amz-Expires").filter(
          ({ name }) => life === undefined || !/-life$/.test(name),
        ),
        ...(service.traps ?? []).filter(({ has }) => has?.(facts) !== false).map(({ name, text }) => ({ name, text })),
      ],
      cause: diagnosis.cause,
      hypotheses: diagnosis.hypotheses,
      canonicalRequest: key === undefined ? undefined : v4CanonicalRequest(signed),
      stringToSign: key === undefined ? undefined : v4StringToSign(signed),
    },
    hidden: [signature.signature, ...spellings(signature.token)],
  };
}

function later(instant: Date, seconds: number): Date {
  return new Date(instant.getTime() + seconds * 1000);
}

function tokenTraps({ token, accessKeyId, signedHeaders }: S3Facts): readonly Trap[] {
  if (token !== undefined)
    return [
      { name: "session-token", text: "It carries a session token and expires with it, whatever X-Amz-Expires says." },
    ];
  if (!accessKeyId.startsWith("ASIA") || signedHeaders.includes("x-amz-security-token")) return [];
  const text = "An access key ASIA… is temporary and needs X-Amz-Security-Token, which is missing.";
  return [{ name: "missing-session-token", text }];
}
