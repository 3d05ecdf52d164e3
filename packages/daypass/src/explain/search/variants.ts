import { uriEncode, uriEncodePath } from "../../encode.ts";
import { percentDecode } from "../../wire.ts";
import { amazonHost } from "../amazon-host.ts";
import { decodeOr } from "../decoded.ts";
import type { Cause, CauseCode, Hypothesis } from "../explanation.ts";

/** One thing that may differ between what was signed and what was sent. */
export interface Variant<I> {
  readonly code: CauseCode;
  readonly input: I;
  /** The finding, where the signature fits this input. */
  readonly signed: string;
  /** The finding, where the server's answer fits this input. */
  readonly seen: string;
  readonly fix: string;
}

/** What a search has found. */
export interface Found<I = unknown> {
  /** Missing where one of the inputs fits as it is, and where nothing does. */
  readonly cause: Cause | undefined;
  readonly hypotheses: readonly Hypothesis[];
  /** What fits. */
  readonly input?: I | undefined;
  /** How many variants `input` is away. */
  readonly codes: readonly CauseCode[];
  /** Whether nothing fits, and single changes were left untried. */
  readonly isCut?: boolean | undefined;
}

/** How much is tried with one key. */
interface Limits {
  readonly singles: number;
  readonly pairs: number;
}

const MAX_SINGLES = 6000;
const MAX_PAIRS = 6000;
/** So many keys are searched with as if each were the only one. */
const FEW = 2;

/** Many keys together cost no more than a few: each has its share. */
function limitsFor(keys: number): Limits {
  const share = Math.min(1, FEW / keys);
  return { singles: Math.ceil(MAX_SINGLES * share), pairs: Math.ceil(MAX_PAIRS * share) };
}

/** What is tried, and what tells whether it fits. */
interface Search<I, F> {
  /** Several inputs stand for what nobody has told: which of them fits is no fault. */
  readonly inputs: readonly I[];
  readonly fits: (input: I) => F;
}

interface Ways<I> {
  readonly variantsOf: (input: I) => Iterable<Variant<I>>;
  readonly view: "signed" | "seen";
}

/**
 * Tries the inputs as they are; then the variants of each in their order until one fits; then two at a time, of the first
 * input. A match of 160 bits or more cannot be chance, so the first fit is the cause.
 */
export function search<I>({ inputs, fits }: Search<I, boolean>, ways: Ways<I>, keys = 1): Found<I> {
  const stage: Stage = { tried: new Map(), limits: limitsFor(keys), isCut: false };
  for (const trials of [singles(inputs, ways, stage), pairs(inputs, ways, stage)]) {
    let trial = trials.next();
    while (!trial.done) trial = trials.next(fits(trial.value));
    if (trial.value !== undefined) return trial.value;
  }
  return { ...nothing<I>(stage.tried), isCut: stage.isCut };
}

/**
 * {@link search} with each of several keys, for signatures that are verified by promise. Single changes are tried with all keys
 * before two at a time with any.
 */
export async function searchEach<I>(
  searches: readonly Search<I, boolean | Promise<boolean>>[],
  ways: Ways<I>,
): Promise<Found<I> & { readonly index: number }> {
  const limits = limitsFor(searches.length);
  const stages = searches.map((): Stage => ({ tried: new Map(), limits, isCut: false }));
  for (const trialsOf of [singles, pairs]) {
    for (const [index, { inputs, fits }] of searches.entries()) {
      const trials = trialsOf(inputs, ways, stages[index] as Stage);
      let trial = trials.next();
      while (!trial.done) trial = trials.next(await fits(trial.value));
      if (trial.value !== undefined) return { ...trial.value, index };
    }
  }
  const isCut = stages.some((stage) => stage.isCut);
  return { ...nothing<I>(stages[0]?.tried ?? new Map()), index: 0, isCut };
}

/** A verdict over a key, with the word that not everything was tried. */
export function toldOfCut(cause: Cause, { isCut }: Pick<Found, "isCut">): Cause {
  return isCut === true ? { ...cause, evidence: [...cause.evidence, CUT] } : cause;
}

const CUT =
  "Not every change was tried: too many keys and guesses share the number of tries. Give fewer keys, and the method and the headers that were sent.";

function nothing<I>(tried: Tried, input?: I): Found<I> {
  return { cause: undefined, hypotheses: hypotheses(tried, []), input, codes: [] };
}

type Tries = Map<CauseCode, { count: number; sentence: string }>;

interface Stage {
  readonly tried: Tries;
  readonly limits: Limits;
  /** Set where the number of tries ended before the single changes. */
  isCut: boolean;
}

/** Yields what is to be tried, and is told whether it fits. Here and below: `undefined` where nothing did. */
function* singles<I>(
  inputs: readonly I[],
  { variantsOf, view }: Ways<I>,
  stage: Stage,
): Generator<I, Found<I> | undefined, boolean> {
  const { tried, limits } = stage;
  for (const input of inputs) if (yield input) return nothing(tried, input);
  let count = 0;
  // All inputs variant by variant: where the number of tries ends, each has had the likeliest ones.
  let open = inputs.map((input) => variantsOf(input)[Symbol.iterator]());
  while (open.length > 0) {
    const rest: typeof open = [];
    for (const variants of open) {
      const next = variants.next();
      if (next.done === true) continue;
      rest.push(variants);
      const variant = next.value;
      if (++count > limits.singles) {
        stage.isCut = true;
        return undefined;
      }
      const seen = tried.get(variant.code);
      tried.set(variant.code, { count: (seen?.count ?? 0) + 1, sentence: seen?.sentence ?? variant[view] });
      if (yield variant.input) return found([variant], { tried, view, input: variant.input });
    }
    open = rest;
  }
  return undefined;
}

function* pairs<I>(
  [input]: readonly I[],
  { variantsOf, view }: Ways<I>,
  { tried, limits }: Stage,
): Generator<I, Found<I> | undefined, boolean> {
  let count = 0;
  for (const first of input === undefined ? [] : variantsOf(input)) {
    for (const second of variantsOf(first.input)) {
      if (second.code === first.code && second.code !== "QUERY") continue;
      if (++count > limits.pairs) return undefined;
      if (yield second.input) return found([first, second], { tried, view, input: second.input });
    }
  }
  return undefined;
}

type Tried = ReadonlyMap<CauseCode, { readonly count: number; readonly sentence: string }>;

interface Trial<I> {
  readonly tried: Tried;
  readonly view: "signed" | "seen";
  readonly input: I;
}

function found<I>(fitting: readonly Variant<I>[], { tried, view, input }: Trial<I>): Found<I> {
  const [first] = fitting as [Variant<I>];
  return {
    cause: {
      code: first.code,
      sentence: fitting.map((variant) => variant[view]).join(" Also: "),
      evidence: [
        view === "signed"
          ? "With this one change the signature comes out exactly."
          : "With this one change the server's own hash of the request comes out exactly.",
      ].map((text) => (fitting.length === 1 ? text : text.replace("this one change", "these two changes"))),
      fix: fitting.map(({ fix }) => fix).join(" "),
    },
    hypotheses: hypotheses(
      tried,
      fitting.map((variant) => ({ code: variant.code, sentence: variant[view] })),
    ),
    input,
    codes: fitting.map(({ code }) => code),
  };
}

function hypotheses(
  tried: Tried,
  fitting: readonly { readonly code: CauseCode; readonly sentence: string }[],
): readonly Hypothesis[] {
  const list = [...tried].map(([code, { count, sentence }]): Hypothesis => {
    const fit = fitting.find((item) => item.code === code);
    return { code, tried: count, fits: fit !== undefined, sentence: fit?.sentence ?? sentence };
  });
  return [...list.filter(({ fits }) => fits), ...list.filter(({ fits }) => !fits)];
}

/** Methods in the order of how often they are signed. */
export const METHODS: readonly string[] = ["GET", "PUT", "HEAD", "POST", "DELETE", "OPTIONS", "PATCH"];

/** Other methods than the one sent. */
export function* methodVariants<I extends { readonly method: string }>(input: I): Generator<Variant<I>> {
  for (const method of METHODS) {
    if (method === input.method) continue;
    yield {
      code: "METHOD",
      input: { ...input, method },
      signed: `The URL was signed for ${method} and sent with ${input.method}.`,
      seen: `The server saw the method ${method} and the URL was used with ${input.method}.`,
      fix: methodFix(method, input.method),
    };
  }
}

export function methodFix(signed: string, sent: string): string {
  if (sent === "HEAD") return "Sign for HEAD, or send GET with Range: bytes=0-0 to learn the size.";
  if (sent === "OPTIONS")
    return "A preflight carries no signature: configure CORS on the server, which answers it first.";
  return `Send ${signed}, or sign for ${sent}: one method is signed, and no other.`;
}

/** The secret as it gets damaged between a file and a program. */
export function* secretVariants<I extends { readonly secret: string }>(
  input: I,
  signed = "URL",
): Generator<Variant<I>> {
  const { secret } = input;
  const damaged: readonly (readonly [what: string, secret: string])[] = [
    ["a line feed at its end", `${secret}\n`],
    ["a carriage return and line feed at its end", `${secret}\r\n`],
    ["a carriage return at its end", `${secret}\r`],
    ["a space at its end", `${secret} `],
    ["a space in front", ` ${secret}`],
    ["double quotes around it", `"${secret}"`],
    ["single quotes around it", `'${secret}'`],
    ["percent-encoding in it", uriEncode(secret)],
    ["its percent-encoding undone", decodeOr(secret)],
    ["its spaces and line ends cut off", secret.trim()],
    ["`+` turned into a space", secret.replaceAll("+", " ")],
    ["its last character cut off", secret.slice(0, -1)],
    ["nothing in it: the secret was not set", ""],
    ["the text `undefined`: the secret was not set", "undefined"],
  ];
  for (const [what, other] of damaged) {
    if (other === secret) continue;
    const text = `The ${signed} was signed with this key's secret damaged: ${what}.`;
    yield {
      code: "WRONG_SECRET",
      input: { ...input, secret: other },
      signed: text,
      seen: text,
      fix: "Mend the secret where the signer reads it, e.g. trim the file or the environment variable.",
    };
  }
}

/** Spellings of a path that clients, proxies and signers make of one another's. `canonical` is the right one. */
export function pathSpellings(rawPath: string, canonical: string): readonly (readonly [what: string, path: string])[] {
  const decoded = decodeOr(canonical);
  const isTwice = /%25[0-9A-F]{2}/i.test(canonical);
  const spellings: (readonly [string, string])[] = [
    ["as it stands in the URL, without being encoded anew", rawPath],
    ["encoded twice, as for services other than S3", uriEncodePath(canonical)],
    [isTwice ? ENCODED_TWICE : "decoded, without any encoding", decoded],
    ["decoded once more than it should be", encodeOr(decodeOr(decoded))],
    ["with `+` as a space", canonical.replaceAll("%2B", "%20")],
    ["with a space where the URL has `+`", canonical.replaceAll("+", "%20")],
    ...lostPluses(canonical, "%20", "%2B").map((path): [string, string] => [LOST_PLUS, path]),
    ["with a plain `+` where the URL has a space", canonical.replaceAll("%20", "+")],
    ["with a plain `+` that is not encoded", canonical.replaceAll("%2B", "+")],
    ["with `/` where the URL has %2F", canonical.replace(/%2F/gi, "/")],
    ["with every `/` of the key encoded as %2F", `/${canonical.slice(1).replaceAll("/", "%2F")}`],
    ["with every `/` after the bucket encoded as %2F", encodeAfterBucket(canonical)],
    ["with !'()* left unencoded", canonical.replace(/%(?:21|27|28|29|2A)/g, percentDecode)],
    ["with its `.` and `..` segments removed", removeDots(canonical)],
    ["with repeated slashes made one", canonical.replace(/\/{2,}/g, "/")],
    ["without the slash at its end", canonical.replace(/(.)\/$/, "$1")],
    ["with a slash at its end", `${canonical}/`],
    ["with a second slash in front", `/${canonical}`],
    ["with lower-case escapes (%2f)", canonical.replace(/%[0-9A-F]{2}/g, (triplet) => triplet.toLowerCase())],
    ["in composed Unicode (NFC)", encodeOr(decoded.normalize("NFC"))],
    ["in decomposed Unicode (NFD)", encodeOr(decoded.normalize("NFD"))],
    ["without its first segment", canonical.replace(/^\/[^/]*(?=\/)/, "")],
    ["with the // of its source's URL, which were made one", canonical.replace(/:\/(?!\/)/g, "://")],
    ...doubledSlashes(canonical).map((path): [string, string] => [MERGED_SLASHES, path]),
  ];
  return spellings.filter(([, path]) => path !== canonical && path !== "");
}

/** Proxies and servers make two slashes one. */
const MERGED_SLASHES = "with // where the URL has one slash";
const MAX_SLASHES = 8;

/** Each of the last slashes doubled: one was in the key's name, or a key began with it. */
function doubledSlashes(path: string): readonly string[] {
  const places = [...path.matchAll(/(?<!\/)\/(?!\/)/g)].map(({ index }) => index).slice(-MAX_SLASHES);
  return places.map((at) => `${path.slice(0, at)}/${path.slice(at)}`);
}

/** Not a signer that encodes nothing, but a program that encodes what is encoded. */
export const ENCODED_TWICE = "encoded once, where the URL is encoded twice";

/** A plus that became a space on its way, among spaces that are a name's own. */
export const LOST_PLUS = "with `+` (%2B) where the URL has a space";

/** A text with a plus for its spaces: for all, and where they are few, for each choice of them. */
export function lostPluses(text: string, space: string, plus: string): readonly string[] {
  const parts = text.split(space);
  const spaces = parts.length - 1;
  if (spaces > MAX_CHOSEN) return [parts.join(plus)];
  // Each bit of a choice stands for one space.
  const choices = Array.from({ length: 2 ** spaces - 1 }, (_, i) => 2 ** spaces - 1 - i);
  return choices.map((choice) =>
    parts.reduce((whole, part, i) => `${whole}${(choice >> (i - 1)) & 1 ? plus : space}${part}`),
  );
}

const MAX_CHOSEN = 4;

function encodeAfterBucket(path: string): string {
  const slash = path.indexOf("/", 1);
  return slash < 0 ? path : path.slice(0, slash + 1) + path.slice(slash + 1).replaceAll("/", "%2F");
}

function removeDots(path: string): string {
  const segments: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "..") segments.pop();
    else if (segment !== ".") segments.push(segment);
  }
  return segments.join("/");
}

function encodeOr(path: string): string {
  try {
    return uriEncodePath(path);
  } catch {
    return path;
  }
}

const BUCKET_HOST = /^(.+?)\.(s3(?:[.-].*)?|.*)$/;

/** Hosts under which the same server is often known, and the bucket's two places. */
export function hostSpellings(
  host: string,
  known: { readonly url: string; readonly region: string; readonly hosts: readonly string[] },
): readonly string[] {
  const bare = host.replace(/:\d+$/, "");
  const port = /:\d+$/.exec(host)?.[0] ?? "";
  const names = amazonNames(bare, known.region) ?? [
    ...["9000", "8080", "8333", "3900", "4566"].map((number) => `${bare}:${number}`),
    ...["localhost", "127.0.0.1", "minio", "s3"].flatMap((name) => [name, `${name}${port}`, `${name}:9000`]),
    host.startsWith("www.") ? host.slice(4) : `www.${host}`,
  ];
  const candidates = [known.url, ...known.hosts, bare, `${bare}:443`, `${bare}:80`, host.toLowerCase(), ...names];
  return [...new Set(candidates)].filter((candidate) => candidate !== host && candidate !== "");
}

/** The other names that Amazon has for S3, with the same bucket in front. `undefined` of other hosts. */
function amazonNames(host: string, region: string): readonly string[] | undefined {
  const { front = "", domain } = amazonHost(host) ?? {};
  const [found, bucket = ""] = /^(.*\.)?s3(?:[.-](?:accelerate\.)?(?:dualstack\.)?[a-z0-9-]+)?$/.exec(front) ?? [];
  if (found === undefined) return undefined;
  const names = [
    "s3",
    `s3.${region}`,
    `s3-${region}`,
    `s3.dualstack.${region}`,
    "s3-accelerate",
    "s3-accelerate.dualstack",
  ];
  return names.map((name) => `${bucket}${name}.${domain}`);
}

/** The first label of a host, where it can be a bucket. */
export function bucketOfHost(host: string): { readonly bucket: string; readonly rest: string } | undefined {
  const [, bucket, rest] = BUCKET_HOST.exec(host) ?? [];
  if (bucket === undefined || rest === undefined || /^\d+$/.test(bucket) || !rest.includes(".")) return undefined;
  return { bucket, rest };
}

/** What clients send as Content-Type when nobody chose one, or chose another than was signed. */
export const CONTENT_TYPES: readonly string[] = [
  "",
  "application/octet-stream",
  "binary/octet-stream",
  "text/plain",
  "application/json",
  "application/x-www-form-urlencoded",
  "image/jpeg",
  "image/png",
  "application/pdf",
  "text/plain;charset=UTF-8",
  "text/plain; charset=utf-8",
  "application/json; charset=utf-8",
];
