import { type CredentialScope, compareText } from "../../core/v4.ts";
import { ossQuery, type SignedHeader } from "../../schemes/oss/canonical.ts";
import { uriEncodePath } from "../../wire/encoding.ts";
import type { Parameter } from "../../wire/parameters.ts";
import type { Subject } from "../explainer.ts";
import type { Variant } from "../search/search.ts";
import {
  headerVariants,
  hostVariants,
  parameterVariants,
  pathVariants,
  spelt,
  typeVariants,
} from "../search/text-variants.ts";
import { changedLives } from "../search/usual-lives.ts";
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
  yield* bucketVariants(input, subject, uriEncodePath);
  yield* parameterVariants(input);
  yield* headerVariants(input);
  yield* hostVariants(input, subject, input.scope.region);
  yield* pathVariants(input, input.path);
  yield* queryVariants(input);
  yield* lifeVariants(input);
  yield* regionVariants(input);
}

/** The bucket in front of the path or not, wherever its name stands. `spell` makes of a path what is signed. */
export function* bucketVariants<I extends { readonly path: string }>(
  input: I,
  subject: Subject,
  spell: (path: string) => string,
): Generator<Variant<I>> {
  const key = decodedPath(subject.sentUrl);
  const fix =
    "Sign /bucket/key wherever the bucket's name is, in the host or nowhere. Name the bucket's host with --host.";
  const others = bucketsOf(subject.sent.authority, subject).map(
    (bucket) => [`/${bucket}${key}`, `with the bucket ${bucket} in front`] as const,
  );
  for (const [decoded, how] of [...others, [key, "without the bucket"] as const]) {
    const path = spell(decoded);
    if (path !== input.path) yield spelt({ code: "PATH", input: { ...input, path }, what: "path", how, fix });
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

function lifeVariants(input: OssInput): Iterable<Variant<OssInput>> {
  const name = "x-oss-expires";
  const found = input.parameters.find((parameter) => parameter[0] === name);
  return changedLives({
    ...{ name, now: found?.[1], ofLife: String },
    withLife(value) {
      const parameters = input.parameters.map(
        (parameter): Parameter => (parameter === found ? [name, value] : parameter),
      );
      return { ...input, parameters };
    },
  });
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
