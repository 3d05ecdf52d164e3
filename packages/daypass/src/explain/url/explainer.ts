import { isDaypassError } from "../../core/errors.ts";
import { basicTime, parseBasicTime } from "../../core/time.ts";
import { type UrlCanonical, urlStringToSign } from "../../schemes/url/canonical.ts";
import { type LoadedKey, loadKey, type UrlKey } from "../../schemes/url/key.ts";
import { detectUrl, parseUrl } from "../../schemes/url/parse.ts";
import { fromBase64url } from "../../wire/encoding.ts";
import { formatIpv6, isInside, type Network } from "../../wire/ip.ts";
import { headerValues } from "../../wire/raw-target.ts";
import { causeOf } from "../cause/combine-causes.ts";
import { otherClient } from "../cause/request.ts";
import { mismatchCause, serverCause } from "../cause/server-cause.ts";
import { checkWhole } from "../cause/whole-signature.ts";
import { decodeOr } from "../decoded.ts";
import type { Explainer, Subject } from "../explainer.ts";
import type { Cause, CauseCode, ExplainKey, Trap } from "../explanation.ts";
import { nameOf, readParameters } from "../parameters.ts";
import { removals } from "../search/added-parameters.ts";
import type { Variant } from "../search/search.ts";
import { pathSpellings } from "../search/spellings.ts";
import { originVariants, querySpellings, spelt } from "../search/text-variants.ts";
import { openHeaders, otherValue, untold } from "../search/unknowns.ts";
import { changedLives } from "../search/usual-lives.ts";
import { explainTextScheme, type TextScheme } from "../text-scheme.ts";

/** Daypass URLs. */
export const urlExplainer: Explainer = {
  detects: detectUrl,
  explain: (subject) => explainTextScheme(subject, readUrl(subject)),
};

interface UrlInput {
  readonly method: string;
  readonly headers: readonly { readonly name: string; readonly values: readonly string[] }[];
  /** Absent if the URL cannot be read. */
  readonly canonical?: UrlCanonical | undefined;
  readonly key?: LoadedKey | undefined;
}

/** Parameters that bind something, and the words for it. */
const BOUND: Readonly<Record<string, string>> = {
  "dp-audience": "audience",
  "dp-subject": "subject",
  "dp-ip": "client addresses",
  "dp-type": "content type",
  "dp-length": "length of the body",
  "dp-sha256": "body (its SHA-256)",
  "dp-create": "create only",
  "dp-uses": "number of uses",
  "dp-headers": "request headers",
};

/** Seconds that a verifier accepts a URL before its start. */
const SKEW = 60;
/** Characters of base64url: HMAC-SHA256 and Ed25519. */
const LENGTHS = [43, 86];

function readUrl({ url, now, keys }: Subject): TextScheme<UrlInput> {
  const values = new Map(readParameters(url));
  const list = (name: string): readonly string[] => values.get(name)?.split(".") ?? [];
  const kid = values.get("dp-key") ?? "";
  const signature = values.get("dp-signature") ?? "";
  const methods = list("dp-methods");
  const granted = methods.includes("GET") ? [...methods, "HEAD"] : methods;
  const names = list("dp-headers");
  const type = values.get("dp-type");
  const contentType = type === undefined ? undefined : decodeOr(type);
  const signedAt = parseBasicTime(values.get("dp-date") ?? "");
  const startsAt = parseBasicTime(values.get("dp-starts") ?? "") ?? signedAt;
  const endsAt = parseBasicTime(values.get("dp-expires") ?? "");
  const fixed = values.get("dp-prefix");
  const below = fixed === undefined ? "" : `, with the first ${fixed} segments of the path fixed,`;
  return {
    scheme: "url",
    title: `A Daypass URL to ${methods.join(", ") || "nothing"}${below}`,
    resource: `${url.protocol}://${url.authority}${url.wire.path}`,
    signedBy: kid,
    granted: () => granted,
    binds: [
      "methods",
      "scheme, host and port",
      fixed === undefined ? "path" : "the first segments of the path",
      "query",
      "time",
      ...Object.entries(BOUND).flatMap(([name, what]) => (values.has(name) ? [`${what} (${values.get(name)})`] : [])),
    ],
    leavesOpen: openParts(values, methods),
    signedAt,
    startsAt,
    endsAt,
    mayEndEarlier: "when its key is retired, or the URL is revoked or used up",
    bindsHost: true,
    signsQuery: true,
    notSigned: list("dp-vary"),
    mustSend: () => [
      ...names.map((name) => ({ name })),
      ...(contentType === undefined ? [] : [{ name: "content-type", value: contentType }]),
    ],
    traps: timeTraps({ signedAt, endsAt }, now),
    secrets: [signature],
    check(subject) {
      const { sent, known } = subject;
      const headersOf = (from: Subject): UrlInput["headers"] =>
        names.map((name) => ({ name, values: headerValues(from.sent.headers, name) }));
      const open = known.headers ? [] : openHeaders(headersOf(subject));
      const request =
        requestCause(subject, { granted, contentType }) ??
        clientCause(subject, parsed(subject, names)?.parameters["dp-ip"]);
      const inputOf = (from: Subject): UrlInput => ({
        method: sent.method,
        headers: headersOf(from),
        canonical: parsed(from, names)?.canonical,
      });
      return {
        // Without the signed headers no key can be tried.
        keys:
          open.length > 0 || inputOf(subject).canonical === undefined
            ? []
            : keys.filter(isUrlKey).map((key) => ({ id: key.kid, change: { key: loadKey(key) } })),
        inputOf,
        textOf: ({ canonical, key }) => (canonical && key ? urlStringToSign(key.alg, canonical) : ""),
        fits: (input) => fits(input, signature),
        signatures: { signature, signatureOf },
        *variantsOf(input) {
          if (input.canonical === undefined) return;
          for (const variant of urlVariants(subject, input.canonical))
            yield { ...variant, input: { ...input, canonical: variant.input } };
        },
        unknowns: (input) => [input],
        methodIsFree: true,
        listed: names,
        beside: (wrong) => otherValue(headersOf(subject), wrong),
        parse(received) {
          checkWhole("dp-signature", signature, LENGTHS);
          parseUrl({ ...received, origin: originOf(subject) });
        },
        times: { startsAt: startsAt && new Date(startsAt.getTime() - SKEW * 1000), endsAt },
        said: (error) => request ?? serverCause(error, now),
        asSeen: ({ fits: isRight }) => (isRight ? RIGHT : mismatchCause()),
        other: request ?? (open.length > 0 && keys.some(isUrlKey) ? untold(open) : undefined),
      };
    },
  };
}

const RIGHT: Cause = causeOf(
  "WRONG_SECRET",
  "The signature is right for this URL and the given key: the server has another key or none of this id, or a proxy changed the request (its Host, path or query) before it arrived.",
  "Compare the key with the server's; then check the proxies between client and server.",
);

function isUrlKey(key: ExplainKey): key is UrlKey {
  return "kty" in key;
}

function openParts(values: ReadonlyMap<string, string>, methods: readonly string[]): readonly string[] {
  const vary = values.get("dp-vary");
  const has = (name: string): boolean => values.has(name);
  return [
    ...(has("dp-prefix") ? ["path below the prefix"] : []),
    ...(vary === undefined ? [] : [`query parameters ${vary.replaceAll(".", ", ")}`]),
    has("dp-headers") || has("dp-type") ? "every other header" : "every header",
    ...(!has("dp-sha256") && methods.some((method) => method !== "GET") ? ["body"] : []),
    ...(has("dp-uses") ? [] : ["how often it is used"]),
    ...(has("dp-subject") || has("dp-ip") ? [] : ["who uses it, and from where"]),
  ];
}

function timeTraps(
  { signedAt, endsAt }: { readonly signedAt: Date | undefined; readonly endsAt: Date | undefined },
  now: Date,
): readonly Trap[] {
  const text = "It is dated in the future: the signer's clock is ahead.";
  return [
    ...(signedAt !== undefined && signedAt > now ? [{ name: "future-date", text }] : []),
    ...(endsAt !== undefined && endsAt <= now
      ? [{ name: "expired", text: `It expired at ${endsAt.toISOString()}.` }]
      : []),
  ];
}

function originOf({ sent: { authority }, sentUrl: { protocol } }: Subject): string {
  return `${protocol}://${authority.toLowerCase().replace(protocol === "https" ? /:443$/ : /:80$/, "")}`;
}

/** The URL as a verifier reads it, or `undefined`. Headers that are not given have a filler. */
function parsed(subject: Subject, names: readonly string[]): ReturnType<typeof parseUrl> | undefined {
  const { sent, sentUrl } = subject;
  const missing = names.filter((name) => headerValues(sent.headers, name).length === 0);
  const headers = [...sent.headers, ...missing.map((name) => [name, "-"] as const)];
  const origin = originOf(subject);
  try {
    return parseUrl({ request: { ...sent, headers }, wire: sentUrl.wire, origin, wildcard: "" });
  } catch (error) {
    if (!isDaypassError(error)) throw error;
    return undefined;
  }
}

async function fits(input: UrlInput, signature: string): Promise<boolean> {
  const { canonical, key } = input;
  if (canonical === undefined || key === undefined) return false;
  if (key.alg === "HS256") return signatureOf(input) === signature;
  const bytes = fromBase64url(signature);
  return bytes?.length === 64 && (await key.publicKey.verify(urlStringToSign(key.alg, canonical), bytes));
}

function signatureOf({ canonical, key }: UrlInput): string {
  return canonical && key?.alg === "HS256" ? key.mac.base64url(urlStringToSign(key.alg, canonical)) : "";
}

/** The method or the content type is not the granted one. */
function requestCause(
  { known, sent }: Subject,
  { granted, contentType }: { readonly granted: readonly string[]; readonly contentType: string | undefined },
): Cause | undefined {
  if (known.method && !granted.includes(sent.method)) {
    const sentence = `The URL was signed for ${granted.join(", ")}, but sent with ${sent.method}.`;
    return causeOf("METHOD", sentence, `Send ${granted.join(" or ")}, or sign for ${sent.method}, too.`);
  }
  const type = headerValues(sent.headers, "content-type")[0];
  if (!known.headers || contentType === undefined || type === contentType) return undefined;
  const how = type === undefined ? "without one" : `as ${type}`;
  const sentence = `The URL was signed for Content-Type: ${contentType}, and it was sent ${how}.`;
  return causeOf("HEADER", sentence, `Send content-type: ${contentType}.`);
}

/** The client is in none of the networks that the URL is for. */
function clientCause(
  { sent: { remoteAddress } }: Subject,
  networks: readonly Network[] | undefined,
): Cause | undefined {
  if (remoteAddress === undefined || networks === undefined || isInside(remoteAddress, networks)) return undefined;
  const named = networks.map(
    ({ bytes, bits }) => `${bytes.length === 4 ? bytes.join(".") : formatIpv6(bytes)}/${bits}`,
  );
  return otherClient(named.join(" or "), remoteAddress);
}

/** The likeliest first. The many hosts come last, so that the search for two changes reaches all others. */
function* urlVariants(subject: Subject, input: UrlCanonical): Generator<Variant<UrlCanonical>> {
  yield* queryVariants(input);
  yield* pathVariants(input);
  yield* headerVariants(input);
  yield* lifeVariants(input);
  yield* originVariants(input, subject);
}

function variant(code: CauseCode, input: UrlCanonical, text: string, fix: string): Variant<UrlCanonical> {
  return { code, input, signed: text, seen: text, fix };
}

function* queryVariants(input: UrlCanonical): Generator<Variant<UrlCanonical>> {
  const tokens = input.query === "" ? [] : input.query.split("&");
  const without = (rest: readonly string[]): UrlCanonical => ({ ...input, query: rest.join("&") });
  for (const { rest, what } of removals(tokens, { nameOf, isOwn: () => false })) {
    const fix = "Leave out what was added, or let it vary when signing (vary).";
    yield variant("QUERY", without(rest), `The query ${what} added after signing.`, fix);
  }
  const sorted = [...tokens].sort().join("&");
  for (const [how, query] of [["in another order", sorted] as const, ...querySpellings(input.query)]) {
    if (query === input.query) continue;
    const fix = "Pass the query on byte for byte.";
    yield spelt({ code: "QUERY", input: { ...input, query }, what: "query", how, fix });
  }
  const text = "The query was changed after signing: none of it was signed.";
  if (tokens.length > 1) yield variant("QUERY", without([]), text, "Pass the query on byte for byte.");
}

function* pathVariants(input: UrlCanonical): Generator<Variant<UrlCanonical>> {
  for (const [, path] of pathSpellings(input.path, input.path)) {
    const text = `The path was changed after signing: it was ${path}.`;
    yield variant("PATH", { ...input, path }, text, "Pass the path on byte for byte.");
  }
}

/** Changes of a header by proxies and clients. The value may be secret, so no text shows it. */
function* headerVariants(input: UrlCanonical): Generator<Variant<UrlCanonical>> {
  const lines = input.headers.split("\n").slice(0, -1);
  for (const line of lines) {
    const name = line.slice(0, line.indexOf(":"));
    const value = line.slice(name.length + 1);
    const others: readonly (readonly [how: string, value: string])[] = [
      ["empty", ""],
      ["in lower case", value.toLowerCase()],
      ["in upper case", value.toUpperCase()],
      ["without quotes around it", value.replace(/^"(.*)"$/, "$1")],
      ["with one space for several", value.replace(/ +/g, " ")],
      ["decoded", decodeOr(value)],
      ["percent-encoded", encodeURIComponent(value)],
      ["without its second part, behind a comma", value.replace(/,.*$/, "")],
      ["without its parameters, behind a semicolon", value.replace(/;.*$/, "")],
    ];
    for (const [how, other] of others) {
      if (other === value) continue;
      const headers = lines.map((text) => `${text === line ? `${name}:${other}` : text}\n`).join("");
      const fix = `Send ${name} with exactly the value that was signed, and let no proxy change it.`;
      yield spelt({ code: "HEADER", input: { ...input, headers }, what: `header ${name}`, how, fix });
    }
  }
}

function lifeVariants(input: UrlCanonical): Iterable<Variant<UrlCanonical>> {
  const [, date = ""] = /(?:^|&)dp-date=([^&]*)/.exec(input.params) ?? [];
  const [, end = ""] = /(?:^|&)dp-expires=([^&]*)/.exec(input.params) ?? [];
  const signedAt = parseBasicTime(date);
  return changedLives({
    name: "dp-expires",
    now: signedAt && end,
    ofLife: (seconds) => basicTime((signedAt?.getTime() ?? 0) + seconds * 1000),
    withLife: (other) => ({ ...input, params: input.params.replace(`dp-expires=${end}`, `dp-expires=${other}`) }),
  });
}
