import { pemPublicKey } from "#crypto/pem";
import { fromUrlText, PARAMETERS, policyText } from "../cloudfront/canonical.ts";
import type { CloudfrontHash } from "../cloudfront/key.ts";
import { detectCloudfront, parseCloudfront } from "../cloudfront/parse.ts";
import { type Policy, readPolicy } from "../cloudfront/policy.ts";
import { fits as covers } from "../cloudfront/wildcard.ts";
import type { WireRequest } from "../scheme.ts";
import { parseEpoch } from "../validity.ts";
import { headerValues } from "../wire.ts";
import { addedTogether } from "./added-parameters.ts";
import { addressCause, type Case, diagnose, endTraps, grammarCause } from "./diagnosis.ts";
import type { ServerError } from "./error-body.ts";
import type { Explained, Explainer, SplitUrl, Subject } from "./explainer.ts";
import type { Cause, CloudfrontExplainKey, ExplainKey, Trap } from "./explanation.ts";
import { spellings } from "./s3-facts.ts";
import { querySpellings, spelt } from "./text-variants.ts";
import { readParameters, urlTraps } from "./traps.ts";
import { movedEnds } from "./usual-lives.ts";
import { pathSpellings, type Variant } from "./variants.ts";
import { checkWhole, P256_BASE64, RSA_BASE64 } from "./whole-signature.ts";

/** CloudFront URLs and cookies. */
export const cloudfrontExplainer: Explainer = {
  detects: (request) => detectCloudfront(request) || lacksKeyId(request),
  explain: explainCloudfront,
};

/** What is left of a signed URL whose last parameter was cut off: an RSA or ECDSA signature in CloudFront's base64. */
function lacksKeyId({ target }: WireRequest): boolean {
  return /[?&](?:Expires|Policy)=/.test(target) && /[?&]Signature=[A-Za-z0-9~_-]{90,}(?:&|$)/.test(target);
}

/** Everything that a signature depends on. */
interface CloudfrontInput {
  readonly method: string;
  /** What a canned policy is for. */
  readonly url: string;
  readonly end: string;
  /** Of a custom policy, as it travelled; or what a signer has made of the canned one. */
  readonly text: string | undefined;
  readonly hash: CloudfrontHash;
  readonly publicKey: string;
}

interface Facts {
  readonly via: "url" | "cookies";
  readonly values: ReadonlyMap<string, string>;
  /** The URL without CloudFront's parameters. */
  readonly base: string;
  readonly text: string | undefined;
  readonly policy: Policy | undefined;
  readonly resource: string;
  readonly endsAt: Date | undefined;
  readonly hash: CloudfrontHash;
}

const NAMES: readonly string[] = PARAMETERS;

function readFacts(url: SplitUrl, { sent }: Subject): Facts {
  const own = readParameters(url).filter(([name]) => NAMES.includes(name));
  const cookies = headerValues(sent.headers, "cookie")
    .flatMap((value) => value.split(";"))
    .map((cookie) => /^\s*CloudFront-([^=]*)=(.*?)\s*$/.exec(cookie) ?? [])
    .map(([, name = "", value = ""]) => [name, value] as const);
  const values = new Map(own.length > 0 ? own : cookies);
  const rest = url.wire.query.split("&").filter((token) => !NAMES.includes(token.split("=", 1)[0] as string));
  const query = own.length > 0 ? rest.join("&") : url.wire.query;
  const base = `${url.protocol}://${url.authority}${url.wire.path}${query === "" ? "" : `?${query}`}`;
  const bytes = fromUrlText(values.get("Policy") ?? "");
  const text = bytes && String.fromCharCode(...bytes);
  const policy = text === undefined ? undefined : readOr(text);
  return {
    via: own.length > 0 ? "url" : "cookies",
    values,
    base,
    text,
    policy,
    resource: policy?.resource ?? base,
    endsAt: policy?.expiresAt ?? parseEpoch(values.get("Expires") ?? ""),
    hash: values.get("Hash-Algorithm") === "SHA256" ? "sha256" : "sha1",
  };
}

function readOr(text: string): Policy | undefined {
  try {
    return readPolicy(text, (expected) => new Error(expected));
  } catch {
    return undefined;
  }
}

async function explainCloudfront(subject: Subject): Promise<Explained> {
  const { url, now } = subject;
  const facts = readFacts(url, subject);
  const { via, values, policy, resource, endsAt, text } = facts;
  const keyPairId = values.get("Key-Pair-Id") ?? "";
  const what = via === "url" ? "A CloudFront signed URL" : "CloudFront signed cookies";
  const { cause, hypotheses, fitting } = await diagnose(subject, (from) => caseOf(from, facts));
  const isPattern = policy !== undefined && /[*?]/.test(resource);
  const bound = [`resource ${resource}`, ...(via === "cookies" || !isPattern ? [] : [`as it covers ${facts.base}`])];
  return {
    explanation: {
      scheme: "cloudfront",
      summary: `${what} with a ${text === undefined ? "canned" : "custom"} policy for ${resource}, signed by the key ${keyPairId || "nobody"}${endsAt === undefined ? "" : `, valid until ${endsAt.toISOString()}`}.`,
      signedBy: keyPairId,
      grants: { methods: ["GET", "HEAD"], resource },
      binds: [
        ...bound,
        "end",
        ...(policy?.startsAt === undefined ? [] : ["start"]),
        ...(policy?.ipRange === undefined ? [] : [`client address (${policy.ipRange})`]),
      ],
      leavesOpen: [
        "method: the distribution's settings say which are allowed, GET and HEAD if nothing else",
        ...(isPattern ? ["what * and ? stand for"] : []),
        ...["every header", "body"],
        policy?.ipRange === undefined ? "who uses it, from where, and how often" : "how often it is used",
      ],
      startsAt: policy?.startsAt,
      endsAt,
      mayEndEarlier:
        "when its public key is taken out of the key group; not while a download runs, which goes on after the end",
      mustSend: [],
      traps: [
        ...urlTraps(url).filter(({ name }) => !(isPattern && name === "host-port")),
        ...cloudfrontTraps(facts),
        ...endTraps(endsAt, values.get("Expires") ?? "", now),
      ],
      cause,
      hypotheses,
      stringToSign: fitting && textOf(fitting),
    },
    hidden: [values.get("Signature"), values.get("Policy")].flatMap(spellings),
  };
}

function cloudfrontTraps({ via, resource, hash, text, base }: Facts): readonly Trap[] {
  const traps: Trap[] = [];
  const add = (name: string, sentence: string): void => void traps.push({ name, text: sentence });
  if (hash === "sha1") add("sha1", "The signature rests on SHA-1: sign with Hash-Algorithm=SHA256.");
  if (/^[^/]*\/\/[^/]*[*?]/.test(resource)) {
    add(
      "wildcard-host",
      "A wildcard in the host covers every host that the distribution, or another with this key, has.",
    );
  }
  if (/^\*|^http\*/.test(resource)) add("any-scheme", "The policy opens http as well as https.");
  if (text !== undefined && resource.includes("?") && !resource.includes("*")) {
    add(
      "question-mark",
      "In a custom policy ? stands for any one character, also where it was meant to begin a query.",
    );
  }
  if (text === undefined && /[*]/.test(base)) {
    add("canned-wildcard", "A canned policy has no wildcards: * in the URL is no pattern.");
  }
  if (via === "cookies" && text === undefined) {
    add(
      "canned-cookies",
      "Cookies with a canned policy open one URL. For more, a custom policy with a pattern is needed.",
    );
  }
  if (/[^\x21-\x7e]|%[0-9a-f]*[a-f]/.test(base)) {
    add(
      "spelling",
      "CloudFront compares the URL as it is requested, byte for byte: escapes have to be signed as they are sent.",
    );
  }
  return traps;
}

function caseOf(subject: Subject, facts: Facts): Case<CloudfrontInput> {
  const { sent, sentUrl, keys, error } = subject;
  const given = keys.filter(isCloudfrontKey);
  const keyPairId = facts.values.get("Key-Pair-Id") ?? "";
  const signature = fromUrlText(facts.values.get("Signature") ?? "");
  const origin = `${sentUrl.protocol}://${sent.authority}`;
  return {
    subject,
    signedBy: keyPairId,
    given: given.map((key) => key.keyPairId),
    keyed: (input) =>
      given.filter((key) => key.keyPairId === keyPairId).map(({ publicKey }) => ({ ...input, publicKey })),
    inputFor: (url) => inputFor(readFacts(url, subject), sent.method),
    textOf,
    fits: async (input) =>
      signature !== undefined && (await pemPublicKey(input.publicKey).verify(input.hash, textOf(input), signature)),
    variantsOf: (input) => variants(input, subject),
    // CloudFront does not sign the method.
    unknowns: (input) => [input],
    said: (told) => saidByCloudfront(told, facts.values),
    grammar: grammarCause(() => {
      parseCloudfront({ request: sent, wire: sentUrl.wire, origin, wildcard: "" });
      checkWhole("Signature", facts.values.get("Signature") ?? "", WHOLE);
    }),
    times: { startsAt: facts.policy?.startsAt, endsAt: facts.endsAt },
    other:
      beside(readFacts(sentUrl, subject)) ??
      addressCause(subject, facts.policy?.ipRange) ??
      (error === undefined ? undefined : REFUSED),
  };
}

const WHOLE: readonly number[] = [...P256_BASE64, ...RSA_BASE64];

function isCloudfrontKey(key: ExplainKey): key is CloudfrontExplainKey {
  return "keyPairId" in key;
}

function inputFor({ base, text, values, hash }: Facts, method: string): CloudfrontInput {
  return { method, url: base, end: values.get("Expires") ?? "", text, hash, publicKey: "" };
}

function textOf({ url, end, text }: CloudfrontInput): string {
  return text ?? policyText({ resource: url, end: Number(end) });
}

/** Source: "Troubleshoot issues related to a signed URL or signed cookies in CloudFront", AWS re:Post. */
function saidByCloudfront({ code, message }: ServerError, values: Facts["values"]): Cause | undefined {
  const evidence = [`The server says ${code}${message === "" ? "" : `: ${message}`}`];
  if (/Unknown Key/i.test(message)) {
    return {
      code: "UNKNOWN_KEY",
      sentence: "The distribution does not trust the key that Key-Pair-Id names.",
      evidence,
      fix: "Take the id of the public key (K…), put it into a key group, and the group into the cache behaviour that serves this path.",
    };
  }
  if (/Missing Key|Malformed|unencode/i.test(`${code} ${message}`)) {
    return {
      code: "MALFORMED",
      sentence: `CloudFront cannot read the signing parameters: they were cut off, renamed or encoded again${values.has("Key-Pair-Id") ? "" : "; the URL has no Key-Pair-Id"}.`,
      evidence,
      fix: "Pass the URL on byte for byte as it was made; quote it in a shell. Set all cookies for the host and path that is asked for.",
    };
  }
  return undefined;
}

function beside({ base, resource, policy }: Facts): Cause | undefined {
  if (policy === undefined || covers(resource, base)) return undefined;
  return {
    code: "PATH",
    sentence: `The policy is for ${resource}, which does not cover ${base}.`,
    evidence: [],
    fix: "Sign a resource that covers the URL as browsers send it: scheme, host, path and query.",
  };
}

const REFUSED: Cause = {
  code: "PERMISSION",
  sentence:
    "CloudFront says the same for a signature that does not fit, a policy that does not, and a refusal of the origin; nothing in the URL shows which it is.",
  evidence: [],
  fix: "Run explain again with the public key. Then look whether the origin lets the distribution in (origin access control).",
};

/** The variants in the order of how often they are the cause. */
function* variants(input: CloudfrontInput, subject: Subject): Generator<Variant<CloudfrontInput>> {
  const hash = input.hash === "sha1" ? "sha256" : "sha1";
  yield spelt({
    code: "VERSION",
    input: { ...input, hash },
    what: "policy",
    how: `with ${hash === "sha1" ? "SHA-1" : "SHA-256"}, and the URL says the other hash`,
    fix: "Send Hash-Algorithm=SHA256 with SHA-256, and no Hash-Algorithm with SHA-1.",
  });
  yield* policyVariants(input);
  if (input.text === undefined) yield* urlVariants(input, subject);
  yield* lifeVariants(input);
}

function* lifeVariants(input: CloudfrontInput): Generator<Variant<CloudfrontInput>> {
  const { text } = input;
  const [, end = input.end] = /"DateLessThan":\{"AWS:EpochTime":(\d+)/.exec(text ?? "") ?? [];
  yield* movedEnds(end, (other) => ({ ...input, end: other, text: text?.replace(end, other) }));
}

/** The same policy in another spelling. */
function* policyVariants(input: CloudfrontInput): Generator<Variant<CloudfrontInput>> {
  const text = textOf(input);
  const spaced = text.replace(
    /("(?:[^"\\]|\\.)*")|([:,])/g,
    (_, quoted?: string, mark?: string) => quoted ?? `${mark} `,
  );
  const swapped = text.replace(/^(\{"Statement":\[\{)("Resource":.*),("Condition":.*)(\}\]\})$/, "$1$3,$2$4");
  const others: readonly (readonly [how: string, text: string])[] = [
    ["with spaces in it, as many JSON writers put them", spaced],
    ["with a line feed at its end", `${text}\n`],
    ["without the line feed at its end", text.trimEnd()],
    ["with \\/ for /", text.replaceAll("/", "\\/")],
    ["with the condition before the resource", swapped],
    ["with its end in milliseconds", text.replace(/("DateLessThan":\{"AWS:EpochTime":)(\d+)/, "$1$2000")],
    ["with its end as text", text.replace(/("DateLessThan":\{"AWS:EpochTime":)(\d+)/, '$1"$2"')],
  ];
  for (const [how, other] of others) {
    if (other === text) continue;
    const fix = "Sign the very bytes of the policy that are sent; a canned one without white space, resource first.";
    yield spelt({ code: "POLICY", input: { ...input, text: other }, what: "policy", how, fix });
  }
}

/** What a canned policy may have been made for. */
function* urlVariants(input: CloudfrontInput, { url, hosts }: Subject): Generator<Variant<CloudfrontInput>> {
  const [, scheme = "", host = "", path = "", query = ""] = /^(\w+):\/\/([^/]*)([^?]*)(.*)$/s.exec(input.url) ?? [];
  const at = (parts: { scheme?: string; host?: string; path?: string; query?: string }): string => {
    const all = { scheme, host, path, query, ...parts };
    return `${all.scheme}://${all.host}${all.path}${all.query}`;
  };
  const tokens = query.slice(1).split("&").filter(Boolean);
  const names = [...hosts, url.authority, host.replace(/:\d+$/, "")];
  type Row = readonly [code: "HOST" | "PATH" | "QUERY", how: string, url: string];
  const rows: readonly Row[] = [
    ["HOST", "with another scheme", at({ scheme: scheme === "https" ? "http" : "https" })],
    ...names.map((name): Row => ["HOST", `for the host ${name}`, at({ host: name })]),
    ["QUERY", "without its query", at({ query: "" })],
    ...tokens.map((token): Row => {
      const rest = tokens.filter((other) => other !== token).join("&");
      return ["QUERY", `without the parameter ${token.split("=")[0]}`, at({ query: rest === "" ? "" : `?${rest}` })];
    }),
    ...addedTogether(tokens, { nameOf: (token) => token.split("=", 1)[0] as string, isOwn: () => false }).map(
      ({ rest, names }): Row => [
        "QUERY",
        `without the parameters ${names}`,
        at({ query: rest.length === 0 ? "" : `?${rest.join("&")}` }),
      ],
    ),
    ...querySpellings(query).map(([how, other]): Row => ["QUERY", `${how} in its query`, at({ query: other })]),
    ["QUERY", "with ? at its end", at({ query: `${query}?` })],
    ...pathSpellings(path, path).map(([how, other]): Row => ["PATH", how, at({ path: other })]),
    ["PATH", "as the path alone", path + query],
    ["PATH", "as the path alone, without / in front", (path + query).slice(1)],
  ];
  for (const [code, how, other] of rows) {
    if (other === input.url) continue;
    const fix = "Sign the whole URL as browsers send it, without CloudFront's own parameters.";
    yield spelt({ code, input: { ...input, url: other }, what: "URL", how, fix });
  }
}
