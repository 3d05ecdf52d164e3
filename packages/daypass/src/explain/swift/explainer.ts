import { sha1Hmac, sha256Hmac } from "#crypto/digests";
import { parseEpoch } from "../../core/time.ts";
import { subtleSha512Hmac } from "../../crypto/small-hmac.ts";
import type { SwiftDigest, SwiftKey } from "../../schemes/swift/key.ts";
import { detectSwift, parseSwift, signedMethodsFor } from "../../schemes/swift/parse.ts";
import { base64url, hex } from "../../wire/encoding.ts";
import { causeOf } from "../cause/combine-causes.ts";
import { addressCause } from "../cause/request.ts";
import type { Signer } from "../cause/undecided.ts";
import { decodeOr } from "../decoded.ts";
import type { Explainer, SplitUrl, Subject } from "../explainer.ts";
import type { ExplainKey, Trap } from "../explanation.ts";
import { readParameters } from "../parameters.ts";
import type { Variant } from "../search/search.ts";
import { decodedPathVariants, spelt } from "../search/text-variants.ts";
import { withMethods } from "../search/unknowns.ts";
import { movedEnds } from "../search/usual-lives.ts";
import { methodVariants, secretVariants } from "../search/variants.ts";
import { explainTextScheme, type TextScheme } from "../text-scheme.ts";
import { trapsOf } from "../traps.ts";

/** OpenStack Swift temporary URLs. */
export const swiftExplainer: Explainer = {
  detects: detectSwift,
  explain: (subject) => explainTextScheme(subject, readSwift(subject)),
  answersWithPages: true,
};

interface SwiftInput {
  readonly method: string;
  /** Seconds, or the text that the signer used instead. */
  readonly expires: string;
  readonly ipRange: string | undefined;
  /** Decoded, from the version on; with a prefix in place of the object. */
  readonly path: string;
  readonly isPrefix: boolean;
  readonly digest: SwiftDigest;
  readonly secret: string;
}

interface Facts {
  /** The path before `/v1/`. */
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
  const values = new Map(readParameters(url));
  const [, basePath = "", account = "", container = "", object = ""] =
    /^(.*?)\/v1\/([^/]*)\/([^/]*)\/(.*)$/s.exec(decodeOr(url.wire.path)) ?? [];
  const end = values.get("temp_url_expires") ?? "";
  const isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(end) ? new Date(end) : undefined;
  const signature = values.get("temp_url_sig") ?? "";
  return {
    basePath,
    account,
    container,
    object,
    end,
    signature,
    prefix: values.get("temp_url_prefix"),
    ipRange: values.get("temp_url_ip_range"),
    endsAt: parseEpoch(end) ?? (Number.isNaN(isoTime?.getTime()) ? undefined : isoTime),
    digest: signature.startsWith("sha512:") ? "sha512" : signature.length === 40 ? "sha1" : "sha256",
    open: [...values.keys()].filter((name) => !/^temp_url_(?:sig|expires|ip_range|prefix)$/.test(name)),
  };
}

function readSwift({ url, keys }: Subject): TextScheme<SwiftInput> {
  const facts = readFacts(url);
  const { account, container, object, prefix, ipRange, end, endsAt, signature, digest } = facts;
  const what =
    prefix === undefined ? `object ${object}` : `every object whose name begins with ${JSON.stringify(prefix)}`;
  return {
    scheme: "swift",
    title: `An OpenStack Swift temporary URL (${digest})`,
    resource: `${what} in container ${container} of ${account}`,
    signedBy: account,
    granted: (method) =>
      method === undefined ? undefined : /^(?:GET|PUT|POST)$/.test(method) ? [method, "HEAD"] : [method],
    binds: [
      "method (HEAD goes with GET, PUT and POST)",
      "account",
      "container",
      "end",
      prefix === undefined ? "object" : "prefix",
      ...(ipRange === undefined ? [] : [`client address (${ipRange})`]),
    ],
    leavesOpen: [
      "scheme and host",
      ...(prefix === undefined ? [] : ["the rest of the name"]),
      "filename and inline: under which name and how a browser saves it",
      "every header",
      "body",
      ipRange === undefined ? "who uses it, from where, and how often" : "how often it is used",
    ],
    endsAt,
    end,
    mayEndEarlier: "when the Temp-URL-Key that signed it is replaced or removed",
    traps: swiftTraps(facts),
    secrets: [signature],
    check: (subject) => ({
      keys: keys.filter(isSwiftKey).map((key) => ({
        id: key.container === undefined ? key.account : `${key.account}/${key.container}`,
        isNamed: key.account === account && (key.container ?? container) === container,
        change: { secret: key.key },
      })),
      inputOf: ({ sent, sentUrl }) => inputOf(readFacts(sentUrl), sent.method),
      textOf,
      signatures: { signature: signature.replace(/={1,2}$/, ""), signatureOf },
      variantsOf: (input) => variants(input, subject, facts),
      unknowns: (input) =>
        subject.known.method
          ? signedMethodsFor(input.method).map((method) => ({ ...input, method }))
          : withMethods(input, subject.known),
      headIsFree: true,
      signer: SIGNER,
      parse(received) {
        const { basePath, open } = readFacts(subject.sentUrl);
        return parseSwift(received, basePath, new Set(open));
      },
      // SHA-512 signatures are in base64.
      reading:
        digest === "sha512"
          ? {}
          : { signature: { parameter: "temp_url_sig", text: signature, digits: digest === "sha1" ? 40 : 64 } },
      // Swift answers 401, as for a wrong signature.
      fault:
        prefix === undefined || object.startsWith(prefix)
          ? undefined
          : causeOf(
              "PATH",
              `The object ${object} does not begin with the prefix ${JSON.stringify(prefix)} that the URL grants.`,
              "Request a name below the prefix, or ask for a URL for this object.",
            ),
      other: addressCause(subject, ipRange),
    }),
  };
}

function swiftTraps({ digest, prefix, open }: Facts): readonly Trap[] {
  return trapsOf([
    [
      digest === "sha1",
      "sha1",
      "HMAC-SHA1 is deprecated: newer servers refuse it unless their allowed_digests names it.",
    ],
    [
      prefix?.endsWith("/") === false,
      "loose-prefix",
      `The prefix does not end in /: names such as ${prefix}x are granted, too.`,
    ],
    [open.length > 0, "unsigned-parameter", `${open.join(", ")}: not signed, the holder of the URL can change it.`],
  ]);
}

function isSwiftKey(key: ExplainKey): key is SwiftKey {
  return "account" in key && "key" in key;
}

const SIGNER: Signer = {
  what: "key",
  look: "Check that the signing key is set on the account or the container (X-Account-Meta-Temp-URL-Key: POST it once; a key only in a client's settings does not count), and that the object exists: Swift gives the same answer for all of these.",
};

function inputOf(
  { account, container, object, prefix, ipRange, end, endsAt, digest }: Facts,
  method: string,
): SwiftInput {
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

/** The text of `swiftMessage`, from parts that a signer may have got wrong. */
function textOf({ method, expires, ipRange, path, isPrefix }: SwiftInput): string {
  return `${ipRange === undefined ? "" : `ip=${ipRange}\n`}${method}\n${expires}\n${isPrefix ? "prefix:" : ""}${path}`;
}

async function signatureOf(input: SwiftInput): Promise<string> {
  const { digest, secret } = input;
  const text = textOf(input);
  if (digest !== "sha512") return hex((digest === "sha1" ? sha1Hmac : sha256Hmac)(secret)(text));
  // WebCrypto rejects an empty key.
  return secret === "" ? "" : `sha512:${base64url(await subtleSha512Hmac(secret)(text))}`;
}

/** The likeliest first. */
function* variants(input: SwiftInput, subject: Subject, facts: Facts): Generator<Variant<SwiftInput>> {
  const { basePath, account, container, object, prefix, end } = facts;
  yield* methodVariants(input);
  yield* secretVariants(input);
  const whole = `/v1/${account}/${container}/${object}`;
  const paths: readonly (readonly [how: string, path: string, isPrefix?: boolean])[] = [
    ["for the object, and not for the prefix", whole, false],
    ["with prefix: in front, and the URL has none", whole, true],
    ["without prefix: in front", input.path, false],
    [`with ${basePath} in front`, basePath + input.path],
    ["without /v1 in front", input.path.replace(/^\/v1/, "")],
    ["without the account", `/v1/${container}/${prefix ?? object}`],
  ];
  for (const [how, path, isPrefix = input.isPrefix] of paths) {
    if (path === input.path && isPrefix === input.isPrefix) continue;
    const fix =
      "Sign /v1/<account>/<container>/<object>, decoded; with a prefix prefix:/v1/<account>/<container>/<prefix>.";
    yield spelt({ code: "PATH", input: { ...input, path, isPrefix }, what: "path", how, fix });
  }
  yield* decodedPathVariants(input, subject.sentUrl.wire.path.slice(basePath.length));
  if (input.ipRange !== undefined) {
    const fix = "Put ip=<range> in the first line of the text that is signed.";
    yield spelt({ code: "IP", input: { ...input, ipRange: undefined }, what: "text", how: "without the range", fix });
  }
  const fix = "Sign the end in seconds since 1970, even if the URL shows it as ISO 8601.";
  const ends = [end, `${input.expires}000`, new Date(Number(input.expires) * 1000 || 0).toISOString()];
  for (const expires of ends) {
    if (expires === input.expires) continue;
    yield spelt({ code: "TIME", input: { ...input, expires }, what: "end", how: `as ${expires}`, fix });
  }
  yield* movedEnds(input.expires, (expires) => ({ ...input, expires }));
}
