import { base64url, fromBase64url } from "../encode.ts";
import { isDaypassError } from "../errors.ts";
import { parseBasicTime } from "../time.ts";
import { type UrlCanonical, urlStringToSign } from "../url/canonical.ts";
import { type LoadedKey, loadKey, type UrlKey } from "../url/key.ts";
import { detectUrl, parseUrl } from "../url/parse.ts";
import { headerValues, percentDecode } from "../wire.ts";
import type { Diagnosis, Explained, Explainer, Subject } from "./explainer.ts";
import type { Cause, ExplainKey, Hypothesis, MustSend, Trap } from "./explanation.ts";
import { isMismatch, mismatchCause, otherCause, serverCause } from "./server-cause.ts";
import { readParameters, urlTraps } from "./traps.ts";
import { hostSpellings, type Variant } from "./variants.ts";

/** Daypass URLs. */
export const urlExplainer: Explainer = { detects: detectUrl, explain: explainUrl };

function isUrlKey(key: ExplainKey): key is UrlKey {
  return "kty" in key;
}

async function explainUrl(subject: Subject): Promise<Explained> {
  const { url } = subject;
  const values = new Map(readParameters(url));
  const get = (name: string): string | undefined => values.get(name);
  const kid = get("dp-key") ?? "";
  const methods = get("dp-methods")?.split(".");
  const grantedMethods = methods?.includes("GET") ? [...methods, "HEAD"] : methods;
  const resource = `${url.protocol}://${url.authority}${url.wire.path}`;
  const signedAt = parseBasicTime(get("dp-date") ?? "");
  const startsAt = parseBasicTime(get("dp-starts") ?? "") ?? signedAt;
  const endsAt = parseBasicTime(get("dp-expires") ?? "");
  const prefix =
    get("dp-prefix") === undefined
      ? ""
      : ` and what is beside and below it (the first ${get("dp-prefix")} segments are fixed)`;
  const key = subject.keys.filter(isUrlKey).find((candidate) => candidate.kid === kid);
  const { cause, hypotheses, stringToSign } = await diagnose(subject, key, {
    kid,
    startsAt,
    endsAt,
    methods: grantedMethods ?? [],
    contentType: mustSend(values).find(({ name }) => name === "content-type")?.value,
    signature: get("dp-signature") ?? "",
  });
  return {
    explanation: {
      scheme: "url",
      summary: `A Daypass URL to ${methods?.join(", ") ?? "nothing"} ${resource}${prefix}, signed by the key ${kid}${endsAt === undefined ? "" : `, valid until ${endsAt.toISOString()}`}.`,
      signedBy: kid,
      grants: { methods: grantedMethods, resource },
      binds: [
        "methods",
        "scheme, host and port",
        prefix === "" ? "path" : "the first segments of the path",
        "query",
        "time",
        ...boundBy(values),
      ],
      leavesOpen: [
        ...(get("dp-vary") === undefined ? [] : [`query parameters ${get("dp-vary")?.replaceAll(".", ", ")}`]),
        ...(get("dp-sha256") === undefined && methods?.some((method) => method !== "GET") ? ["body"] : []),
        ...(get("dp-uses") === undefined ? ["how often it is used"] : []),
        ...(get("dp-subject") === undefined && get("dp-ip") === undefined ? ["who uses it, and from where"] : []),
      ],
      signedAt,
      startsAt,
      endsAt,
      mayEndEarlier: "when its key is retired, or the URL is revoked or used up",
      mustSend: mustSend(values),
      traps: [...urlTraps(url), ...timeTraps({ signedAt, endsAt }, subject.now)],
      cause,
      hypotheses,
      canonicalRequest: undefined,
      stringToSign: key === undefined ? undefined : stringToSign,
    },
    hidden: [get("dp-signature") ?? ""],
  };
}

function boundBy(values: ReadonlyMap<string, string>): readonly string[] {
  const names: Readonly<Record<string, string>> = {
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
  return Object.entries(names).flatMap(([name, what]) => (values.has(name) ? [`${what} (${values.get(name)})`] : []));
}

function mustSend(values: ReadonlyMap<string, string>): readonly MustSend[] {
  const type = values.get("dp-type");
  const names = values.get("dp-headers")?.split(".") ?? [];
  return [
    ...names.map((name) => ({ name })),
    ...(type === undefined ? [] : [{ name: "content-type", value: decodeOr(type) }]),
  ];
}

function decodeOr(text: string): string {
  try {
    return percentDecode(text);
  } catch {
    return text;
  }
}

function timeTraps(
  { signedAt, endsAt }: { readonly signedAt: Date | undefined; readonly endsAt: Date | undefined },
  now: Date,
): readonly Trap[] {
  const traps: Trap[] = [];
  if (signedAt !== undefined && signedAt > now)
    traps.push({ name: "future-date", text: "It is dated after now: the signer's clock is ahead." });
  if (endsAt !== undefined && endsAt <= now)
    traps.push({ name: "expired", text: `It ended at ${endsAt.toISOString()}.` });
  return traps;
}

interface UrlDiagnosis extends Diagnosis {
  readonly stringToSign?: string | undefined;
}

interface Facts {
  readonly kid: string;
  readonly methods: readonly string[];
  readonly contentType: string | undefined;
  readonly signature: string;
  readonly startsAt: Date | undefined;
  readonly endsAt: Date | undefined;
}

async function diagnose(subject: Subject, key: UrlKey | undefined, facts: Facts): Promise<UrlDiagnosis> {
  const { error, now } = subject;
  let canonical: UrlCanonical;
  try {
    canonical = parseUrl(received(subject)).canonical;
  } catch (thrown) {
    if (!isDaypassError(thrown)) throw thrown;
    return {
      cause: {
        code: "MALFORMED",
        sentence: `The request is refused before its signature is looked at: ${thrown.message}.`,
        evidence: [],
        fix: "Pass the URL on byte for byte as it was made; quote it in a shell.",
      },
    };
  }
  const said = error === undefined || isMismatch(error) ? undefined : serverCause(error, now);
  const signature =
    key === undefined
      ? unknownKey(subject, facts)
      : await checkSignature(subject, { canonical, ...facts }, loadKey(key));
  const cause = signature.cause ?? requestCause(subject, facts) ?? said ?? timeCause(facts, now);
  if (cause !== undefined || error === undefined) return { ...signature, cause };
  if (!isMismatch(error)) return { ...signature, cause: otherCause(error) };
  return { ...signature, cause: key === undefined ? mismatchCause() : RIGHT };
}

const RIGHT: Cause = {
  code: "WRONG_SECRET",
  sentence:
    "The signature is right for this URL and the given key: the server has another key or none of this id, or a proxy changed the request (its Host, path or query) before it arrived.",
  evidence: [],
  fix: "Compare the key with the server's; then look at proxies between client and server.",
};

function received({ sent, sentUrl }: Subject): Parameters<typeof parseUrl>[0] {
  const authority = sent.authority.toLowerCase().replace(sentUrl.protocol === "https" ? /:443$/ : /:80$/, "");
  return { request: sent, wire: sentUrl.wire, origin: `${sentUrl.protocol}://${authority}`, wildcard: "" };
}

function unknownKey({ keys }: Subject, { kid }: Facts): Diagnosis {
  const kids = keys.filter(isUrlKey).map((key) => key.kid);
  if (kids.length === 0) return {};
  return {
    cause: {
      code: "UNKNOWN_KEY",
      sentence: `The URL was signed by the key ${kid}, and the given keys are ${kids.join(", ")}.`,
      evidence: [],
      fix: "Give the key that signed.",
    },
  };
}

/** What a request must have beside a signature that fits. */
function requestCause({ known, sent }: Subject, { methods, contentType }: Facts): Cause | undefined {
  if (known.method && !methods.includes(sent.method)) {
    return {
      code: "METHOD",
      sentence: `The URL was signed for ${methods.join(", ")} and sent with ${sent.method}.`,
      evidence: [],
      fix: `Send ${methods.join(" or ")}, or sign for ${sent.method}, too.`,
    };
  }
  const type = headerValues(sent.headers, "content-type")[0];
  if (known.headers && contentType !== undefined && type !== contentType) {
    return {
      code: "HEADER",
      sentence: `The URL was signed for Content-Type: ${contentType}, and it was sent ${type === undefined ? "without one" : `as ${type}`}.`,
      evidence: [],
      fix: `Send content-type: ${contentType}.`,
    };
  }
  return undefined;
}

function timeCause({ startsAt, endsAt }: Facts, now: Date): Cause | undefined {
  if (endsAt !== undefined && endsAt <= now) {
    const sentence = `The URL has expired: it ended at ${endsAt.toISOString()}.`;
    return { code: "EXPIRED", sentence, evidence: [`now ${now.toISOString()}`], fix: "Ask for a new URL." };
  }
  if (startsAt !== undefined && startsAt.getTime() > now.getTime() + 60_000) {
    const sentence = `The URL has not begun: it starts at ${startsAt.toISOString()}.`;
    return { code: "NOT_YET_VALID", sentence, evidence: [`now ${now.toISOString()}`], fix: "Wait, or set the clocks." };
  }
  return undefined;
}

async function checkSignature(
  subject: Subject,
  { canonical: sent, signature, kid }: Facts & { readonly canonical: UrlCanonical },
  key: LoadedKey,
): Promise<UrlDiagnosis> {
  const fits = async (canonical: UrlCanonical): Promise<boolean> => {
    const text = urlStringToSign(key.alg, canonical);
    if (key.alg === "HS256") return base64url(key.mac.bytes(text)) === signature;
    const bytes = fromBase64url(signature);
    return bytes !== undefined && bytes.length === 64 && (await key.publicKey.verify(text, bytes));
  };
  const stringToSign = urlStringToSign(key.alg, sent);
  if (await fits(sent)) return { stringToSign };
  const tried = new Map<Cause["code"], Hypothesis>();
  for (const { code, input, signed, fix } of urlVariants(subject, sent)) {
    tried.set(code, { code, tried: (tried.get(code)?.tried ?? 0) + 1, fits: false, sentence: signed });
    if (!(await fits(input))) continue;
    tried.set(code, { code, tried: tried.get(code)?.tried ?? 1, fits: true, sentence: signed });
    const evidence = ["With this one change the signature comes out exactly."];
    return { stringToSign, cause: { code, sentence: signed, evidence, fix }, hypotheses: ranked(tried) };
  }
  return {
    stringToSign,
    cause: {
      code: "WRONG_SECRET",
      sentence: `The URL was signed with another key than the given ${kid}, or its dp- parameters were changed.`,
      evidence: [
        `No variant fits: ${[...tried.values()].map(({ code, tried: count }) => `${code} ${count}`).join(", ")}.`,
      ],
      fix: "Compare the key that the signer uses with the verifier's, and pass the URL on as it was made.",
    },
    hypotheses: ranked(tried),
  };
}

function ranked(tried: ReadonlyMap<string, Hypothesis>): readonly Hypothesis[] {
  return [...tried.values()].sort((a, b) => Number(b.fits) - Number(a.fits));
}

function* urlVariants(subject: Subject, canonical: UrlCanonical): Generator<Variant<UrlCanonical>> {
  const { sent, sentUrl, url, hosts } = subject;
  const forwarded = headerValues(sent.headers, "x-forwarded-host");
  const origins = [
    sent.authority,
    ...hostSpellings(sent.authority, { url: url.authority, region: "", hosts: [...hosts, ...forwarded] }),
  ]
    .flatMap((host) => [`https://${host}`, `http://${host}`])
    .map((origin) => origin.replace(/^(https:.*):443$|^(http:.*):80$/, "$1$2"));
  for (const origin of new Set(origins)) {
    if (origin === canonical.origin) continue;
    const text = `The URL was signed for ${origin}, and the server was reached as ${canonical.origin}.`;
    yield {
      code: "HOST",
      input: { ...canonical, origin },
      signed: text,
      seen: text,
      fix: "Sign for the public origin, list it in the verifier's origins, and let proxies pass Host on unchanged.",
    };
  }
  const tokens = canonical.query === "" ? [] : canonical.query.split("&");
  for (const token of tokens) {
    const name = token.split("=")[0] as string;
    const text = `The query parameter ${name} was added after signing.`;
    yield {
      code: "QUERY",
      input: { ...canonical, query: tokens.filter((other) => other !== token).join("&") },
      signed: text,
      seen: text,
      fix: `Leave it out, or let it vary when signing (vary: ["${name}"]).`,
    };
  }
  const spellings: readonly (readonly [what: string, query: string])[] = [
    ["none of the query was signed", ""],
    ["its parameters were in another order", [...tokens].sort().join("&")],
    ["a + was a %20", canonical.query.replaceAll("+", "%20")],
    ["a %20 was a +", canonical.query.replaceAll("%20", "+")],
  ];
  for (const [what, query] of spellings) {
    if (query === canonical.query) continue;
    const text = `The query was changed after signing: ${what}.`;
    yield {
      code: "QUERY",
      input: { ...canonical, query },
      signed: text,
      seen: text,
      fix: "Pass the query on byte for byte.",
    };
  }
  for (const path of [sentUrl.wire.path.replace(/(.)\/$/, "$1"), `${sentUrl.wire.path}/`, url.wire.path]) {
    if (path === canonical.path) continue;
    const text = `The path was changed after signing: it was ${path}.`;
    yield {
      code: "PATH",
      input: { ...canonical, path },
      signed: text,
      seen: text,
      fix: "Pass the path on byte for byte.",
    };
  }
}
