import { uriEncodePath } from "../../encode.ts";
import { ossQuery, type SignedHeader } from "../../oss/canonical.ts";
import type { Parameter } from "../../parameters.ts";
import { type CredentialScope, compareText } from "../../v4.ts";
import type { Subject } from "../explainer.ts";
import type { Variant } from "../search/search.ts";
import { hostSpellings } from "../search/spellings.ts";
import { headerVariants, parameterVariants, pathVariants, spelt, typeVariants } from "../search/text-variants.ts";
import { USUAL_LIVES } from "../search/usual-lives.ts";
import { methodVariants, secretVariants } from "../search/variants.ts";
import { bucketsOf, decodedPath } from "./facts.ts";

/** Everything that a signature depends on. */
export interface OssInput {
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

/** The variants in the order of how often they are the cause. */
export function* ossVariants(input: OssInput, subject: Subject): Generator<Variant<OssInput>> {
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
