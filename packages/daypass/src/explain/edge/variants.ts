import { headerValues } from "../../wire/raw-target.ts";
import type { Subject } from "../explainer.ts";
import { nameOf } from "../parameters.ts";
import { removals } from "../search/added-parameters.ts";
import type { Variant } from "../search/search.ts";
import { originVariants, pathVariants, querySpellings, spelt } from "../search/text-variants.ts";
import { movedEnds } from "../search/usual-lives.ts";
import { secretVariants } from "../search/variants.ts";
import type { EdgeClaims } from "./kind.ts";

/** One guess: a request, and a key that may have signed it. */
export interface EdgeInput<K> {
  readonly method: string;
  /** `scheme://host[:port]`. */
  readonly origin: string;
  readonly path: string;
  /** Without `?`. */
  readonly query: string;
  /** The client's. */
  readonly address: string | undefined;
  readonly key: K;
}

interface Context<K> {
  readonly facts: EdgeClaims;
  readonly subject: Subject;
  otherwise(key: K): Iterable<readonly [what: string, key: K]>;
  damaged(key: K): Iterable<Variant<K>>;
}

/** Differences between the signed and the sent request. */
export function* edgeVariants<K extends object>(
  input: EdgeInput<K>,
  { facts, subject, otherwise, damaged }: Context<K>,
): Generator<Variant<EdgeInput<K>>> {
  const { signs, end } = facts;
  for (const [what, key] of otherwise(input.key)) {
    const text = `The signature is right, but ${what}.`;
    const fix = "Configure both sides the same way.";
    yield { code: "SIGNATURE", input: { ...input, key }, signed: text, seen: text, fix };
  }
  if (signs.query) yield* queryVariants(input, facts);
  yield* pathVariants(input, subject.sentUrl.wire.path);
  if (signs.address) yield* addressVariants(input, subject);
  for (const variant of damaged(input.key)) yield { ...variant, input: { ...input, key: variant.input } };
  const part = input.query.includes(end) ? "query" : "path";
  yield* movedEnds(end, (other) => ({ ...input, [part]: input[part].replace(end, other) }));
  // These are many, and come last so that the search for two changes reaches all others.
  if (signs.host) yield* originVariants(input, subject);
}

function* queryVariants<I extends EdgeInput<unknown>>(input: I, { isOwn }: EdgeClaims): Generator<Variant<I>> {
  const tokens = input.query === "" ? [] : input.query.split("&");
  const others = tokens.filter((token) => !isOwn(nameOf(token)));
  for (const { rest, what } of removals(tokens, { nameOf, isOwn })) {
    const text = `The query ${what} added after signing.`;
    const fix = "Put everything into the URL before it is signed, and add nothing to it.";
    yield { code: "QUERY", input: { ...input, query: rest.join("&") }, signed: text, seen: text, fix };
  }
  const own = tokens.filter((token) => !others.includes(token));
  const spellings: readonly (readonly [how: string, query: string])[] = [
    ["without its other parameters", own.join("&")],
    ["with its parameters in another order", [...others].sort().concat(own).join("&")],
    ["with its parameters in the order of their names", [...tokens].sort().join("&")],
    ...querySpellings(input.query),
  ];
  const fix = "Pass the query on byte for byte.";
  for (const [how, query] of spellings)
    if (query !== input.query) yield spelt({ code: "QUERY", input: { ...input, query }, what: "query", how, fix });
}

function* addressVariants<I extends EdgeInput<unknown>>(input: I, { sent }: Subject): Generator<Variant<I>> {
  const forwarded = ["x-forwarded-for", "x-real-ip", "cf-connecting-ip", "true-client-ip"]
    .flatMap((name) => headerValues(sent.headers, name))
    .flatMap((value) => value.split(","))
    .map((value) => value.trim());
  for (const address of new Set([...forwarded, "127.0.0.1", "::1"])) {
    if (address === input.address) continue;
    const text = `The URL was signed for the client ${address}, and the server saw ${input.address}.`;
    const fix = "Tell the server which proxy to trust (nginx: set_real_ip_from), or sign for the address that it sees.";
    yield { code: "IP", input: { ...input, address }, signed: text, seen: text, fix };
  }
}

/** The usual damages of each member of a key that can be a secret. */
export function* damagedKeys<K extends object>(key: K): Generator<Variant<K>> {
  for (const name of ["secret", "key", "salt"]) {
    const secret = (key as Readonly<Record<string, unknown>>)[name];
    if (typeof secret !== "string") continue;
    for (const variant of secretVariants({ secret })) {
      yield { ...variant, input: { ...key, [name]: variant.input.secret } };
    }
  }
}
