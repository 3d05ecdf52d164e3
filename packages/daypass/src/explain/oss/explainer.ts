import { hmacSha256, sha256Hex } from "#crypto";
import { uriEncodePath } from "../../encode.ts";
import {
  headerLines,
  isAlwaysSigned,
  OSS4,
  ossQuery,
  resourcePath,
  type SignedHeader,
  UNSIGNED_PAYLOAD,
} from "../../oss/canonical.ts";
import { detectOss, parseOss } from "../../oss/parse.ts";
import type { Parameter } from "../../parameters.ts";
import { parseBasicTime } from "../../time.ts";
import {
  type CredentialScope,
  canonicalRequestText,
  compareText,
  scopeText,
  signingKey,
  stringToSignText,
} from "../../v4.ts";
import { headerValues } from "../../wire.ts";
import { type Case, diagnose } from "../cause/diagnosis.ts";
import { grammarCause } from "../cause/grammar.ts";
import { duration } from "../cause/life.ts";
import { missingHeader } from "../cause/request.ts";
import type { Explained, Explainer, SplitUrl, Subject } from "../explainer.ts";
import type { Cause } from "../explanation.ts";
import { readParameters } from "../parameters.ts";
import type { Variant } from "../search/search.ts";
import { hostSpellings } from "../search/spellings.ts";
import {
  headerVariants,
  impliedHeaders,
  parameterVariants,
  pathVariants,
  spelt,
  typeVariants,
  withType,
} from "../search/text-variants.ts";
import { completions, shownHeaders, withTypes } from "../search/unknowns.ts";
import { USUAL_LIVES } from "../search/usual-lives.ts";
import { methodVariants, secretVariants } from "../search/variants.ts";
import { spellings } from "../secrets.ts";
import { lifeTraps, urlTraps } from "../traps.ts";
import { signedValue } from "../v4/variants.ts";
import { alibabaHost, bucketsOf, decodedPath, mayEndEarlier, ossKeys, ossResource, ossTraps } from "./facts.ts";

/** Alibaba OSS presigned URLs in signature version 4. */
export const ossExplainer: Explainer = { detects: detectOss, explain: explainOss };

/** Everything that a signature depends on. */
interface OssInput {
  readonly method: string;
  /** Encoded, with the bucket in front. */
  readonly path: string;
  readonly parameters: readonly Parameter[];
  readonly headers: readonly SignedHeader[];
  readonly time: string;
  readonly scope: CredentialScope;
  /** The region that the signing key was derived for. */
  readonly keyRegion: string;
  readonly secret: string;
  /** How the query is written out. */
  readonly queryText: (parameters: readonly Parameter[]) => string;
}

interface Facts {
  readonly accessKeyId: string;
  readonly scope: CredentialScope;
  readonly time: string;
  readonly signedAt: Date | undefined;
  readonly expires: number;
  readonly endsAt: Date | undefined;
  readonly token: string | undefined;
  readonly additional: readonly string[];
  readonly signature: string;
}

function readFacts(url: SplitUrl): Facts {
  const values = new Map(readParameters(url));
  const get = (name: string): string => values.get(name) ?? "";
  const [accessKeyId = "", date = "", region = "", service = ""] = get("x-oss-credential").split("/");
  const time = get("x-oss-date");
  const signedAt = parseBasicTime(time);
  const expires = /^\d{1,9}$/.test(get("x-oss-expires")) ? Number(get("x-oss-expires")) : Number.NaN;
  return {
    accessKeyId,
    scope: { date, region, service },
    time,
    signedAt,
    expires,
    endsAt: signedAt && (expires > 0 ? new Date(signedAt.getTime() + expires * 1000) : undefined),
    token: values.get("x-oss-security-token"),
    additional: get("x-oss-additional-headers").split(";").filter(Boolean),
    signature: get("x-oss-signature"),
  };
}

async function explainOss(subject: Subject): Promise<Explained> {
  const { url, now } = subject;
  const facts = readFacts(url);
  const { accessKeyId, additional, endsAt, expires, scope, signature, signedAt, token } = facts;
  const resource = ossResource(url);
  const bindsHost = additional.includes("host");
  const { cause, hypotheses, method, fitting } = await diagnose(subject, (from) => caseOf(from, facts));
  return {
    explanation: {
      scheme: "oss",
      summary: `An Alibaba OSS presigned URL (signature V4) for ${resource}, signed by ${accessKeyId || "nobody"} in ${scope.region}${endsAt === undefined ? "" : `, valid for ${duration(expires)} until ${endsAt.toISOString()}`}.`,
      signedBy: accessKeyId,
      grants: { methods: method === undefined ? undefined : [method], resource },
      binds: [
        ...["method", "bucket", "key", "all query parameters", "start and end"],
        "headers content-type, content-md5 and x-oss-*, also that none of them is there",
        ...additional.map((name) => (name === "host" ? "host" : `header ${name}`)),
      ],
      leavesOpen: [
        bindsHost ? "scheme" : "scheme and host",
        "every other header",
        "body",
        "who uses it, from where, and how often",
      ],
      signedAt,
      startsAt: startOf(facts),
      endsAt,
      mayEndEarlier: mayEndEarlier(accessKeyId, token),
      mustSend: [
        ...additional
          .filter((name) => name !== "host")
          .map((name) => ({ name, value: signedValue(fitting?.headers, name) })),
        ...(fitting === undefined ? [] : shownHeaders(impliedHeaders(fitting, additional))),
      ],
      traps: [
        ...urlTraps(url).filter(({ name }) => bindsHost || name !== "host-port"),
        ...(bindsHost
          ? []
          : [{ name: "host-open", text: "The host is not signed: the URL works at every host of the bucket." }]),
        ...ossTraps(url),
        ...lifeTraps({ signedAt, endsAt, expires }, now, "x-oss-expires"),
      ],
      cause,
      hypotheses,
      canonicalRequest: fitting && canonicalRequest(fitting),
      stringToSign: fitting && stringToSign(fitting),
    },
    hidden: [...spellings(signature), ...spellings(token)],
  };
}

/** OSS takes a signing time that is up to 15 minutes ahead of its clock. */
function startOf({ signedAt }: Facts): Date | undefined {
  return signedAt && new Date(signedAt.getTime() - 900_000);
}

function caseOf(subject: Subject, facts: Facts): Case<OssInput> {
  const { sent, sentUrl, error, keys } = subject;
  return {
    subject,
    ...ossKeys(keys, facts.accessKeyId),
    inputFor: (url) => inputFor(url, subject, facts),
    textOf: stringToSign,
    fits: (input) => {
      const scope = { ...input.scope, region: input.keyRegion };
      return hmacSha256(signingKey(OSS4, input.secret, scope)).hex(stringToSign(input)) === facts.signature;
    },
    variantsOf: (input) => variants(input, subject),
    unknowns: (input) => withTypes(completions(input, subject), subject.known, withType),
    implied: (input) => impliedHeaders(input, facts.additional),
    listed: facts.additional,
    signsQuery: true,
    shown: error?.fields.get("StringToSign"),
    canonicalOf: canonicalRequest,
    grammar:
      missingHeader(subject, facts.additional) ??
      grammarCause(() => parseOss({ request: sent, wire: sentUrl.wire, origin: "", wildcard: "" }), {
        signature: { parameter: "x-oss-signature", text: facts.signature, digits: 64 },
      }),
    times: { startsAt: startOf(facts), endsAt: facts.endsAt },
    other: regionCause(sentUrl, facts),
  };
}

function inputFor(url: SplitUrl, { sent, sentUrl }: Subject, { scope, time, additional }: Facts): OssInput {
  const authority = url === sentUrl ? sent.authority : url.authority;
  const names = sent.headers.map(([name]) => name.toLowerCase()).filter(isAlwaysSigned);
  const bucket = alibabaHost(authority)?.bucket;
  const path = bucket === undefined ? decodedPath(url) : resourcePath(bucket, decodedPath(url).slice(1));
  return {
    method: sent.method,
    path: uriEncodePath(path),
    parameters: readParameters(url).filter(([name]) => name !== "x-oss-signature"),
    headers: [...new Set([...names, ...additional])].map((name) => ({
      name,
      values: name === "host" ? [authority] : headerValues(sent.headers, name),
    })),
    time,
    scope,
    keyRegion: scope.region,
    secret: "",
    queryText: ossQuery,
  };
}

function canonicalRequest({ method, path, parameters, headers, queryText }: OssInput): string {
  return canonicalRequestText({
    method,
    path,
    query: queryText(parameters),
    headers: headerLines(headers),
    signedHeaders: parameters.find(([name]) => name === "x-oss-additional-headers")?.[1] ?? "",
    payload: headers.find(({ name }) => name === "x-oss-content-sha256")?.values.join(",") ?? UNSIGNED_PAYLOAD,
  });
}

function stringToSign(input: OssInput): string {
  return stringToSignText(OSS4, input.time, scopeText(OSS4, input.scope), sha256Hex(canonicalRequest(input)));
}

/** The variants in the order of how often they are the cause. */
function* variants(input: OssInput, subject: Subject): Generator<Variant<OssInput>> {
  yield* methodVariants(input);
  yield* secretVariants(input);
  yield* typeVariants(input);
  yield* bucketVariants(input, subject);
  yield* parameterVariants(input);
  yield* headerVariants(input);
  yield* hostVariants(input, subject);
  yield* pathVariants(input, input.path);
  yield* queryVariants(input);
  yield* lifeVariants(input);
  yield* regionVariants(input);
}

function* bucketVariants(input: OssInput, subject: Subject): Generator<Variant<OssInput>> {
  const key = decodedPath(subject.sentUrl);
  const fix =
    "Sign /bucket/key wherever the bucket's name stands, in the host or nowhere. Name the bucket's host with --host.";
  const code = "PATH";
  for (const bucket of bucketsOf(subject.sent.authority, subject)) {
    const path = uriEncodePath(`/${bucket}${key}`);
    const how = `with the bucket ${bucket} in front`;
    if (path !== input.path) yield spelt({ code, input: { ...input, path }, what: "path", how, fix });
  }
  const bare = uriEncodePath(key);
  if (bare !== input.path) {
    yield spelt({ code, input: { ...input, path: bare }, what: "path", how: "without the bucket", fix });
  }
}

function* hostVariants(input: OssInput, { url, hosts }: Subject): Generator<Variant<OssInput>> {
  const host = input.headers.find(({ name }) => name === "host")?.values[0];
  if (host === undefined) return;
  for (const other of hostSpellings(host, { url: url.authority, region: input.scope.region, hosts })) {
    const headers = input.headers.map((header) => (header.name === "host" ? { ...header, values: [other] } : header));
    const fix = `Sign for the host ${host}, or let the proxy pass Host on as it came.`;
    yield spelt({ code: "HOST", input: { ...input, headers }, what: "host", how: `as ${other}`, fix });
  }
}

/** What signers make of a query: ali-oss 6.23 is among them. */
function* queryVariants(input: OssInput): Generator<Variant<OssInput>> {
  const pairs = (parameters: readonly Parameter[]): readonly string[] =>
    parameters.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
  const others: readonly (readonly [how: string, queryText: OssInput["queryText"]])[] = [
    ["with = behind a name without a value", (all) => [...pairs(all)].sort(compareText).join("&")],
    ["sorted by the rules of a language, and not by bytes", (all) => sortedByLocale(all)],
    ["unsorted", (all) => pairs(all).join("&")],
  ];
  for (const [how, queryText] of others) {
    if (queryText(input.parameters) === input.queryText(input.parameters)) continue;
    const fix = "Sort parameters by the bytes of their encoded names, and write an empty one without =.";
    yield spelt({ code: "QUERY", input: { ...input, queryText }, what: "query", how, fix });
  }
}

function* lifeVariants(input: OssInput): Generator<Variant<OssInput>> {
  const name = "x-oss-expires";
  const found = input.parameters.find((parameter) => parameter[0] === name);
  for (const seconds of found === undefined ? [] : USUAL_LIVES) {
    const other: Parameter = [name, String(seconds)];
    if (other[1] === found?.[1]) continue;
    const parameters = input.parameters.map((parameter) => (parameter === found ? other : parameter));
    const text = `${name} was changed after signing, from ${seconds} to ${found?.[1]}.`;
    const fix = "The life is signed: ask for a new URL with the life you need.";
    yield { code: "EXPIRES_CHANGED", input: { ...input, parameters }, signed: text, seen: text, fix };
  }
}

function sortedByLocale(parameters: readonly Parameter[]): string {
  return ossQuery(parameters)
    .split("&")
    .sort((a, b) => a.localeCompare(b))
    .join("&");
}

function* regionVariants(input: OssInput): Generator<Variant<OssInput>> {
  const { region } = input.scope;
  const fix = `Derive the key for ${region}, the region that the URL names.`;
  for (const keyRegion of [
    region.replace(/^oss-/, ""),
    `oss-${region}`,
    "cn-hangzhou",
    "us-west-1",
    "ap-southeast-1",
  ]) {
    if (keyRegion === input.keyRegion) continue;
    const how = `for the region ${keyRegion}`;
    yield { ...spelt({ code: "REGION", input: { ...input, keyRegion }, what: "key", how, fix }) };
  }
}

function regionCause({ authority }: SplitUrl, { scope: { region, service } }: Facts): Cause | undefined {
  const wrong = (sentence: string, fix: string): Cause => ({ code: "REGION", sentence, evidence: [], fix });
  if (region.startsWith("oss-")) {
    const bare = region.slice(4);
    return wrong(
      `The URL was signed for the region ${region}, and regions have no oss- in front.`,
      `Sign for ${bare}.`,
    );
  }
  const host = alibabaHost(authority)?.region;
  if (host === undefined || host === region || service !== "oss") return undefined;
  return wrong(`The URL was signed for the region ${region} and its host is in ${host}.`, `Sign for ${host}.`);
}
