import { sha256Hex } from "#crypto";
import { parseBasicTime } from "../../core/time.ts";
import { type CredentialScope, canonicalRequestText, scopeText, stringToSignText } from "../../core/v4.ts";
import {
  detectOss,
  headerLines,
  isAlwaysSigned,
  OSS4,
  ossQuery,
  parseOss,
  resourcePath,
  type SignedHeader,
  UNSIGNED_PAYLOAD,
} from "../../schemes/oss/canonical.ts";
import type { OssCredentials } from "../../schemes/oss/credentials.ts";
import { uriEncodePath } from "../../wire/encoding.ts";
import type { Parameter } from "../../wire/parameters.ts";
import { headerValues } from "../../wire/raw-target.ts";
import { bucketResource } from "../bucket-resource.ts";
import { causeOf } from "../cause/combine-causes.ts";
import { decodeOr } from "../decoded.ts";
import type { Explainer, SplitUrl, Subject } from "../explainer.ts";
import type { Cause, ExplainKey, Trap } from "../explanation.ts";
import { readParameters } from "../parameters.ts";
import type { Variant } from "../search/search.ts";
import { bucketOfHost } from "../search/spellings.ts";
import {
  headerVariants,
  hostVariants,
  impliedHeaders,
  parameterVariants,
  pathVariants,
  spelt,
  typeVariants,
  withType,
} from "../search/text-variants.ts";
import { completions, shownHeaders, withTypes } from "../search/unknowns.ts";
import { changedLives } from "../search/usual-lives.ts";
import { methodVariants, secretVariants } from "../search/variants.ts";
import { explainTextScheme, type TextCheck, type TextScheme } from "../text-scheme.ts";
import { lifeTraps } from "../traps.ts";
import { scopeHmacs, signedValue } from "../v4/input.ts";

/** Alibaba OSS presigned URLs in signature version 4. */
export const ossExplainer: Explainer = {
  detects: detectOss,
  explain: (subject) => explainTextScheme(subject, readOss(subject)),
};

interface OssInput {
  readonly method: string;
  /** Encoded, with the bucket in front. */
  readonly path: string;
  readonly parameters: readonly Parameter[];
  readonly headers: readonly SignedHeader[];
  readonly time: string;
  readonly scope: CredentialScope;
  /** The region of the signing key. */
  readonly keyRegion: string;
  readonly secret: string;
}

function readOss({ url, now, keys }: Subject): TextScheme<OssInput> {
  const values = new Map(readParameters(url));
  const get = (name: string): string => values.get(`x-oss-${name}`) ?? "";
  const [signedBy = "", date = "", region = "", service = ""] = get("credential").split("/");
  const scope = { date, region, service };
  const signedAt = parseBasicTime(get("date"));
  const expires = /^\d{1,15}$/.test(get("expires")) ? Number(get("expires")) : Number.NaN;
  const end = new Date((signedAt?.getTime() ?? Number.NaN) + expires * 1000);
  const endsAt = expires === 0 || Number.isNaN(end.getTime()) ? undefined : end;
  const token = values.get("x-oss-security-token");
  const listed = get("additional-headers").split(";").filter(Boolean);
  const signature = get("signature");
  const bindsHost = listed.includes("host");
  const { traps, ...common } = ossCommon(url, { signedBy, token });
  const openHost = { name: "host-open", text: "The host is not signed: the URL works at every host of the bucket." };
  return {
    ...common,
    scheme: "oss",
    title: "An Alibaba OSS presigned URL (signature V4)",
    binds: [
      "method",
      "bucket",
      "key",
      "all query parameters",
      "start and end",
      "headers content-type, content-md5 and x-oss-*, also that all of them are absent",
      ...listed.map((name) => (name === "host" ? "host" : `header ${name}`)),
    ],
    leavesOpen: [
      bindsHost ? "scheme" : "scheme and host",
      "every other header",
      "body",
      "who uses it, from where, and how often",
    ],
    signedAt,
    // OSS accepts a signing time up to 15 minutes ahead of its clock.
    startsAt: signedAt && new Date(signedAt.getTime() - 900_000),
    endsAt,
    bindsHost,
    signsQuery: true,
    mustSend: (fitting) => [
      ...listed.filter((name) => name !== "host").map((name) => ({ name, value: signedValue(fitting?.headers, name) })),
      ...(fitting === undefined ? [] : shownHeaders(impliedHeaders(fitting, listed))),
    ],
    traps: [
      ...(bindsHost ? [] : [openHost]),
      ...traps,
      ...lifeTraps({ signedAt, endsAt, expires }, now, "x-oss-expires"),
    ],
    secrets: [signature, token],
    canonicalRequest,
    check(subject) {
      const hmacOf = scopeHmacs(OSS4);
      return {
        keys: ossKeys(keys),
        inputOf(from) {
          const { sent, sentUrl } = from;
          const names = sent.headers.map(([name]) => name.toLowerCase()).filter(isAlwaysSigned);
          return {
            method: sent.method,
            path: uriEncodePath(signedPath(from)),
            parameters: readParameters(sentUrl).filter(([name]) => name !== "x-oss-signature"),
            headers: [...new Set([...names, ...listed])].map((name) => ({
              name,
              values: name === "host" ? [sent.authority] : headerValues(sent.headers, name),
            })),
            time: get("date"),
            scope,
            keyRegion: region,
            secret: "",
          };
        },
        textOf: stringToSign,
        signatures: {
          signature,
          signatureOf: (input) => hmacOf(input.secret, { ...scope, region: input.keyRegion }).hex(stringToSign(input)),
        },
        variantsOf: (input) => variants(input, subject),
        unknowns: (input) => withTypes(completions(input, subject), subject.known, withType),
        implied: (input) => impliedHeaders(input, listed),
        listed,
        canonicalOf: canonicalRequest,
        parse: parseOss,
        reading: { life: expires, signature: { parameter: "x-oss-signature", text: signature, digits: 64 } },
        other: regionCause(subject.sentUrl.authority, scope),
      };
    },
  };
}

function canonicalRequest({ method, path, parameters, headers }: OssInput): string {
  return canonicalRequestText({
    method,
    path,
    query: ossQuery(parameters),
    headers: headerLines(headers),
    signedHeaders: parameters.find(([name]) => name === "x-oss-additional-headers")?.[1] ?? "",
    payload: headers.find(({ name }) => name === "x-oss-content-sha256")?.values.join(",") ?? UNSIGNED_PAYLOAD,
  });
}

function stringToSign(input: OssInput): string {
  return stringToSignText(OSS4, input.time, scopeText(OSS4, input.scope), sha256Hex(canonicalRequest(input)));
}

function regionCause(authority: string, { region, service }: CredentialScope): Cause | undefined {
  if (region.startsWith("oss-")) {
    const sentence = `The URL was signed for the region ${region}, but region names do not start with oss-.`;
    return causeOf("REGION", sentence, `Sign for ${region.slice(4)}.`);
  }
  const host = alibabaHost(authority)?.region;
  if (host === undefined || host === region || service !== "oss") return undefined;
  const sentence = `The URL was signed for the region ${region}, but its host is in ${host}.`;
  return causeOf("REGION", sentence, `Sign for ${host}.`);
}

/** The likeliest first. */
function* variants(input: OssInput, subject: Subject): Generator<Variant<OssInput>> {
  const { region } = input.scope;
  yield* methodVariants(input);
  yield* secretVariants(input);
  yield* typeVariants(input);
  yield* bucketVariants(input, subject, uriEncodePath);
  yield* parameterVariants(input);
  yield* headerVariants(input);
  yield* hostVariants(input, subject, region);
  yield* pathVariants(input, input.path);
  const name = "x-oss-expires";
  yield* changedLives({
    name,
    now: input.parameters.find((parameter) => parameter[0] === name)?.[1],
    ofLife: String,
    withLife: (value) => ({
      ...input,
      parameters: input.parameters.map((parameter): Parameter => (parameter[0] === name ? [name, value] : parameter)),
    }),
  });
  const fix = `Derive the key for ${region}, the region that the URL names.`;
  for (const keyRegion of [region.replace(/^oss-/, ""), `oss-${region}`, "cn-hangzhou"]) {
    if (keyRegion === input.keyRegion) continue;
    const how = `for the region ${keyRegion}`;
    yield spelt({ code: "REGION", input: { ...input, keyRegion }, what: "key", how, fix });
  }
}

/** Bucket and region of a host of Alibaba. `undefined` for another host. */
function alibabaHost(
  authority: string,
): { readonly bucket: string | undefined; readonly region: string | undefined } | undefined {
  const host =
    /^(?:([a-z0-9-]+)\.)?(?:oss-([a-z0-9-]+?)(?:-internal)?|([a-z]{2}-[a-z0-9-]+)\.oss)\.aliyuncs\.com(?::\d+)?$/;
  const [match, bucket, region, dualStack] = host.exec(authority.toLowerCase()) ?? [];
  if (match === undefined) return undefined;
  // The hosts of transfer acceleration serve every region.
  return { bucket, region: region?.startsWith("accelerate") ? undefined : (region ?? dualStack) };
}

/** The decoded path as it is signed: with the bucket in front. */
export function signedPath({ sent, sentUrl }: Subject): string {
  const path = decodeOr(sentUrl.wire.path);
  const bucket = alibabaHost(sent.authority)?.bucket;
  return bucket === undefined ? path : resourcePath(bucket, path.slice(1));
}

/** The path with and without each possible bucket. `spell` encodes it as it is signed. */
export function* bucketVariants<I extends { readonly path: string }>(
  input: I,
  { sent: { authority }, sentUrl, hosts }: Subject,
  spell: (path: string) => string,
): Generator<Variant<I>> {
  const key = decodeOr(sentUrl.wire.path);
  const own = alibabaHost(authority);
  const named = hosts.map((host) => alibabaHost(host)?.bucket);
  const buckets = new Set([...named, own === undefined ? bucketOfHost(authority)?.bucket : own.bucket]);
  const fix =
    "Sign /bucket/key wherever the bucket's name is, in the host or nowhere. Name the bucket's host with --host.";
  for (const bucket of [...buckets].filter((name) => name !== undefined).concat("")) {
    const path = spell(bucket === "" ? key : `/${bucket}${key}`);
    const how = bucket === "" ? "without the bucket" : `with the bucket ${bucket} in front`;
    if (path !== input.path) yield spelt({ code: "PATH", input: { ...input, path }, what: "path", how, fix });
  }
}

/** The given keys, as a change of the input. */
export function ossKeys<I extends { readonly method: string; readonly secret: string }>(
  keys: readonly ExplainKey[],
): TextCheck<I>["keys"] {
  return keys
    .filter((key): key is OssCredentials => "accessKeySecret" in key)
    .map(({ accessKeyId: id, accessKeySecret: secret }) => ({ id, change: { secret } as Partial<I> }));
}

/** Parts of the explanation that both versions share. */
export function ossCommon(
  url: SplitUrl,
  { signedBy, token }: { readonly signedBy: string; readonly token: string | undefined },
): Pick<TextScheme<never>, "signedBy" | "resource" | "mayEndEarlier"> & { readonly traps: readonly Trap[] } {
  const names = readParameters(url).map(([name]) => name);
  const network = names.find((name) => name.startsWith("x-oss-ac-"));
  const isDownload = names.includes("response-content-disposition") && alibabaHost(url.authority) !== undefined;
  const text =
    "Hosts under aliyuncs.com may answer with Content-Disposition: attachment, whatever the URL says: use a domain of the bucket's own to show a file in a browser.";
  return {
    signedBy,
    resource: bucketResource(alibabaHost(url.authority)?.bucket, decodeOr(url.wire.path)),
    mayEndEarlier:
      token !== undefined || signedBy.startsWith("STS.")
        ? "with the temporary credentials (STS) that signed it: an hour by default, 12 at most, whatever the URL says"
        : "when the access key that signed it is disabled or loses the permission",
    traps: [
      ...(isDownload ? [{ name: "download-only", text }] : []),
      ...(network === undefined
        ? []
        : [{ name: "network", text: `${network}: the URL works from some networks only.` }]),
    ],
  };
}
