import { isDaypassError } from "../../core/errors.ts";
import { parseBasicTime } from "../../core/time.ts";
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
import type { Cause, ExplainKey, Trap } from "../explanation.ts";
import { readParameters } from "../parameters.ts";
import { openHeaders, otherValue, untold } from "../search/unknowns.ts";
import { explainTextScheme, type TextScheme } from "../text-scheme.ts";
import { urlVariants } from "./variants.ts";

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
      ...["methods", "scheme, host and port", fixed === undefined ? "path" : "the first segments of the path"],
      ...["query", "time"],
      ...Object.entries(BOUND).flatMap(([name, what]) => (values.has(name) ? [`${what} (${values.get(name)})`] : [])),
    ],
    leavesOpen: openParts(values, methods),
    signedAt,
    startsAt,
    endsAt,
    mayEndEarlier: "when its key is retired, or the URL is revoked or used up",
    bindsHost: true,
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
        ...{ method: sent.method, headers: headersOf(from), canonical: parsed(from, names)?.canonical },
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
        *variantsOf(input) {
          if (input.canonical === undefined) return;
          for (const variant of urlVariants(subject, input.canonical))
            yield { ...variant, input: { ...input, canonical: variant.input } };
        },
        unknowns: (input) => [input],
        methodIsFree: true,
        listed: names,
        signsQuery: true,
        notSigned: list("dp-vary"),
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
  const text = urlStringToSign(key.alg, canonical);
  if (key.alg === "HS256") return key.mac.base64url(text) === signature;
  const bytes = fromBase64url(signature);
  return bytes?.length === 64 && (await key.publicKey.verify(text, bytes));
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
