import { sha256Hex } from "#crypto";
import { parseBasicTime } from "../../core/time.ts";
import { type CredentialScope, canonicalRequestText, scopeText, stringToSignText } from "../../core/v4.ts";
import {
  headerLines,
  isAlwaysSigned,
  OSS4,
  ossQuery,
  resourcePath,
  UNSIGNED_PAYLOAD,
} from "../../schemes/oss/canonical.ts";
import { detectOss, parseOss } from "../../schemes/oss/parse.ts";
import { uriEncodePath } from "../../wire/encoding.ts";
import { headerValues } from "../../wire/raw-target.ts";
import { type Case, diagnose } from "../cause/diagnosis.ts";
import { grammarCause } from "../cause/grammar.ts";
import { duration } from "../cause/life.ts";
import { missingHeader } from "../cause/request.ts";
import type { Explained, Explainer, SplitUrl, Subject } from "../explainer.ts";
import type { Cause } from "../explanation.ts";
import { readParameters } from "../parameters.ts";
import { impliedHeaders, withType } from "../search/text-variants.ts";
import { completions, shownHeaders, withTypes } from "../search/unknowns.ts";
import { spellings } from "../secrets.ts";
import { lifeTraps, urlTraps } from "../traps.ts";
import { scopeHmacs } from "../v4/scope-hmac.ts";
import { signedValue } from "../v4/variants.ts";
import { alibabaHost, decodedPath, mayEndEarlier, ossKeys, ossResource, ossTraps } from "./facts.ts";
import { type OssInput, ossVariants } from "./variants.ts";

/** Alibaba OSS presigned URLs in signature version 4. */
export const ossExplainer: Explainer = { detects: detectOss, explain: explainOss };

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
  const expires = /^\d{1,15}$/.test(get("x-oss-expires")) ? Number(get("x-oss-expires")) : Number.NaN;
  const endsAt = new Date((signedAt?.getTime() ?? Number.NaN) + expires * 1000);
  return {
    accessKeyId,
    scope: { date, region, service },
    time,
    signedAt,
    expires,
    endsAt: expires === 0 || Number.isNaN(endsAt.getTime()) ? undefined : endsAt,
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
  const hmacOf = scopeHmacs(OSS4);
  return {
    subject,
    ...ossKeys(keys, facts.accessKeyId),
    inputFor: (url) => inputFor(url, subject, facts),
    textOf: stringToSign,
    fits: (input) =>
      hmacOf(input.secret, { ...input.scope, region: input.keyRegion }).hex(stringToSign(input)) === facts.signature,
    variantsOf: (input) => ossVariants(input, subject),
    unknowns: (input) => withTypes(completions(input, subject), subject.known, withType),
    implied: (input) => impliedHeaders(input, facts.additional),
    listed: facts.additional,
    signsQuery: true,
    shown: error?.fields.get("StringToSign"),
    canonicalOf: canonicalRequest,
    grammar:
      missingHeader(subject, facts.additional) ??
      grammarCause(() => parseOss({ request: sent, wire: sentUrl.wire, origin: "", wildcard: "" }), {
        life: facts.expires,
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

function regionCause({ authority }: SplitUrl, { scope: { region, service } }: Facts): Cause | undefined {
  const wrong = (sentence: string, fix: string): Cause => ({ code: "REGION", sentence, evidence: [], fix });
  if (region.startsWith("oss-")) {
    const bare = region.slice(4);
    return wrong(
      `The URL was signed for the region ${region}, but region names do not start with oss-.`,
      `Sign for ${bare}.`,
    );
  }
  const host = alibabaHost(authority)?.region;
  if (host === undefined || host === region || service !== "oss") return undefined;
  return wrong(`The URL was signed for the region ${region}, but its host is in ${host}.`, `Sign for ${host}.`);
}
