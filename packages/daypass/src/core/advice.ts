import { faultText, refusal } from "./errors.ts";
import type { Warnings } from "./signed-request.ts";

/** Advice for developers: in error texts, and as warnings. A bundle for production has `no-advice.ts` instead: docs/decisions/0002-bundle-sizes.md. */

/** The names that schemes have for one thing. */
const SYNONYMS = ["key object blob", "bucket container", "expiresin expires ttl expiry", "accesskeyid keyid"];
const NESTED =
  "bind.contentType bind.contentLength bind.sha256 bind.headers bind.query bind.ip response.contentType response.cacheControl response.contentDisposition response.contentEncoding response.contentLanguage";
const PLAIN =
  "bucket key object container blob account resource url prefix method methods query headers bind response expiresIn expiresAt stableWindow notBefore dotSegments permissions identifier audience subject nonce uses createOnly vary";

/**
 * Returns `. Did you mean …?` with the known name that is nearest to a wrong one, in spelling or one level away, or the empty text.
 *
 * @param known the names, or what matches them among the options of all signers
 */
export function didYouMean(name: string, known: readonly string[] | Pick<RegExp, "test">): string {
  const all = `${PLAIN} ${NESTED}`.split(" ");
  const names =
    "test" in known
      ? all.filter((option) => known.test(option))
      : [...known, ...all.filter((option) => /\./.test(option) && known.includes(option.split(".")[0] as string))];
  const wanted = lastPart(name);
  const words = SYNONYMS.map((group) => group.split(" ")).find((group) => group.includes(wanted)) ?? [wanted];
  for (let edits = 0; edits < 3 && edits * 2 < wanted.length; edits++) {
    const near = names.find(
      (option) => option !== name && words.some((word) => isWithin(word, lastPart(option), edits)),
    );
    if (near !== undefined) return `. Did you mean ${near.replace(/\.(.*)/, ": { $1 }")}?`;
  }
  return "";
}

/** `. It looks like milliseconds…` for a lifetime that is too long in seconds and would fit in milliseconds. */
export function looksLikeMilliseconds(lifetime: number, maxSeconds: number): string {
  if (typeof lifetime !== "number") return "";
  const seconds = lifetime / 1000;
  return lifetime > maxSeconds && Number.isInteger(seconds) && seconds <= maxSeconds && lifetime % 86_400 > 0
    ? `. It looks like milliseconds: pass ${seconds}`
    : "";
}

/** What is wrong with a given `expiresAt`. */
export function endFault(end: unknown, maxSeconds: number): string | undefined {
  return end === undefined
    ? undefined
    : faultText("expiresAt", `a Date 1 to ${maxSeconds} seconds from now`, dateText(end));
}

/** A Date as text. Any other value is returned unchanged. */
export function dateText(value: unknown): unknown {
  return value instanceof Date ? (value.toJSON() ?? "Invalid Date") : value;
}

/** What is wrong with a secret, if that is a common mistake: it is a promise, `undefined` or empty. Never shows it. */
export function secretFault(option: string, secret: unknown): string | undefined {
  if (typeof Object(secret).then === "function") return `${option} is a promise. Await it, or see rotatingCredentials`;
  if (typeof secret === "string" && /[\r\n]/.test(secret))
    return `${option} contains a line break. Trim what was read from a file`;
  if (secret !== undefined && secret !== null && secret !== "") return undefined;
  return `${option} is ${secret === "" ? "empty" : secret}. Is the environment variable set?`;
}

/** What to pass instead of a value that is no JWK, or `undefined`. */
export function keyAdvice(key: unknown): string | undefined {
  if (typeof key === "string") return "an object, not text: JSON.parse() reads a JWK";
  if (typeof Object(key).then === "function") return "the key, not a promise of it: await it";
  return key === undefined || key === null ? `a JWK, not ${key}. Is the environment variable set?` : undefined;
}

/**
 * Makes `url` of a signer's promise an error that names `await`. Without it, the program would continue with the text "undefined". The
 * property is not enumerable, so a log or a copy of the promise does not read it.
 */
export function expectAwait<P extends Promise<unknown>>(promise: P): P {
  const get = (): never => {
    throw refusal("INVALID_INPUT", "sign() returned a promise. Await it: const { url } = await signer.sign(…)");
  };
  return Object.defineProperty(promise, "url", { get, configurable: true });
}

/** The message of the parser of Daypass URLs with the option in place of the parameter that it becomes. */
export function optionText(message: string, parameter: unknown, rows: readonly (readonly [string, unknown])[]): string {
  const row = rows.find(([, spelling]) => Array.isArray(spelling) && spelling[0] === parameter);
  return message
    .replace(String(parameter), row?.[0] ?? String(parameter).slice("dp-".length))
    .replace(": send", ". Pass");
}

/** A warning for a lifetime in seconds that is whole minutes in milliseconds, and not whole days in seconds. */
export function lifetimeWarnings(expiresIn: unknown): readonly string[] {
  // The remainder first: nearly every lifetime has one, and each signature asks.
  const isOdd = Number(expiresIn) % 60_000 === 0 && Number.isInteger(expiresIn) && Number(expiresIn) % 86_400 > 0;
  return isOdd ? [`expiresIn is in seconds, and ${expiresIn} looks like milliseconds`] : [];
}

/**
 * Adds warnings about a key, a region and an endpoint that are allowed and probably a mistake to the warnings of each request. What concerns
 * the signer alone is looked at here, once; what concerns a request when its warnings are read.
 *
 * @param place the options of the signer. A region is looked at only without an endpoint: compatibles have regions of any form
 */
export function adviser({
  endpoint,
  region,
}: Partial<Record<"endpoint" | "region", string | undefined>> = {}): (
  warnings: readonly string[],
  request: Partial<Record<"bucket" | "key" | "object", string | undefined>>,
) => Warnings {
  const isNoRegion = endpoint === undefined && region !== undefined && !REGION.test(region);
  const ofRegion = isNoRegion
    ? [`region is ${JSON.stringify(region)}, and this provider has no region of such a form`]
    : [];
  // The texts are taken now, because the caller may change the request before the warnings are read.
  return (warnings, { bucket, object, key = object }) =>
    () => [
      ...warnings,
      ...(endpoint?.includes(`//${bucket}.`) ? [`the endpoint names the bucket ${bucket} already`] : []),
      ...ofRegion,
      ...(/^\/|\/\//.test(key ?? "")
        ? ["the key begins with / or contains //, which names another object than without it"]
        : []),
    ];
}

// `eu-west-1`, `us-gov-west-1`, `cn-hangzhou`, `eusc-de-east-1`, `ap-guangzhou`.
const REGION = /^[a-z]{2,4}(-[a-z]+)+(-\d+)?$/;

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1).toLowerCase();
}

/** Whether so many insertions, deletions and replacements make one text of the other. */
function isWithin(one: string, other: string, edits: number): boolean {
  if (one === "" || other === "") return one.length + other.length <= edits;
  const [rest, otherRest] = [one.slice(1), other.slice(1)];
  if (one[0] === other[0]) return isWithin(rest, otherRest, edits);
  if (edits === 0) return false;
  return (
    isWithin(rest, otherRest, edits - 1) || isWithin(rest, other, edits - 1) || isWithin(one, otherRest, edits - 1)
  );
}
