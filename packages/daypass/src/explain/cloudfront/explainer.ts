import { type PemPublicKey, pemPublicKey } from "#crypto/pem";
import type { WireRequest } from "../../core/contracts.ts";
import { parseEpoch } from "../../core/validity.ts";
import { fromUrlText, PARAMETERS } from "../../schemes/cloudfront/canonical.ts";
import type { CloudfrontHash } from "../../schemes/cloudfront/key.ts";
import { detectCloudfront, parseCloudfront } from "../../schemes/cloudfront/parse.ts";
import { type Policy, readPolicy } from "../../schemes/cloudfront/policy.ts";
import { fits as covers } from "../../schemes/cloudfront/wildcard.ts";
import { headerValues } from "../../wire/raw-target.ts";
import { amazonBucket, amazonRegion } from "../amazon-host.ts";
import { type Case, diagnose } from "../cause/diagnosis.ts";
import { grammarCause } from "../cause/grammar.ts";
import { addressCause } from "../cause/request.ts";
import { isMismatch, isVague, serverCause } from "../cause/server-cause.ts";
import { checkWhole, P256_BASE64, RSA_BASE64 } from "../cause/whole-signature.ts";
import type { ServerError } from "../error-body.ts";
import type { Explained, Explainer, SplitUrl, Subject } from "../explainer.ts";
import type { Cause, CloudfrontExplainKey, ExplainKey, Trap } from "../explanation.ts";
import { nameOf, readParameters } from "../parameters.ts";
import { spellings } from "../secrets.ts";
import { endTraps, urlTraps } from "../traps.ts";
import { saidByCloudfront } from "./cause.ts";
import { type CloudfrontInput, cloudfrontVariants, textOf } from "./variants.ts";

/** CloudFront URLs and cookies. */
export const cloudfrontExplainer: Explainer = {
  detects: (request) => detectCloudfront(request) || lacksKeyId(request),
  explain: explainCloudfront,
};

/** What is left of a signed URL whose last parameter was cut off: an RSA or ECDSA signature in CloudFront's base64. */
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
  const rest = url.wire.query.split("&").filter((token) => !NAMES.includes(nameOf(token)));
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
      mayEndEarlier: "when its public key is removed from the key group; a running download continues after it expires",
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
  if (hash === "sha1") add("sha1", "The signature uses SHA-1: sign with Hash-Algorithm=SHA256.");
  if (/^[^/]*\/\/[^/]*[*?]/.test(resource)) {
    add(
      "wildcard-host",
      "A wildcard in the host covers every host that the distribution, or another with this key, has.",
    );
  }
  if (/^\*|^http\*/.test(resource)) add("any-scheme", "The policy allows http as well as https.");
  if (text !== undefined && resource.includes("?") && !resource.includes("*")) {
    add("question-mark", "In a custom policy ? matches any one character, even where it was meant to start the query.");
  }
  if (text === undefined && /[*]/.test(base)) {
    add("canned-wildcard", "A canned policy has no wildcards: * in the URL is taken literally.");
  }
  if (via === "cookies" && text === undefined) {
    add(
      "canned-cookies",
      "Cookies with a canned policy give access to one URL. For more, use a custom policy with a pattern.",
    );
  }
  if (/[^\x21-\x7e]|%[0-9a-f]*[a-f]/.test(base)) {
    add(
      "spelling",
      "CloudFront compares the URL as it is requested, byte for byte: sign escapes exactly as they are sent.",
    );
  }
  return traps;
}

function caseOf(subject: Subject, facts: Facts): Case<CloudfrontInput> {
  const { sent, sentUrl, keys, error } = subject;
  const keyPairId = facts.values.get("Key-Pair-Id") ?? "";
  const signature = fromUrlText(facts.values.get("Signature") ?? "");
  const origin = `${sentUrl.protocol}://${sent.authority}`;
  // Thousands of guesses are tried with one key, and reading it takes as long as two of them.
  const read = new Map<string, PemPublicKey>();
  const keyOf = (pem: string): PemPublicKey => {
    const key = read.get(pem) ?? pemPublicKey(pem);
    read.set(pem, key);
    return key;
  };
  return {
    subject,
    signedBy: keyPairId,
    keys: keys.filter(isCloudfrontKey).map(({ keyPairId: id, publicKey }) => ({
      id,
      isNamed: id === keyPairId,
      put: (input) => ({ ...input, publicKey }),
    })),
    inputFor: (url) => inputFor(readFacts(url, subject), sent.method),
    textOf,
    fits: async (input) =>
      signature !== undefined && (await keyOf(input.publicKey).verify(input.hash, textOf(input), signature)),
    variantsOf: (input) => cloudfrontVariants(input, subject),
    // CloudFront does not sign the method.
    unknowns: (input) => [input],
    methodIsFree: true,
    said: (told) => ownFault(facts, sentUrl) ?? saidByCloudfront(told, facts.values) ?? saidByOrigin(told, subject.now),
    grammar:
      ownFault(facts, sentUrl) ??
      grammarCause(() => {
        parseCloudfront({ request: sent, wire: sentUrl.wire, origin, wildcard: "" });
        checkWhole("Signature", facts.values.get("Signature") ?? "", WHOLE);
      }),
    times: { startsAt: facts.policy?.startsAt, endsAt: facts.endsAt },
    other: uncovered(readFacts(sentUrl, subject)) ?? addressCause(subject, facts.policy?.ipRange),
    // Any other answer is the origin's, which CloudFront asks for what it has found to be signed.
    otherOf: (fitting) =>
      error === undefined || !(isVague(error) || isMismatch(error))
        ? undefined
        : fitting === undefined
          ? REFUSED
          : REFUSED_RIGHT,
  };
}

const WHOLE: readonly number[] = [...P256_BASE64, ...RSA_BASE64];

function isCloudfrontKey(key: ExplainKey): key is CloudfrontExplainKey {
  return "keyPairId" in key;
}

function inputFor({ base, text, values, hash }: Facts, method: string): CloudfrontInput {
  return { method, url: base, end: values.get("Expires") ?? "", text, hash, publicKey: "" };
}

/** What the store behind the distribution says, of an object that is not there, for one. Who it denies something is the distribution. */
function saidByOrigin(error: ServerError, now: Date): Cause | undefined {
  if (isVague(error)) return undefined;
  const said = serverCause(error, now);
  return said?.code === "PERMISSION" ? { ...ORIGIN_DENIES, evidence: said.evidence } : said;
}

const ORIGIN_DENIES: Cause = {
  code: "PERMISSION",
  sentence: "CloudFront accepted the signature, but the origin denies the distribution access.",
  evidence: [],
  fix: "Give the distribution access: origin access control, and a bucket policy that allows cloudfront.amazonaws.com s3:GetObject.",
};

/** What no server of CloudFront's takes, whatever it says. */
function ownFault({ values, policy }: Facts, { authority }: SplitUrl): Cause | undefined {
  if (amazonBucket(authority) !== undefined || amazonRegion(authority) !== undefined) {
    return {
      code: "ENDPOINT",
      sentence: `The URL is signed for CloudFront, but its host ${authority} is S3's, which needs another kind of signature.`,
      evidence: [],
      fix: "Sign the URL of the distribution (or of a name that leads to it), or sign for S3 with an access key.",
    };
  }
  const end = values.get("Expires") ?? String((policy?.expiresAt?.getTime() ?? 0) / 1000);
  if (!/^\d{13}(?:\.\d+)?$/.test(end)) return undefined;
  return {
    code: "TIME",
    sentence: `The expiry (${end}) is in milliseconds, but CloudFront reads seconds and rejects a date so far away.`,
    evidence: [],
    fix: "Divide by 1000 and round before signing (Math.floor(Date.now() / 1000) + seconds).",
  };
}

function uncovered({ base, resource, policy }: Facts): Cause | undefined {
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
    "CloudFront gives the same answer when the signature is wrong, the policy does not match or the origin refuses; nothing in the URL shows which it is.",
  evidence: [],
  fix: "Run explain again with the public key. Then check that the origin gives the distribution access (origin access control).",
};

const REFUSED_RIGHT: Cause = {
  code: "PERMISSION",
  sentence:
    "The signature is right for the given key: the distribution does not trust this key for the path, or the origin refuses the distribution.",
  evidence: [],
  fix: "Check that the key's group is in the cache behaviour that serves this path; then that the origin gives the distribution access (origin access control).",
};
