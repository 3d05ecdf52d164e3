import type { Parameter } from "../../wire/parameters.ts";
import { decodeOr } from "../decoded.ts";
import type { Subject } from "../explainer.ts";
import type { CauseCode } from "../explanation.ts";
import { forwardedHosts } from "../server-request.ts";
import { addedTogether } from "./added-parameters.ts";
import type { Variant } from "./search.ts";
import { hostSpellings, KEEP_PATH, pathSpellings } from "./spellings.ts";
import { CONTENT_TYPES } from "./variants.ts";

/** Another spelling of one part of an input. */
interface Spelling<I> {
  readonly code: CauseCode;
  readonly input: I;
  /** The part, and its other spelling. */
  readonly what: string;
  readonly how: string;
  readonly fix: string;
}

/** A variant with the sentence "was signed …". */
export function spelt<I>({ code, input, what, how, fix }: Spelling<I>): Variant<I> {
  return { code, input, signed: `The ${what} was signed ${how}.`, seen: `The server saw the ${what} ${how}.`, fix };
}

/** Other spellings of a path that is signed encoded. */
export function* pathVariants<I extends { readonly path: string }>(input: I, raw: string): Generator<Variant<I>> {
  for (const [how, path] of pathSpellings(raw, input.path)) {
    yield spelt({ code: "PATH", input: { ...input, path }, what: "path", how, fix: KEEP_PATH });
  }
}

/** Other spellings of a path that is signed decoded. `raw` is the path in the URL. */
export function* decodedPathVariants<I extends { readonly path: string }>(
  input: I,
  raw: string,
): Generator<Variant<I>> {
  const tried = new Set([input.path]);
  const others = pathSpellings(raw, raw).map(([how, path]) => [how, decodeOr(path)] as const);
  for (const [how, path] of [["encoded, although it must be decoded", raw] as const, ...others]) {
    if (tried.has(path)) continue;
    tried.add(path);
    yield spelt({ code: "PATH", input: { ...input, path }, what: "path", how, fix: KEEP_PATH });
  }
}

/** Other spellings of a query that is signed without decoding. */
export function querySpellings(query: string): readonly (readonly [how: string, query: string])[] {
  return [
    ["with %20 for each +", query.replaceAll("+", "%20")],
    ["with + for each %20", query.replaceAll("%20", "+")],
    ["with %2B for each +", query.replaceAll("+", "%2B")],
    ["decoded once more", query.replaceAll("%25", "%")],
    ["with ' unencoded", query.replaceAll("%27", "'")],
    ["with ~ unencoded", query.replaceAll("%7E", "~")],
    ["with ~ encoded", query.replaceAll("~", "%7E")],
    ["with brackets unencoded", query.replaceAll("%5B", "[").replaceAll("%5D", "]")],
    ["with brackets encoded", query.replaceAll("[", "%5B").replaceAll("]", "%5D")],
  ];
}

/** Each parameter left out of the signature. */
export function* parameterVariants<I extends { readonly parameters: readonly Parameter[] }>(
  input: I,
): Generator<Variant<I>> {
  for (const parameter of input.parameters) {
    const [name] = parameter;
    const isToken = /token/i.test(name);
    yield {
      code: isToken ? "TOKEN_AFTER_SIGNING" : "QUERY",
      input: { ...input, parameters: input.parameters.filter((other) => other !== parameter) },
      signed: `The query parameter ${name} was added after signing, or the signer did not sign it.`,
      seen: `The server did not count the query parameter ${name}.`,
      fix: ADD_NOTHING,
    };
  }
  for (const { rest, names } of addedTogether(input.parameters, { nameOf: ([name]) => name, isOwn })) {
    yield {
      code: "QUERY",
      input: { ...input, parameters: rest },
      signed: `The query parameters ${names} were added after signing.`,
      seen: `The server did not count the query parameters ${names}.`,
      fix: ADD_NOTHING,
    };
  }
}

const ADD_NOTHING = "Put everything into the request before it is signed, and add nothing to the URL.";

/** Whether a parameter is part of the signature itself. */
const isOwn = (name: string): boolean => name.startsWith("x-oss-");

interface Headers {
  readonly headers: readonly { readonly name: string; readonly values: readonly string[] }[];
}

/** Another Content-Type, or none (an empty text), for schemes that sign the sent one. */
export function* contentTypes<I>(
  now: string,
  withType: (contentType: string) => I,
  types: Iterable<string> = CONTENT_TYPES,
): Generator<Variant<I>> {
  for (const contentType of types) {
    if (contentType === now) continue;
    const sent = now === "" ? "not sent" : `sent as ${JSON.stringify(now)}`;
    const signed = contentType === "" ? "not to be there" : `as ${JSON.stringify(contentType)}`;
    yield {
      code: "HEADER",
      input: withType(contentType),
      signed: `The header content-type was signed ${signed} and ${sent}.`,
      seen: `The server saw the header content-type ${signed}, and it was ${sent}.`,
      fix: contentType === "" ? "Send no content-type: its absence is signed." : `Send content-type: ${contentType}.`,
    };
  }
}

/** The same for an input with headers. */
export function typeVariants<I extends Headers>(input: I): Iterable<Variant<I>> {
  const now = input.headers.find(({ name }) => name === "content-type")?.values[0] ?? "";
  return contentTypes(now, (contentType) => withType(input, contentType));
}

/** The input with another Content-Type; with none if it is empty. */
export function withType<I extends Headers>(input: I, contentType: string): I {
  const others = input.headers.filter(({ name }) => name !== "content-type");
  const headers = contentType === "" ? others : [...others, { name: "content-type", values: [contentType] }];
  return { ...input, headers };
}

/** Sent headers that are signed without being listed. */
export function impliedHeaders<I extends Headers>({ headers }: I, listed: readonly string[] = []): Headers["headers"] {
  return headers.filter(({ name, values }) => values.length > 0 && name !== "host" && !listed.includes(name));
}

/** The input without each sent header, for schemes that sign all of them. */
export function* headerVariants<I extends Headers>(input: I): Generator<Variant<I>> {
  for (const header of input.headers) {
    if (header.name === "content-type" || header.name === "host") continue;
    yield {
      code: "UNSIGNED_HEADER",
      input: { ...input, headers: input.headers.filter((other) => other !== header) },
      signed: `The header ${header.name} was added after signing, or signed as something else.`,
      seen: `The header ${header.name} did not reach the server, or it did not count it.`,
      fix: "Send exactly the headers that were signed, and let no proxy add one.",
    };
  }
}

/** Other names of the server, for schemes that sign the Host header. */
export function* hostVariants<I extends Headers>(
  input: I,
  { url, hosts }: Pick<Subject, "url" | "hosts">,
  region = "",
): Generator<Variant<I>> {
  const host = input.headers.find(({ name }) => name === "host")?.values[0];
  if (host === undefined) return;
  for (const other of hostSpellings(host, { url: url.authority, region, hosts })) {
    const headers = input.headers.map((header) => (header.name === "host" ? { ...header, values: [other] } : header));
    const fix = `Sign for the host ${host}, or let the proxy pass Host on unchanged.`;
    yield spelt({ code: "HOST", input: { ...input, headers }, what: "host", how: `as ${other}`, fix });
  }
}

/** Other names and protocols of the server, for schemes that sign both. */
export function* originVariants<I extends { readonly origin: string }>(
  input: I,
  { sent, url, hosts }: Subject,
): Generator<Variant<I>> {
  const known = { url: url.authority, region: "", hosts: [...hosts, ...forwardedHosts(sent)] };
  const origins = [sent.authority, ...hostSpellings(sent.authority, known)]
    .flatMap((host) => [`https://${host}`, `http://${host}`])
    .map((origin) => origin.replace(/^(https:.*):443$|^(http:.*):80$/, "$1$2"));
  for (const origin of new Set(origins)) {
    if (origin === input.origin) continue;
    const text = `The URL was signed for ${origin}, and the server was reached as ${input.origin}.`;
    const fix =
      "Sign for the public origin, add it to the server's list of origins, and let proxies pass Host on unchanged.";
    yield { code: "HOST", input: { ...input, origin }, signed: text, seen: text, fix };
  }
}
