import { originSelector } from "../wire/origin.ts";
import { checkSize, parseTarget } from "../wire/raw-target.ts";
import type {
  Checked,
  Clock,
  Grant,
  KeyResolver,
  ObligationKind,
  Proof,
  ReceivedRequest,
  Scheme,
  Verifier,
  WireRequest,
} from "./contracts.ts";
import { type DaypassError, refusal, unenforced, withSigner } from "./errors.ts";
import { grantId } from "./grant.ts";
import { isPromise, listOf } from "./key-resolver.ts";
import { systemClock } from "./time.ts";

/** Options that every verifier has in addition to its keys. */
export interface VerifierOptions {
  /** Origins that this verifier accepts, `scheme://host[:port]`. The request's Host must match one of them. */
  readonly origins: readonly string[];
  /** The obligations that the caller enforces; a grant with any other is refused. */
  readonly enforces?: readonly ObligationKind[] | undefined;
  /** The current time; by default, the system clock. */
  readonly clock?: Clock | undefined;
}

/** A request that a scheme has read. */
interface ReadRequest<P> {
  readonly received: ReceivedRequest;
  readonly parsed: P;
}

/** An accepted request, and what was computed for it from the key. */
export interface Verdict<P, K> extends ReadRequest<P> {
  readonly key: K;
  readonly checked: Checked;
}

/** Remembers accepted requests, so that an equal one is neither read nor hashed again. */
export interface Verdicts<P, K> {
  /** Returns the verdict of a request that is equal in everything that the scheme reads of it. */
  recall(request: WireRequest): Verdict<P, K> | undefined;
  /** Called after a request has passed every check. */
  remember(verdict: Verdict<P, K>): void;
}

/** Builds a scheme's verifier: receive → detect → parse → resolve key → recompute and compare → time window → grant. */
export function verifier<P, K, G extends Grant>(
  scheme: Scheme<P, K, G>,
  keys: KeyResolver<K>,
  options: VerifierOptions,
  verdicts?: Verdicts<P, K>,
): Verifier<G> {
  const selectOrigin = originSelector(options.origins, scheme);
  const enforced: ReadonlySet<ObligationKind> = new Set(options.enforces);
  const { clock = systemClock } = options;

  // Not an async function: it would save its state at each call, and most signatures are synchronous.
  const decide = (
    read: ReadRequest<P> | Verdict<P, K>,
    given: Proof | undefined,
    candidates: readonly K[],
    // All candidates are compared without an early exit, so that the time taken does not tell which one matched.
    checks: readonly (Checked | Promise<Checked>)[] = (candidates.length > 0 ? candidates : [scheme.dummyKey]).map(
      (key) => knownCheck(read, key) ?? scheme.check(read.received, read.parsed, key),
    ),
  ): G | Promise<G> => {
    const { received, parsed } = read;
    if (checks.some(isPromise)) {
      return Promise.all(checks).then((checked) => decide(read, given, candidates, checked));
    }
    const now = Number(clock());
    const late = scheme.checkTime(parsed, now);
    const match = (checks as readonly Checked[]).findIndex(({ matches }) => matches);
    const key = match < 0 ? undefined : candidates[match];
    if (key === undefined) {
      if (late !== undefined && (scheme.reportsTimeFirst || match >= 0)) throw late;
      if (candidates.length === 0) throw refusal("UNKNOWN_KEY", "no configured key has the id of this signature");
      throw refusal(
        "SIGNATURE_MISMATCH",
        "the signature does not belong to this request. `daypass explain` finds the reason",
      );
    }
    const checked = checks[match] as Checked;
    const { stringToSign } = checked;
    try {
      if (late !== undefined) throw late;
      const grant = scheme.grant(received, parsed, { key, stringToSign, proof: given ?? {}, now });
      for (const { kind } of grant.obligations) {
        if (!enforced.has(kind) && !given?.enforces?.includes(kind)) throw unenforced(kind);
      }
      if (knownCheck(read, key) === undefined) verdicts?.remember({ received, parsed, key, checked });
      return grant;
    } catch (error) {
      throw withSigner(error, { scheme: scheme.id, keyId: scheme.keyId(parsed), id: grantId(stringToSign) });
    }
  };

  const receive = (request: WireRequest): ReadRequest<P> => {
    if (!scheme.detect(request)) throw noSignature();
    const { origin, wildcard } = selectOrigin(request.authority);
    const received = { request, wire: parseTarget(request.target), origin, wildcard };
    return { received, parsed: scheme.parse(received) };
  };
  const verifyNow: VerifyNow<G> = (request, given) => {
    checkSize(request);
    const read = verdicts?.recall(request) ?? receive(request);
    const found = keys(scheme.keyId(read.parsed));
    return isPromise(found)
      ? found.then((late) => decide(read, given, listOf(late)))
      : decide(read, given, listOf(found));
  };
  const verify: Verifier<G>["verify"] = async (request, given) => verifyNow(request, given);
  withoutPromise.set(verify, verifyNow);
  return { detects: scheme.detect, verify };
}

type VerifyNow<G extends Grant> = (request: WireRequest, proof?: Proof) => G | Promise<G>;

// Keyed by the function: a wrapper that replaces it keeps its checks.
const withoutPromise = /* @__PURE__ */ new WeakMap<Verifier["verify"], VerifyNow<Grant>>();

/** A verifier that returns or throws at once if nothing has to wait, see {@link immediate}. */
export interface ImmediateVerifier<G extends Grant = Grant> extends Pick<Verifier<G>, "detects"> {
  /** As {@link Verifier.verify}, but a promise only for a key or a signature that takes time. Refuses by throwing or by rejecting. */
  verify(request: WireRequest, proof?: Proof): G | Promise<G>;
}

/**
 * A verifier that makes the same checks, and answers without a promise if the key is at hand and the signature is an HMAC. Saves time in a
 * server of many small requests. A verifier whose `verify` was replaced, such as a wrapper, is returned as it is.
 *
 * @example
 * ```ts
 * import { immediate, type WireRequest } from "daypass";
 * import { s3Verifier } from "daypass/s3";
 *
 * const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "…" };
 * const verifier = immediate(s3Verifier({ credentials, origins: ["https://s3.example.com"] }));
 * export const grantFor = (request: WireRequest) => verifier.verify(request);
 * ```
 */
export function immediate<G extends Grant>(verifier: Verifier<G>): ImmediateVerifier<G> {
  const verify = withoutPromise.get(verifier.verify) as VerifyNow<G> | undefined;
  return verify === undefined ? verifier : { detects: verifier.detects, verify };
}

/** The result of an earlier check of an equal request with this key. */
function knownCheck<P, K>(read: ReadRequest<P> | Verdict<P, K>, key: K): Checked | undefined {
  return "key" in read && read.key === key ? read.checked : undefined;
}

/**
 * Combines verifiers of several schemes. Exactly one of them must recognise the request: a request that is
 * signed twice is `AMBIGUOUS_AUTHENTICATION`, an unsigned one is `NO_SIGNATURE`.
 *
 * @throws {DaypassError} from `verify`: `AMBIGUOUS_AUTHENTICATION`, `NO_SIGNATURE`, `MALFORMED`, and the codes of the selected verifier
 * @example
 * ```ts
 * import { anyOf } from "daypass";
 * import { s3Verifier } from "daypass/s3";
 * import { urlVerifier } from "daypass/url";
 *
 * const origins = ["https://files.example.com"];
 * const key = { kty: "oct", kid: "k1", alg: "HS256", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" } as const;
 * export const verifier = anyOf(
 *   urlVerifier({ keys: [key], origins }),
 *   s3Verifier({ credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "…" }, origins }),
 * );
 * ```
 */
export function anyOf<const V extends readonly Verifier[]>(
  ...verifiers: V
): Verifier<V[number] extends Verifier<infer G> ? G : never> {
  type G = V[number] extends Verifier<infer U> ? U : never;
  return {
    detects: (request) => verifiers.some((candidate) => candidate.detects(request)),
    async verify(request, proof) {
      checkSize(request);
      const detected = verifiers.filter((candidate) => candidate.detects(request));
      const [only, second] = detected;
      if (only === undefined) throw noSignature();
      if (second !== undefined) {
        throw refusal(
          "AMBIGUOUS_AUTHENTICATION",
          `${detected.length} verifiers read this request. Give one verifier of a scheme all its origins`,
        );
      }
      return (await only.verify(request, proof)) as G;
    },
  };
}

function noSignature(): DaypassError {
  return refusal("NO_SIGNATURE", "the request has no signature. Open a presigned URL");
}
