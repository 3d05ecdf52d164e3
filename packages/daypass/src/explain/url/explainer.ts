import { isDaypassError } from "../../core/errors.ts";
import { parseBasicTime } from "../../core/time.ts";
import type { UrlCanonical } from "../../schemes/url/canonical.ts";
import { loadKey, type UrlKey } from "../../schemes/url/key.ts";
import { detectUrl, parseUrl } from "../../schemes/url/parse.ts";
import { formatIpv6, isInside, type Network } from "../../wire/ip.ts";
import { headerValues } from "../../wire/raw-target.ts";
import { refusedCause } from "../cause/grammar.ts";
import { unknownKey } from "../cause/keys.ts";
import { lifeCause } from "../cause/life.ts";
import { changedQueryCause } from "../cause/likely-changes.ts";
import { missingHeader, otherClient } from "../cause/request.ts";
import { isMismatch, mismatchCause, otherCause, serverCause } from "../cause/server-cause.ts";
import { checkWhole } from "../cause/whole-signature.ts";
import { decodeOr } from "../decoded.ts";
import type { Diagnosis, Explained, Explainer, Subject } from "../explainer.ts";
import type { Cause, ExplainKey, MustSend, Trap } from "../explanation.ts";
import { readParameters } from "../parameters.ts";
import { openHeaders, untold } from "../search/unknowns.ts";
import { urlTraps } from "../traps.ts";
import { checkUrlSignature, type UrlDiagnosis } from "./signature.ts";

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
  const fixed = get("dp-prefix");
  const prefix = fixed === undefined ? "" : ` and what is beside and below it (the first ${fixed} segments are fixed)`;
  const key = subject.keys.filter(isUrlKey).find((candidate) => candidate.kid === kid);
  const { cause, hypotheses, stringToSign } = await diagnose(subject, key, {
    kid,
    startsAt,
    endsAt,
    methods: grantedMethods ?? [],
    contentType: mustSend(values).find(({ name }) => name === "content-type")?.value,
    signature: get("dp-signature") ?? "",
    headers: get("dp-headers")?.split(".") ?? [],
    vary: get("dp-vary")?.split(".") ?? [],
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
      leavesOpen: leftOpen(values, methods),
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

function leftOpen(values: ReadonlyMap<string, string>, methods: readonly string[] = []): readonly string[] {
  const vary = values.get("dp-vary");
  const open: string[] = [];
  if (values.has("dp-prefix")) open.push("path below the prefix");
  if (vary !== undefined) open.push(`query parameters ${vary.replaceAll(".", ", ")}`);
  open.push(values.has("dp-headers") || values.has("dp-type") ? "every other header" : "every header");
  if (!values.has("dp-sha256") && methods.some((method) => method !== "GET")) open.push("body");
  if (!values.has("dp-uses")) open.push("how often it is used");
  if (!values.has("dp-subject") && !values.has("dp-ip")) open.push("who uses it, and from where");
  return open;
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

function timeTraps(
  { signedAt, endsAt }: { readonly signedAt: Date | undefined; readonly endsAt: Date | undefined },
  now: Date,
): readonly Trap[] {
  const traps: Trap[] = [];
  if (signedAt !== undefined && signedAt > now)
    traps.push({ name: "future-date", text: "It is dated in the future: the signer's clock is ahead." });
  if (endsAt !== undefined && endsAt <= now)
    traps.push({ name: "expired", text: `It expired at ${endsAt.toISOString()}.` });
  return traps;
}

interface Facts {
  readonly kid: string;
  readonly methods: readonly string[];
  readonly contentType: string | undefined;
  readonly signature: string;
  /** Request headers that are signed. */
  readonly headers: readonly string[];
  /** Parameters that may have any value. */
  readonly vary: readonly string[];
  readonly startsAt: Date | undefined;
  readonly endsAt: Date | undefined;
}

async function diagnose(subject: Subject, key: UrlKey | undefined, facts: Facts): Promise<UrlDiagnosis> {
  const { error, now, url, sentUrl, sent, known } = subject;
  const { kid, signature: text } = facts;
  const headers = facts.headers.map((name) => ({ name, values: headerValues(sent.headers, name) }));
  const open = known.headers ? [] : openHeaders(headers);
  let parsed: ReturnType<typeof parseUrl>;
  try {
    checkWhole("dp-signature", text, [HMAC_LENGTH, ED25519_LENGTH]);
    parsed = parseUrl(received(subject, open));
  } catch (thrown) {
    return { cause: missingHeader(subject, facts.headers) ?? refusedCause(thrown) };
  }
  const { canonical, parameters } = parsed;
  const said = error === undefined || isMismatch(error) ? undefined : serverCause(error, now);
  const meant = url === sentUrl ? undefined : meantBy(subject, open);
  const isBlind = key !== undefined && open.length > 0;
  const signature =
    key === undefined
      ? otherKeys(subject, kid)
      : isBlind
        ? {}
        : await checkUrlSignature(subject, { signature: text, canonical, meant, headers }, loadKey(key));
  const cause =
    signature.cause ??
    requestCause(subject, facts) ??
    clientCause(subject, parameters["dp-ip"]) ??
    said ??
    lifeCause(facts, now, { grace: SKEW }) ??
    (isBlind ? untold(open) : undefined);
  if (cause !== undefined || error === undefined) return { ...signature, cause };
  if (!isMismatch(error)) return { ...signature, cause: otherCause(error) };
  if (key !== undefined) return { ...signature, cause: RIGHT };
  const others = ["for another name of the server", "with another secret"];
  return { ...signature, cause: changedQueryCause(subject, others, facts.vary) ?? mismatchCause() };
}

/** What was signed, where the URL that was given can be read. */
function meantBy(subject: Subject, open: readonly Named[]): UrlCanonical | undefined {
  const { url, sent } = subject;
  try {
    return parseUrl(received({ ...subject, sentUrl: url, sent: { ...sent, authority: url.authority } }, open))
      .canonical;
  } catch (thrown) {
    if (!isDaypassError(thrown)) throw thrown;
    return undefined;
  }
}

const RIGHT: Cause = {
  code: "WRONG_SECRET",
  sentence:
    "The signature is right for this URL and the given key: the server has another key or none of this id, or a proxy changed the request (its Host, path or query) before it arrived.",
  evidence: [],
  fix: "Compare the key with the server's; then check the proxies between client and server.",
};

interface Named {
  readonly name: string;
}

/** The request as a verifier reads it; with some value in each header that nobody has told, so that the rest can be read. */
function received({ sent, sentUrl }: Subject, open: readonly Named[]): Parameters<typeof parseUrl>[0] {
  const authority = sent.authority.toLowerCase().replace(sentUrl.protocol === "https" ? /:443$/ : /:80$/, "");
  const headers = [...sent.headers, ...open.map(({ name }) => [name, "-"] as const)];
  return {
    request: { ...sent, headers },
    wire: sentUrl.wire,
    origin: `${sentUrl.protocol}://${authority}`,
    wildcard: "",
  };
}

function otherKeys({ keys }: Subject, kid: string): Diagnosis {
  const given = keys.filter(isUrlKey).map((key) => key.kid);
  return given.length === 0 ? {} : { cause: unknownKey({ signedBy: `the key ${kid}`, given }) };
}

/** What a request must have beside a signature that fits. */
function requestCause({ known, sent }: Subject, { methods, contentType }: Facts): Cause | undefined {
  if (known.method && !methods.includes(sent.method)) {
    return {
      code: "METHOD",
      sentence: `The URL was signed for ${methods.join(", ")}, but sent with ${sent.method}.`,
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

/** The client is in none of the networks that the URL is for. Nobody knows where nobody has said where it is. */
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

// Characters of base64url.
const HMAC_LENGTH = 43;
const ED25519_LENGTH = 86;

/** Seconds for which a verifier takes a URL before it begins. */
const SKEW = 60;
