import { UNSIGNED_PAYLOAD } from "../../schemes/s3/canonical.ts";
import { memoizeLast } from "../search/memoize-last.ts";
import type { Variant } from "../search/search.ts";
import { bucketOfHost, hostSpellings, KEEP_PATH, pathSpellings } from "../search/spellings.ts";
import { spelt } from "../search/text-variants.ts";
import { EMPTY_SHA256 } from "../search/unknowns.ts";
import { changedLives } from "../search/usual-lives.ts";
import { CONTENT_TYPES, methodVariants, secretVariants } from "../search/variants.ts";
import { queryOf, type V4Input, type V4Scoping } from "./input.ts";
import { type V4Query, v4QueryVariants } from "./query-variants.ts";

/** Further facts for the variants. */
export interface V4Hints {
  readonly urlHost: string;
  readonly hosts: readonly string[];
  readonly bodySha256: string | undefined;
  /** The session tokens of the given keys. */
  readonly sessionTokens: readonly string[];
}

/** The likeliest first. */
export function v4Variants(hints: V4Hints): (input: V4Input) => Generator<Variant<V4Input>> {
  const tokensOf = ({ tokens }: V4Input): unknown => tokens;
  const queriesOf = memoizeLast(tokensOf, (input) => [...v4QueryVariants(input, hints.sessionTokens)]);
  const livesOf = memoizeLast(tokensOf, (input) => [...expiresVariants(input)]);
  const pathsOf = memoizeLast(({ path }: V4Input) => path, pathVariants);
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

function changed(input: V4Input, variant: Variant<Partial<V4Input>>): Variant<V4Input> {
  return { ...variant, input: { ...input, ...variant.input } };
}

function* hostVariants(input: V4Input, { urlHost, hosts }: V4Hints): Generator<Variant<V4Input>> {
  const host = input.headers.find(({ name }) => name === "host")?.values[0] ?? "";
  const { home } = input.dialect;
  const found = bucketOfHost(host);
  const slash = input.path.indexOf("/", 1);
  const others: readonly (readonly [host: string, path?: string])[] = [
    ...hostSpellings(host, { url: urlHost, region: input.scope.region, hosts }).map((other) => [other] as const),
    // A domain that leads to a bucket is the bucket's name.
    ...(home === undefined || host === home
      ? []
      : [[home] as const, [home, `/${host.replace(/:\d+$/, "")}${input.path}`] as const]),
    ...(found === undefined ? [] : [[found.rest, `/${found.bucket}${input.path}`] as const]),
    ...(slash > 0 ? [[`${input.path.slice(1, slash)}.${host}`, input.path.slice(slash)] as const] : []),
  ];
  for (const [other, path = input.path] of others) {
    const moved = path === input.path ? "" : ` with the path ${path}`;
    yield {
      code: "HOST",
      input: {
        ...input,
        path,
        headers: input.headers.map((header) => (header.name === "host" ? { name: "host", values: [other] } : header)),
      },
      signed: `The URL was signed for the host ${other}${moved}, and the server was reached as ${host}.`,
      seen: `The server saw the host ${other}${moved}, and the URL says ${host}.`,
      fix: "Sign with the host that clients use (endpoint), and let proxies pass the Host header on unchanged.",
    };
  }
}

function pathVariants({ rawPath, path: now }: V4Input): readonly Variant<Pick<V4Input, "path">>[] {
  return pathSpellings(rawPath, now).map(([what, path]) =>
    spelt({ code: "PATH", input: { path }, what: "path", how: `in another spelling: ${what}`, fix: KEEP_PATH }),
  );
}

function* headerVariants(input: V4Input, bodySha256: string | undefined): Generator<Variant<V4Input>> {
  for (const header of input.headers) {
    const { name, values } = header;
    if (name === "host") continue;
    const sent = values.length === 0 ? "not at all" : `as ${JSON.stringify(values.join(","))}`;
    // This header is also the payload line.
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
      signed: `${input.dialect.prefix}SignedHeaders names the header ${name}, which was not signed.`,
      seen: `The server left the header ${name} out.`,
      fix: "Sign again: the list of signed headers is part of the signature.",
    };
  }
}

function* payloadVariants(input: V4Input, bodySha256: string | undefined): Generator<Variant<V4Input>> {
  const { name, prefix } = input.dialect;
  const payloads: readonly (readonly [what: string, payload: string | undefined])[] = [
    [UNSIGNED_PAYLOAD, UNSIGNED_PAYLOAD],
    ["the hash of an empty body", EMPTY_SHA256],
    ["the hash of the body that was sent", bodySha256],
    ["no payload line", ""],
  ];
  for (const [what, payload] of payloads) {
    if (payload === undefined || payload === input.payload) continue;
    yield {
      code: "PAYLOAD",
      input: { ...input, payload },
      signed: `The payload was signed as ${what}, and the request says ${input.payload}.`,
      seen: `The server took the payload as ${what}, and the URL says ${input.payload}.`,
      fix: `Sign URLs of ${name} with UNSIGNED-PAYLOAD, or send ${prefix.toLowerCase()}content-sha256 with the value that was signed.`,
    };
  }
}

function expiresVariants({ dialect, tokens: now }: V4Input): Iterable<Variant<V4Query>> {
  const name = `${dialect.prefix}Expires`;
  const found = now.find((token) => token.name === name);
  return changedLives({
    name,
    now: found && (found.value ?? ""),
    ofLife: String,
    withLife(value) {
      const tokens = now.map((token) => (token === found ? { ...token, value } : token));
      return { tokens, query: queryOf(tokens) };
    },
  });
}

/** The signing key was derived for another region, service or date than the scope names. */
export function* scopeVariants<I extends Pick<V4Input, "keyScope" | "scope"> & { readonly dialect: V4Scoping }>(
  input: I,
  signed = "URL",
): Generator<Variant<I>> {
  const { dialect, scope } = input;
  const dates = [-1, 1].map((days) => shiftDate(scope.date, days));
  const rows = [
    ["REGION", "region", dialect.regions, "Give the signer the region of the server; one value for scope and key."],
    ["SERVICE", "service", dialect.services, `Sign for the service ${dialect.services[0]}.`],
    ["DATE", "date", dates, `Take scope date and ${dialect.prefix}Date from one instant, in UTC.`],
  ] as const;
  for (const [code, part, values, fix] of rows) {
    for (const value of values.filter((other) => other !== scope[part])) {
      const other = code === "DATE" ? value : `the ${part} ${code === "REGION" ? JSON.stringify(value) : value}`;
      const says = `the ${signed} says ${scope[part]}`;
      yield {
        code,
        input: { ...input, keyScope: { ...scope, [part]: value } },
        signed: `The signing key was made for ${other}, and ${says}${code === "DATE" ? ": a local date was taken for UTC" : ""}.`,
        seen: `The server used ${other}, and ${says}.`,
        fix,
      };
    }
  }
}

function shiftDate(date: string, days: number): string {
  const instant = new Date(
    Date.UTC(Number(date.slice(0, 4)), Number(date.slice(4, 6)) - 1, Number(date.slice(6, 8)) + days),
  );
  return Number.isNaN(instant.getTime()) ? date : instant.toISOString().slice(0, 10).replaceAll("-", "");
}
