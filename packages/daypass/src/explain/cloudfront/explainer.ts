import { type PemPublicKey, pemPublicKey } from "#crypto/pem";
import type { WireRequest } from "../../core/contracts.ts";
import { parseEpoch } from "../../core/time.ts";
import type { CloudfrontHash } from "../../schemes/cloudfront/key.ts";
import {
  fits as covers,
  fromUrlText,
  PARAMETERS,
  type Policy,
  policyText,
  readPolicy,
} from "../../schemes/cloudfront/policy.ts";
import { detectCloudfront, parseCloudfront } from "../../schemes/cloudfront/verify.ts";
import { headerValues } from "../../wire/raw-target.ts";
import { amazonBucket, amazonRegion } from "../amazon-host.ts";
import { causeOf, guess } from "../cause/combine-causes.ts";
import { addressCause } from "../cause/request.ts";
import { isMismatch, isVague, serverCause } from "../cause/server-cause.ts";
import { checkWhole, P256_BASE64, RSA_BASE64 } from "../cause/whole-signature.ts";
import type { ServerError } from "../error-body.ts";
import type { Explainer, SplitUrl, Subject } from "../explainer.ts";
import type { Cause, CloudfrontExplainKey, ExplainKey, Trap } from "../explanation.ts";
import { nameOf, readParameters } from "../parameters.ts";
import { removals } from "../search/added-parameters.ts";
import type { Variant } from "../search/search.ts";
import { pathSpellings } from "../search/spellings.ts";
import { querySpellings, spelt } from "../search/text-variants.ts";
import { movedEnds } from "../search/usual-lives.ts";
import { PUBLIC_KEY } from "../search/work.ts";
import { explainTextScheme, type TextScheme } from "../text-scheme.ts";
import { trapsOf } from "../traps.ts";

/** CloudFront URLs and cookies. */
export const cloudfrontExplainer: Explainer = {
  detects: (request) => detectCloudfront(request) || lacksKeyId(request),
  explain: (subject) => explainTextScheme(subject, readCloudfront(subject)),
};

/** A signed URL whose last parameter was cut off: an RSA or ECDSA signature in CloudFront's base64. */
function lacksKeyId({ target }: WireRequest): boolean {
  return /[?&](?:Expires|Policy)=/.test(target) && /[?&]Signature=[A-Za-z0-9~_-]{90,}(?:&|$)/.test(target);
}

interface Facts {
  readonly via: "url" | "cookies";
  readonly values: ReadonlyMap<string, string>;
  /** The URL without CloudFront's parameters. */
  readonly base: string;
  readonly text: string | undefined;
  readonly policy: Policy | undefined;
  readonly resource: string;
  readonly hash: CloudfrontHash;
}

const NAMES: readonly string[] = PARAMETERS;

function readFacts(url: SplitUrl, headers: WireRequest["headers"]): Facts {
  const own = readParameters(url).filter(([name]) => NAMES.includes(name));
  const cookies = headerValues(headers, "cookie")
    .flatMap((value) => value.split(";"))
    .map((cookie) => /^\s*CloudFront-([^=]*)=(.*?)\s*$/.exec(cookie) ?? [])
    .map(([, name = "", value = ""]) => [name, value] as const);
  const values = new Map(own.length > 0 ? own : cookies);
  const rest = url.wire.query.split("&").filter((token) => !NAMES.includes(nameOf(token)));
  const query = own.length > 0 ? rest.join("&") : url.wire.query;
  const base = `${url.protocol}://${url.authority}${url.wire.path}${query === "" ? "" : `?${query}`}`;
  const bytes = fromUrlText(values.get("Policy") ?? "");
  const text = bytes && String.fromCharCode(...bytes);
  const policy = text === undefined ? undefined : readOr(text);
  const hash = values.get("Hash-Algorithm") === "SHA256" ? "sha256" : "sha1";
  const via = own.length > 0 ? "url" : "cookies";
  return { via, values, base, text, policy, resource: policy?.resource ?? base, hash };
}

function readOr(text: string): Policy | undefined {
  try {
    return readPolicy(text, (expected) => new Error(expected));
  } catch {
    return undefined;
  }
}

function readCloudfront(asked: Subject): TextScheme<CloudfrontInput> {
  const { url, keys, now } = asked;
  const facts = readFacts(url, asked.sent.headers);
  const { via, values, policy, resource, base, text } = facts;
  const get = (name: string): string => values.get(name) ?? "";
  const signature = fromUrlText(get("Signature"));
  const isPattern = policy !== undefined && /[*?]/.test(resource);
  // Reading a key takes as long as two of the thousands of guesses.
  const pems = new Map<string, PemPublicKey>();
  const keyOf = (pem: string): PemPublicKey => {
    const key = pems.get(pem) ?? pemPublicKey(pem);
    pems.set(pem, key);
    return key;
  };
  return {
    scheme: "cloudfront",
    title: `${via === "url" ? "A CloudFront signed URL" : "CloudFront signed cookies"} with a ${text === undefined ? "canned" : "custom"} policy`,
    resource,
    signedBy: get("Key-Pair-Id"),
    granted: () => ["GET", "HEAD"],
    binds: [
      `resource ${resource}`,
      ...(via === "cookies" || !isPattern ? [] : [`as it covers ${base}`]),
      "end",
      ...(policy?.startsAt === undefined ? [] : ["start"]),
      ...(policy?.ipRange === undefined ? [] : [`client address (${policy.ipRange})`]),
    ],
    leavesOpen: [
      "method: the distribution's settings say which are allowed, GET and HEAD if nothing else",
      ...(isPattern ? ["what * and ? stand for"] : []),
      "every header",
      "body",
      policy?.ipRange === undefined ? "who uses it, from where, and how often" : "how often it is used",
    ],
    startsAt: policy?.startsAt,
    endsAt: policy?.expiresAt ?? parseEpoch(get("Expires")),
    end: get("Expires"),
    mayEndEarlier: "when its public key is removed from the key group; a running download continues after it expires",
    bindsHost: !isPattern,
    signsQuery: text === undefined,
    traps: cloudfrontTraps(facts),
    secrets: [get("Signature"), get("Policy")],
    check(subject) {
      const { sent, sentUrl, error } = subject;
      const fault = ownFault(facts, sentUrl);
      return {
        keys: keys.filter(isCloudfrontKey).map(({ keyPairId: id, publicKey }) => ({ id, change: { publicKey } })),
        inputOf(from) {
          const { base: signed, values: of, text: custom, hash } = readFacts(from.sentUrl, sent.headers);
          const end = of.get("Expires") ?? "";
          return { method: sent.method, url: signed, end, text: custom, hash, publicKey: "" };
        },
        textOf,
        fits: async ({ publicKey, ...input }) =>
          signature !== undefined && (await keyOf(publicKey).verify(input.hash, textOf(input), signature)),
        variantsOf: (input) => cloudfrontVariants(input, subject),
        unknowns: (input) => [input],
        methodIsFree: true,
        keyWork: PUBLIC_KEY,
        said: (told) => fault ?? saidByCloudfront(told, values) ?? saidByOrigin(told, now),
        fault,
        parse(received) {
          parseCloudfront(received);
          checkWhole("Signature", get("Signature"), [...P256_BASE64, ...RSA_BASE64]);
        },
        other: uncovered(readFacts(sentUrl, sent.headers)) ?? addressCause(subject, policy?.ipRange),
        // The origin gives any other answer, after CloudFront accepted the signature.
        otherOf: (fitting) =>
          error !== undefined && (isVague(error) || isMismatch(error))
            ? guess(fitting === undefined ? REFUSED : REFUSED_RIGHT)
            : undefined,
      };
    },
  };
}

function cloudfrontTraps({ via, resource, hash, text, base }: Facts): readonly Trap[] {
  const isCustom = text !== undefined;
  return trapsOf([
    [hash === "sha1", "sha1", "The signature uses SHA-1: sign with Hash-Algorithm=SHA256."],
    [
      /^[^/]*\/\/[^/]*[*?]/.test(resource),
      "wildcard-host",
      "A wildcard in the host covers every host that the distribution, or another with this key, has.",
    ],
    [/^\*|^http\*/.test(resource), "any-scheme", "The policy allows http as well as https."],
    [
      isCustom && resource.includes("?") && !resource.includes("*"),
      "question-mark",
      "In a custom policy ? matches any one character, even where it was meant to start the query.",
    ],
    [
      !isCustom && base.includes("*"),
      "canned-wildcard",
      "A canned policy has no wildcards: * in the URL is taken literally.",
    ],
    [
      via === "cookies" && !isCustom,
      "canned-cookies",
      "Cookies with a canned policy give access to one URL. For more, use a custom policy with a pattern.",
    ],
    [
      /[^\x21-\x7e]|%[0-9a-f]*[a-f]/.test(base),
      "spelling",
      "CloudFront compares the URL as it is requested, byte for byte: sign escapes exactly as they are sent.",
    ],
  ]);
}

function isCloudfrontKey(key: ExplainKey): key is CloudfrontExplainKey {
  return "keyPairId" in key;
}

/** The answer of the store behind the distribution, for example for a missing object. */
function saidByOrigin(error: ServerError, now: Date): Cause | undefined {
  const said = isVague(error) ? undefined : serverCause(error, now);
  if (said?.code !== "PERMISSION") return said;
  return causeOf(
    "PERMISSION",
    "CloudFront accepted the signature, but the origin denies the distribution access.",
    "Give the distribution access: origin access control, and a bucket policy that allows cloudfront.amazonaws.com s3:GetObject.",
    ...said.evidence,
  );
}

/** Faults of the URL itself. One of them is the cause, no matter what the response says. */
function ownFault({ values, policy }: Facts, { authority }: SplitUrl): Cause | undefined {
  if (amazonBucket(authority) !== undefined || amazonRegion(authority) !== undefined) {
    return causeOf(
      "ENDPOINT",
      `The URL is signed for CloudFront, but its host ${authority} is S3's, which needs another kind of signature.`,
      "Sign the URL of the distribution (or of a name that leads to it), or sign for S3 with an access key.",
    );
  }
  const end = values.get("Expires") ?? String((policy?.expiresAt?.getTime() ?? 0) / 1000);
  if (!/^\d{13}(?:\.\d+)?$/.test(end)) return undefined;
  return causeOf(
    "TIME",
    `The expiry (${end}) is in milliseconds, but CloudFront reads seconds and rejects a date so far away.`,
    "Divide by 1000 and round before signing (Math.floor(Date.now() / 1000) + seconds).",
  );
}

function uncovered({ base, resource, policy }: Facts): Cause | undefined {
  if (policy === undefined || covers(resource, base)) return undefined;
  return causeOf(
    "PATH",
    `The policy is for ${resource}, which does not cover ${base}.`,
    "Sign a resource that covers the URL as browsers send it: scheme, host, path and query.",
  );
}

const REFUSED: Cause = causeOf(
  "PERMISSION",
  "CloudFront gives the same answer when the signature is wrong, the policy does not match or the origin refuses; nothing in the URL shows which it is.",
  "Run explain again with the public key. Then check that the origin gives the distribution access (origin access control).",
);

const REFUSED_RIGHT: Cause = causeOf(
  "PERMISSION",
  "The signature is right for the given key: the distribution does not trust this key for the path, or the origin refuses the distribution.",
  "Check that the key's group is in the cache behaviour that serves this path; then that the origin gives the distribution access (origin access control).",
);

/** Source: "Troubleshoot issues related to a signed URL or signed cookies in CloudFront", AWS re:Post. */
export function saidByCloudfront(
  { code, message }: ServerError,
  values?: ReadonlyMap<string, string>,
): Cause | undefined {
  const evidence = `The server says ${code}${message === "" ? "" : `: ${message}`}`;
  const keyId = values?.get("Key-Pair-Id") ?? "";
  if (/Unknown Key/i.test(message)) {
    return /^A[KS]IA/.test(keyId)
      ? causeOf(
          "UNKNOWN_KEY",
          `Key-Pair-Id (${keyId}) is the id of an IAM access key, not of a CloudFront public key.`,
          "Create a key pair, upload the public key to CloudFront, and sign with the private key under the id that CloudFront gives it (K…).",
          evidence,
        )
      : causeOf(
          "UNKNOWN_KEY",
          "The distribution does not trust the key that Key-Pair-Id names.",
          "Use the id of the public key (K…), add the key to a key group, and the group to the cache behaviour that serves this path.",
          evidence,
        );
  }
  if (!/Missing ?Key|^MalformedPolicy|unencode/i.test(`${code} ${message}`)) return undefined;
  const lacks = values === undefined || values.has("Key-Pair-Id") ? "" : "; the URL has no Key-Pair-Id";
  return causeOf(
    "MALFORMED",
    `CloudFront cannot read the signing parameters: they were cut off, renamed or encoded again${lacks}.`,
    "Pass the URL on byte for byte as it was made; quote it in a shell. Set all cookies for the host and path that is asked for.",
    evidence,
  );
}

/** The signed input. */
interface CloudfrontInput {
  readonly method: string;
  /** The resource of a canned policy. */
  readonly url: string;
  readonly end: string;
  /** A custom policy as it was sent, or a signer's own text of a canned one. */
  readonly text: string | undefined;
  readonly hash: CloudfrontHash;
  readonly publicKey: string;
}

/** The signed text: the policy. */
function textOf({ url, end, text }: Pick<CloudfrontInput, "url" | "end" | "text">): string {
  return text ?? policyText({ resource: url, end: Number(end) });
}

/** The likeliest first. */
function* cloudfrontVariants(input: CloudfrontInput, subject: Subject): Generator<Variant<CloudfrontInput>> {
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
    ["with spaces in it, as many JSON serializers add them", spaced],
    ["with a line feed at its end", `${text}\n`],
    ["without the line feed at its end", text.trimEnd()],
    ["with \\/ for /", text.replaceAll("/", "\\/")],
    ["with the condition before the resource", swapped],
    ["with its end in milliseconds", text.replace(/("DateLessThan":\{"AWS:EpochTime":)(\d+)/, "$1$2000")],
    ["with its end as text", text.replace(/("DateLessThan":\{"AWS:EpochTime":)(\d+)/, '$1"$2"')],
  ];
  for (const [how, other] of others) {
    if (other === text) continue;
    const fix =
      "Sign exactly the bytes of the policy that are sent; a canned one has no white space and puts the resource first.";
    yield spelt({ code: "POLICY", input: { ...input, text: other }, what: "policy", how, fix });
  }
}

/** Resources that the signer of a canned policy may have used. */
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
    ...removals(tokens, { nameOf, isOwn: () => false }).map(
      ({ rest, what }): Row => [
        "QUERY",
        `without the ${what.replace(/ was$| were$/, "")}`,
        at({ query: rest.length === 0 ? "" : `?${rest.join("&")}` }),
      ],
    ),
    ...querySpellings(query).map(([how, other]): Row => ["QUERY", `${how} in its query`, at({ query: other })]),
    ["QUERY", "with ? at its end", at({ query: `${query}?` })],
    ...pathSpellings(path, path).map(([how, other]): Row => ["PATH", how, at({ path: other })]),
    ...["*", "https://*", "http*://*"].map(
      (pattern): Row => ["PATH", `for the pattern ${pattern}, which a canned policy does not have`, pattern],
    ),
    ["PATH", "for the pattern of its host, which a canned policy does not have", at({ path: "/*", query: "" })],
    ["PATH", "as the path alone", path + query],
    ["PATH", "as the path alone, without / in front", (path + query).slice(1)],
  ];
  for (const [code, how, other] of rows) {
    if (other === input.url) continue;
    const fix = "Sign the whole URL as browsers send it, without CloudFront's own parameters.";
    yield spelt({ code, input: { ...input, url: other }, what: "URL", how, fix });
  }
}
