import { sha256Hex } from "#crypto";
import type { QueryToken } from "../../core/contracts.ts";
import { isDaypassError } from "../../core/errors.ts";
import {
  type CredentialScope,
  canonicalRequestText,
  scopeText,
  stringToSignText,
  type V4Family,
} from "../../core/v4.ts";
import { canonicalHeaders, readPath, type SignedHeader, UNSIGNED_PAYLOAD } from "../../schemes/s3/canonical.ts";
import { keptLast } from "../search/memoize-last.ts";
import type { Variant } from "../search/search.ts";
import { bucketOfHost, hostSpellings, KEEP_PATH, pathSpellings } from "../search/spellings.ts";
import { EMPTY_SHA256 } from "../search/unknowns.ts";
import { changedLives } from "../search/usual-lives.ts";
import { CONTENT_TYPES, methodVariants, secretVariants } from "../search/variants.ts";
import { isSecretHeader } from "../secrets.ts";
import { queryOf, type V4Query, v4QueryVariants } from "./query-variants.ts";
import { scopeHmacs } from "./scope-hmac.ts";

/** For what a family's signing keys are made. */
export interface V4Scoping {
  /** What the names of the signature's own parameters begin with, e.g. `X-Amz-`. */
  readonly prefix: string;
  readonly regions: readonly string[];
  /** The right one first. */
  readonly services: readonly string[];
}

/** What sets the schemes of the V4 family apart. */
export interface V4Dialect extends V4Scoping {
  /** The provider's name in sentences. */
  readonly name: string;
  readonly family: V4Family;
  /** The provider's one host, where it has one. */
  readonly home?: string | undefined;
  /** Parameters of such a name that are not part of every URL. */
  readonly optional: RegExp;
  /** Parameters that signers add of their own accord and that get lost on the way. */
  readonly lost: readonly (readonly [name: string, value: string])[];
  /** What an SDK's URL ends with, behind its signature: of one that was cut off this is missing first. */
  readonly tail?: readonly (readonly [name: string, value: string])[] | undefined;
  /** Whether the signature depends on a secret that a key is derived of, and not on a key pair. */
  readonly hasSecret: boolean;
  /** Whether scope and signing key are for one region. SigV4A's are for none. */
  readonly isRegional: boolean;
}

/** Everything that a V4 signature depends on. */
export interface V4Input {
  readonly dialect: V4Dialect;
  readonly method: string;
  readonly rawPath: string;
  readonly path: string;
  /** All tokens but the signature's, in wire order. */
  readonly tokens: readonly QueryToken[];
  readonly query: string;
  readonly headers: readonly SignedHeader[];
  readonly payload: string;
  /** The scope that the URL names. */
  readonly scope: CredentialScope;
  /** The scope that the signing key was derived for: the same, unless the signer is at fault. */
  readonly keyScope: CredentialScope;
  readonly time: string;
  readonly secret: string;
}

export function v4CanonicalRequest({ method, path, query, headers, payload }: V4Input): string {
  const signedHeaders = headers.map(({ name }) => name).join(";");
  return canonicalRequestText({ method, path, query, headers: canonicalHeaders(headers), signedHeaders, payload });
}

/** The value of a header, where it is known and may be shown. */
export function signedValue(headers: readonly SignedHeader[] | undefined, name: string): string | undefined {
  if (isSecretHeader(name)) return undefined;
  return headers?.find((header) => header.name === name)?.values.join(",") || undefined;
}

export function v4StringToSign(input: V4Input): string {
  return stringToSignText(input.dialect.family, input.time, v4ScopeText(input), sha256Hex(v4CanonicalRequest(input)));
}

/** The scope that the URL names, as it is signed. */
export function v4ScopeText({ dialect: { family, isRegional }, scope }: V4Input): string {
  return isRegional ? scopeText(family, scope) : `${scope.date}/${scope.service}/${family.terminator}`;
}

/** Signs the inputs of one search. */
export function v4Signatures(family: V4Family): (input: V4Input) => string {
  const hmacOf = scopeHmacs(family);
  return (input) => hmacOf(input.secret, input.keyScope).hex(v4StringToSign(input));
}

/** What is tried besides the input itself. */
export interface V4Hints {
  readonly urlHost: string;
  readonly hosts: readonly string[];
  readonly bodySha256: string | undefined;
}

/** The variants in the order of how often they are the cause. */
export function v4Variants(hints: V4Hints): (input: V4Input) => Generator<Variant<V4Input>> {
  const tokensOf = ({ tokens }: V4Input): unknown => tokens;
  const queriesOf = keptLast(tokensOf, (input) => [...v4QueryVariants(input)]);
  const livesOf = keptLast(tokensOf, (input) => [...expiresVariants(input)]);
  const pathsOf = keptLast(({ path }: V4Input) => path, pathVariants);
  return function* (input) {
    yield* methodVariants(input);
    if (input.dialect.hasSecret) yield* secretVariants(input);
    yield* hostVariants(input, hints);
    for (const variant of queriesOf(input)) {
      if (variant.isSpelling !== true || variant.input.query !== input.query) yield changed(input, variant);
    }
    for (const variant of pathsOf(input)) yield changed(input, variant);
    yield* headerVariants(input, hints.bodySha256);
    yield* payloadVariants(input, hints.bodySha256);
    for (const variant of livesOf(input)) yield changed(input, variant);
    if (input.dialect.hasSecret && input.dialect.isRegional) yield* scopeVariants(input);
  };
}

/** An input with what a variant changes. */
function changed(
  input: V4Input,
  { code, input: change, signed, seen, fix }: Variant<Partial<V4Input>>,
): Variant<V4Input> {
  return { code, input: { ...input, ...change }, signed, seen, fix };
}

function hostVariants(input: V4Input, { urlHost, hosts }: V4Hints): readonly Variant<V4Input>[] {
  const host = input.headers.find(({ name }) => name === "host")?.values[0] ?? "";
  const variants = hostSpellings(host, { url: urlHost, region: input.scope.region, hosts }).map((other) =>
    hostVariant(input, { host, other, path: input.path }),
  );
  const { home } = input.dialect;
  if (home !== undefined && host !== home) {
    variants.push(hostVariant(input, { host, other: home, path: input.path }));
    // A domain that leads to a bucket is the bucket's name.
    variants.push(hostVariant(input, { host, other: home, path: `/${host.replace(/:\d+$/, "")}${input.path}` }));
  }
  const found = bucketOfHost(host);
  if (found !== undefined) {
    const path = `/${found.bucket}${input.path}`;
    variants.push(hostVariant(input, { host, other: found.rest, path }));
  }
  const slash = input.path.indexOf("/", 1);
  if (slash > 0) {
    const other = `${input.path.slice(1, slash)}.${host}`;
    variants.push(hostVariant(input, { host, other, path: input.path.slice(slash) }));
  }
  return variants;
}

function hostVariant(
  input: V4Input,
  { host, other, path }: { readonly host: string; readonly other: string; readonly path: string },
): Variant<V4Input> {
  const headers = input.headers.map((header) => (header.name === "host" ? { name: "host", values: [other] } : header));
  const moved = path === input.path ? "" : ` with the path ${path}`;
  return {
    code: "HOST",
    input: { ...input, headers, path },
    signed: `The URL was signed for the host ${other}${moved}, and the server was reached as ${host}.`,
    seen: `The server saw the host ${other}${moved}, and the URL says ${host}.`,
    fix: "Sign with the host that clients use (endpoint), and let proxies pass the Host header on unchanged.",
  };
}

function pathVariants({ rawPath, path: now }: V4Input): readonly Variant<Pick<V4Input, "path">>[] {
  return pathSpellings(rawPath, now).map(([what, path]) => ({
    code: "PATH",
    input: { path },
    signed: `The path was signed in another spelling: ${what}.`,
    seen: `The server saw the path in another spelling: ${what}.`,
    fix: KEEP_PATH,
  }));
}

function* headerVariants(input: V4Input, bodySha256: string | undefined): Generator<Variant<V4Input>> {
  for (const header of input.headers) {
    const { name, values } = header;
    if (name === "host") continue;
    const sent = values.length === 0 ? "not at all" : `as ${JSON.stringify(values.join(","))}`;
    // The payload line is the value of this header.
    const hash = /^x-(?:amz|goog)-content-sha256$/.test(name) ? bodySha256 : undefined;
    const others =
      hash !== undefined
        ? [hash, ""]
        : name === "content-type"
          ? CONTENT_TYPES
          : name === "content-length"
            ? ["0", ""]
            : [""];
    for (const value of others) {
      if (values.length === 1 && values[0] === value) continue;
      yield {
        code: "HEADER",
        input: {
          ...input,
          ...(hash === undefined || value === "" ? {} : { payload: hash }),
          headers: input.headers.map((other) => (other === header ? { name, values: [value] } : other)),
        },
        signed: `The header ${name} was signed as ${JSON.stringify(value)} and sent ${sent}.`,
        seen: `The server saw the header ${name} as ${JSON.stringify(value)}; it was sent ${sent}.`,
        fix: `Send ${name} with exactly the value that was signed.`,
      };
    }
    yield {
      code: "SIGNED_HEADERS",
      input: { ...input, headers: input.headers.filter((other) => other !== header) },
      signed: `The header ${name} stands in ${input.dialect.prefix}SignedHeaders and was not signed.`,
      seen: `The server left the header ${name} out.`,
      fix: "Sign again: the list of signed headers is part of the signature.",
    };
  }
}

function payloadVariants(input: V4Input, bodySha256: string | undefined): readonly Variant<V4Input>[] {
  const payloads: readonly (readonly [what: string, payload: string | undefined])[] = [
    [UNSIGNED_PAYLOAD, UNSIGNED_PAYLOAD],
    ["the hash of an empty body", EMPTY_SHA256],
    ["the hash of the body that was sent", bodySha256],
    ["no payload line", ""],
  ];
  return payloads.flatMap(([what, payload]) =>
    payload === undefined || payload === input.payload
      ? []
      : [
          {
            code: "PAYLOAD" as const,
            input: { ...input, payload },
            signed: `The payload was signed as ${what}, and the request says ${input.payload}.`,
            seen: `The server took the payload as ${what}, and the URL says ${input.payload}.`,
            fix: `Sign URLs of ${input.dialect.name} with UNSIGNED-PAYLOAD, or send ${input.dialect.prefix.toLowerCase()}content-sha256 with the value that was signed.`,
          },
        ],
  );
}

function expiresVariants({ dialect, tokens: now }: V4Input): Iterable<Variant<V4Query>> {
  const name = `${dialect.prefix}Expires`;
  const found = now.find((token) => token.name === name);
  return changedLives({
    ...{ name, now: found && (found.value ?? ""), ofLife: String },
    withLife(value) {
      const tokens = now.map((token) => (token === found ? { ...token, value } : token));
      return { tokens, query: queryOf(tokens) };
    },
  });
}

/** The signing key made for another region, service or date than the scope names. */
export function* scopeVariants<I extends Pick<V4Input, "keyScope" | "scope"> & { readonly dialect: V4Scoping }>(
  input: I,
  signed = "URL",
): Generator<Variant<I>> {
  const { dialect, scope } = input;
  for (const region of dialect.regions) {
    if (region === scope.region) continue;
    yield {
      code: "REGION",
      input: { ...input, keyScope: { ...scope, region } },
      signed: `The signing key was made for the region ${JSON.stringify(region)}, and the ${signed} says ${scope.region}.`,
      seen: `The server used the region ${JSON.stringify(region)}, and the ${signed} says ${scope.region}.`,
      fix: "Give the signer the region of the server; one value for scope and key.",
    };
  }
  for (const service of dialect.services) {
    if (service === scope.service) continue;
    yield {
      code: "SERVICE",
      input: { ...input, keyScope: { ...scope, service } },
      signed: `The signing key was made for the service ${service}, and the ${signed} says ${scope.service}.`,
      seen: `The server used the service ${service}, and the ${signed} says ${scope.service}.`,
      fix: `Sign for the service ${dialect.services[0]}.`,
    };
  }
  for (const days of [-1, 1]) {
    const date = shiftDate(scope.date, days);
    yield {
      code: "DATE",
      input: { ...input, keyScope: { ...scope, date } },
      signed: `The signing key was made for ${date}, and the ${signed} says ${scope.date}: a local date was taken for UTC.`,
      seen: `The server used the date ${date}, and the ${signed} says ${scope.date}.`,
      fix: `Take scope date and ${dialect.prefix}Date from one instant, in UTC.`,
    };
  }
}

function shiftDate(date: string, days: number): string {
  const instant = new Date(
    Date.UTC(Number(date.slice(0, 4)), Number(date.slice(4, 6)) - 1, Number(date.slice(6, 8)) + days),
  );
  return Number.isNaN(instant.getTime()) ? date : instant.toISOString().slice(0, 10).replaceAll("-", "");
}

/** The input of a request as it stands. What cannot be decoded stays as it is: no server gets that far. */
export function v4Input(fields: Omit<V4Input, "path" | "query" | "keyScope">): V4Input {
  let path = fields.rawPath;
  let query = "";
  try {
    query = queryOf(fields.tokens);
    path = readPath(fields.rawPath).path;
  } catch (error) {
    if (!isDaypassError(error)) throw error;
  }
  return { ...fields, path, query, keyScope: fields.scope };
}
