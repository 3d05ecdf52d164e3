import { sha1Hmac, sha256Hmac } from "#crypto/digests";
import { parseEpoch } from "../../core/validity.ts";
import { subtleSha512Hmac } from "../../crypto/subtle-hmac.ts";
import { signedMethodsFor } from "../../schemes/swift/canonical.ts";
import type { SwiftDigest, SwiftKey } from "../../schemes/swift/key.ts";
import { detectSwift, parseSwift } from "../../schemes/swift/parse.ts";
import { base64url, hex } from "../../wire/encoding.ts";
import { type Case, diagnose } from "../cause/diagnosis.ts";
import { grammarCause } from "../cause/grammar.ts";
import { addressCause } from "../cause/request.ts";
import type { Signer } from "../cause/undecided.ts";
import { decodeOr } from "../decoded.ts";
import type { Explained, Explainer, SplitUrl, Subject } from "../explainer.ts";
import type { Cause, ExplainKey, Trap } from "../explanation.ts";
import { readParameters } from "../parameters.ts";
import type { Variant } from "../search/search.ts";
import { decodedPathVariants, spelt } from "../search/text-variants.ts";
import { withMethods } from "../search/unknowns.ts";
import { movedEnds } from "../search/usual-lives.ts";
import { methodVariants, secretVariants } from "../search/variants.ts";
import { spellings } from "../secrets.ts";
import { endTraps, urlTraps } from "../traps.ts";

/** OpenStack Swift temporary URLs. */
export const swiftExplainer: Explainer = { detects: detectSwift, explain: explainSwift, answersWithPages: true };

/** Everything that a signature depends on. */
interface SwiftInput {
  readonly method: string;
  /** As it stands in the text: seconds, or whatever a signer took for them. */
  readonly expires: string;
  readonly ipRange: string | undefined;
  /** Decoded, from the version on; with a prefix in the place of the object. */
  readonly path: string;
  readonly isPrefix: boolean;
  readonly digest: SwiftDigest;
  readonly secret: string;
}

interface Facts {
  /** What stands in front of `/v1/`. */
  readonly basePath: string;
  readonly account: string;
  readonly container: string;
  readonly object: string;
  readonly prefix: string | undefined;
  readonly ipRange: string | undefined;
  readonly end: string;
  readonly endsAt: Date | undefined;
  readonly signature: string;
  readonly digest: SwiftDigest;
  /** Parameters that the holder can change. */
  readonly open: readonly string[];
}

function readFacts(url: SplitUrl): Facts {
  const parameters = readParameters(url);
  const values = new Map(parameters);
  const [, basePath = "", account = "", container = "", object = ""] =
    /^(.*?)\/v1\/([^/]*)\/([^/]*)\/(.*)$/s.exec(decodeOr(url.wire.path)) ?? [];
  const end = values.get("temp_url_expires") ?? "";
  const signature = values.get("temp_url_sig") ?? "";
  return {
    basePath,
    account,
    container,
    object,
    prefix: values.get("temp_url_prefix"),
    ipRange: values.get("temp_url_ip_range"),
    end,
    endsAt: parseEpoch(end) ?? isoTime(end),
    signature,
    digest: signature.startsWith("sha512:") ? "sha512" : signature.length === 40 ? "sha1" : "sha256",
    open: parameters.map(([name]) => name).filter((name) => !/^temp_url_(?:sig|expires|ip_range|prefix)$/.test(name)),
  };
}

function isoTime(text: string): Date | undefined {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text) && !Number.isNaN(Date.parse(text)) ? new Date(text) : undefined;
}

async function explainSwift(subject: Subject): Promise<Explained> {
  const { url, now } = subject;
  const facts = readFacts(url);
  const { account, container, object, prefix, ipRange, endsAt, signature, digest } = facts;
  const resource =
    prefix === undefined
      ? `object ${object} in container ${container} of ${account}`
      : `every object whose name begins with ${JSON.stringify(prefix)} in container ${container} of ${account}`;
  const { cause, hypotheses, method, fitting } = await diagnose(subject, (from) => caseOf(from, facts));
  const methods = /^(?:GET|PUT|POST)$/.test(method ?? "") ? [method as string, "HEAD"] : method && [method];
  return {
    explanation: {
      scheme: "swift",
      summary: `An OpenStack Swift temporary URL (${digest}) for ${resource}${endsAt === undefined ? "" : `, valid until ${endsAt.toISOString()}`}.`,
      signedBy: account,
      grants: { methods: methods || undefined, resource },
      binds: [
        ...["method (HEAD goes with GET, PUT and POST)", "account", "container", "end"],
        prefix === undefined ? "object" : "prefix",
        ...(ipRange === undefined ? [] : [`client address (${ipRange})`]),
      ],
      leavesOpen: [
        "scheme and host",
        ...(prefix === undefined ? [] : ["the rest of the name"]),
        "filename and inline: under which name and how a browser saves it",
        ...["every header", "body"],
        ipRange === undefined ? "who uses it, from where, and how often" : "how often it is used",
      ],
      endsAt,
      mayEndEarlier: "when the Temp-URL-Key that signed it is replaced or removed",
      mustSend: [],
      traps: [
        ...urlTraps(url).filter(({ name }) => !/^host-port$/.test(name)),
        ...swiftTraps(facts),
        ...endTraps(endsAt, facts.end, now),
      ],
      cause,
      hypotheses,
      stringToSign: fitting && textOf(fitting),
    },
    hidden: spellings(signature),
  };
}

function swiftTraps({ digest, prefix, open }: Facts): readonly Trap[] {
  const traps: Trap[] = [];
  const add = (name: string, text: string): void => void traps.push({ name, text });
  if (digest === "sha1") {
    add("sha1", "HMAC-SHA1 is deprecated: newer servers refuse it unless their allowed_digests names it.");
  }
  if (prefix !== undefined && !prefix.endsWith("/")) {
    add("loose-prefix", `The prefix does not end in /: names such as ${prefix}x are granted, too.`);
  }
  if (open.length > 0)
    add("unsigned-parameter", `${open.join(", ")}: not signed, whoever holds the URL can change it.`);
  return traps;
}

function isSwiftKey(key: ExplainKey): key is SwiftKey {
  return "account" in key && "key" in key;
}

function caseOf(subject: Subject, facts: Facts): Case<SwiftInput> {
  const { sent, sentUrl, keys } = subject;
  const received = { request: sent, wire: sentUrl.wire, origin: "", wildcard: "" };
  const allowed: ReadonlySet<string> = new Set(readParameters(sentUrl).map(([name]) => name));
  return {
    subject,
    signedBy: facts.account,
    keys: keys.filter(isSwiftKey).map(({ account, container, key: secret }) => ({
      id: container === undefined ? account : `${account}/${container}`,
      isNamed: account === facts.account && (container ?? facts.container) === facts.container,
      put: (input) => ({ ...input, secret }),
    })),
    inputFor: (url) => inputFor(readFacts(url), sent.method),
    textOf,
    fits: async (input) => (await signatureOf(input)) === facts.signature.replace(/={1,2}$/, ""),
    variantsOf: (input) => variants(input, subject, facts),
    unknowns: (input) =>
      subject.known.method
        ? signedMethodsFor(input.method).map((method) => ({ ...input, method }))
        : withMethods(input, subject.known),
    headIsFree: true,
    signer: SIGNER,
    grammar:
      grammarCause(() => parseSwift(received, readFacts(sentUrl).basePath, allowed), {
        // The third digest is in base64.
        signature:
          facts.digest === "sha512"
            ? undefined
            : { parameter: "temp_url_sig", text: facts.signature, digits: facts.digest === "sha1" ? 40 : 64 },
      }) ?? uncovered(facts),
    times: { endsAt: facts.endsAt },
    other: addressCause(subject, facts.ipRange),
  };
}

const SIGNER: Signer = {
  what: "key",
  look: "Check that the signing key is set on the account or the container (X-Account-Meta-Temp-URL-Key: POST it once; a key only in a client's settings does not count), and that the object exists: Swift gives the same answer for all of these.",
};

/** A name that the prefix does not cover: Swift says 401, as for a wrong signature. */
function uncovered({ prefix, object }: Facts): Cause | undefined {
  if (prefix === undefined || object.startsWith(prefix)) return undefined;
  return {
    code: "PATH",
    sentence: `The object ${object} does not begin with the prefix ${JSON.stringify(prefix)} that the URL grants.`,
    evidence: [],
    fix: "Request a name below the prefix, or ask for a URL for this object.",
  };
}

function inputFor({ account, container, object, prefix, ipRange, end, endsAt, digest }: Facts, method: string) {
  return {
    method,
    expires: endsAt === undefined ? end : String(endsAt.getTime() / 1000),
    ipRange,
    path: `/v1/${account}/${container}/${prefix ?? object}`,
    isPrefix: prefix !== undefined,
    digest,
    secret: "",
  };
}

/** The same text as `swiftMessage`, from parts that a signer may have got wrong. */
function textOf({ method, expires, ipRange, path, isPrefix }: SwiftInput): string {
  return `${ipRange === undefined ? "" : `ip=${ipRange}\n`}${method}\n${expires}\n${isPrefix ? "prefix:" : ""}${path}`;
}

async function signatureOf(input: SwiftInput): Promise<string> {
  const { digest, secret } = input;
  // WebCrypto takes no empty key.
  if (digest === "sha512")
    return secret === "" ? "" : `sha512:${base64url(await subtleSha512Hmac(secret)(textOf(input)))}`;
  return hex((digest === "sha1" ? sha1Hmac : sha256Hmac)(secret)(textOf(input)));
}

/** The variants in the order of how often they are the cause. */
function* variants(input: SwiftInput, subject: Subject, facts: Facts): Generator<Variant<SwiftInput>> {
  yield* methodVariants(input);
  yield* secretVariants(input);
  yield* pathVariants(input, facts);
  yield* decodedPathVariants(input, `${subject.sentUrl.wire.path.slice(facts.basePath.length)}`);
  if (input.ipRange !== undefined) {
    const fix = "Put ip=<range> in the first line of the text that is signed.";
    yield spelt({ code: "IP", input: { ...input, ipRange: undefined }, what: "text", how: "without the range", fix });
  }
  const fix = "Sign the end in seconds since 1970, also where the URL has it as ISO 8601.";
  const others = [facts.end, `${input.expires}000`, new Date(Number(input.expires) * 1000 || 0).toISOString()];
  for (const expires of others) {
    if (expires === input.expires) continue;
    yield spelt({ code: "TIME", input: { ...input, expires }, what: "end", how: `as ${expires}`, fix });
  }
  yield* movedEnds(input.expires, (expires) => ({ ...input, expires }));
}

function* pathVariants(input: SwiftInput, facts: Facts): Generator<Variant<SwiftInput>> {
  const { basePath, account, container, object, prefix } = facts;
  const whole = `/v1/${account}/${container}/${object}`;
  const others: readonly (readonly [how: string, path: string, isPrefix: boolean])[] = [
    ["for the object, and not for the prefix", whole, false],
    ["with prefix: in front, and the URL has none", whole, true],
    ["without prefix: in front", input.path, false],
    ["with the whole name behind prefix:", whole, true],
    [`with ${basePath} in front`, basePath + input.path, input.isPrefix],
    ["without /v1 in front", input.path.replace(/^\/v1/, ""), input.isPrefix],
    ["without the account", `/v1/${container}/${prefix ?? object}`, input.isPrefix],
    ["without account and container", `/${prefix ?? object}`, input.isPrefix],
  ];
  for (const [how, path, isPrefix] of others) {
    if (path === input.path && isPrefix === input.isPrefix) continue;
    const fix =
      "Sign /v1/<account>/<container>/<object>, decoded; with a prefix prefix:/v1/<account>/<container>/<prefix>.";
    yield spelt({ code: "PATH", input: { ...input, path, isPrefix }, what: "path", how, fix });
  }
}
