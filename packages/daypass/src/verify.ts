import { DaypassError } from "./errors.ts";
import { originSelector } from "./origin.ts";
import type {
  Clock,
  Grant,
  KeyResolver,
  ObligationKind,
  Proof,
  ReceivedRequest,
  Scheme,
  Verifier,
  WireRequest,
} from "./scheme.ts";
import { parseTarget } from "./wire.ts";

/** What every verifier is given besides its keys. */
export interface VerifierOptions {
  /** Origins that this verifier answers for, `scheme://host[:port]`. The request's Host must select one of them. */
  readonly origins: readonly string[];
  /** The obligations that the caller enforces; a grant with any other is refused. */
  readonly enforces?: readonly ObligationKind[] | undefined;
  readonly clock?: Clock | undefined;
}

const systemClock: Clock = () => new Date();
const NO_PROOF: Proof = {};

/** Builds a scheme's verifier: receive → detect → parse → resolve key → recompute and compare → time window → grant. */
export function verifier<P, K, G extends Grant>(
  scheme: Scheme<P, K, G>,
  keys: KeyResolver<K>,
  options: VerifierOptions & { readonly wildcards: boolean },
): Verifier<G> {
  const selectOrigin = originSelector(options.origins, { wildcards: options.wildcards });
  const enforced: ReadonlySet<ObligationKind> = new Set(options.enforces);
  const clock = options.clock ?? systemClock;
  const dummy: readonly K[] = [scheme.dummyKey];

  const receive = (request: WireRequest): ReceivedRequest => {
    const { origin, wildcard } = selectOrigin(request.authority);
    return { request, wire: parseTarget(request.target), origin, wildcard };
  };

  return {
    detects: scheme.detect,
    async verify(request, proof = NO_PROOF) {
      if (!scheme.detect(request)) throw noSignature();
      const received = receive(request);
      const parsed = scheme.parse(received);
      const found = keys(scheme.keyId(parsed));
      const candidates = listKeys(isPromise(found) ? await found : found);
      // All candidates are compared without an early exit, so that the time taken does not tell which one matched.
      let match: { readonly key: K; readonly stringToSign: string } | undefined;
      for (const key of candidates.length === 0 ? dummy : candidates) {
        const checked = scheme.check(received, parsed, key);
        const { matches, stringToSign } = isPromise(checked) ? await checked : checked;
        if (matches && match === undefined) match = { key, stringToSign };
      }
      const now = clock();
      const late = scheme.checkTime(parsed, now);
      if (candidates.length === 0) throw unknownKey();
      if (late !== undefined && (scheme.reportsTimeFirst || match !== undefined)) throw late;
      if (match === undefined) throw mismatch();
      const grant = scheme.grant(received, parsed, { key: match.key, stringToSign: match.stringToSign, proof, now });
      for (const obligation of grant.obligations) {
        if (!enforced.has(obligation.kind)) throw unenforced(obligation.kind);
      }
      return grant;
    },
  };
}

function listKeys<K>(found: K | readonly K[] | undefined): readonly K[] {
  if (found === undefined) return [];
  return Array.isArray(found) ? found : [found as K];
}

function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof (value as { then?: unknown } | undefined)?.then === "function";
}

/**
 * One verifier for requests of several schemes. Exactly one of them has to recognise the request: a request that is
 * signed twice is `AMBIGUOUS_AUTHENTICATION`, one that is not signed at all `NO_SIGNATURE`.
 *
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
      const detected = verifiers.filter((candidate) => candidate.detects(request));
      const [only, second] = detected;
      if (only === undefined) throw noSignature();
      if (second !== undefined) {
        throw new DaypassError(
          "AMBIGUOUS_AUTHENTICATION",
          `expected one signature, found the markers of ${detected.length} schemes: send one`,
        );
      }
      return (await only.verify(request, proof)) as G;
    },
  };
}

function noSignature(): DaypassError {
  return new DaypassError(
    "NO_SIGNATURE",
    "expected a signed URL, found none of the parameters that carry a signature: ask for a presigned URL",
  );
}

function unknownKey(): DaypassError {
  return new DaypassError(
    "UNKNOWN_KEY",
    "expected a key identifier that is configured, found another: check which key signed, and whether it was revoked",
  );
}

function mismatch(): DaypassError {
  return new DaypassError(
    "SIGNATURE_MISMATCH",
    "expected the signature of exactly this request, found another: something was changed after signing, or the secret differs; `daypass explain` finds what",
  );
}

function unenforced(kind: ObligationKind): DaypassError {
  return new DaypassError(
    "UNENFORCED_CONSTRAINT",
    `expected a caller that enforces "${kind}", which this URL is bound to, found one that does not: enforce it and list it in \`enforces\``,
    { details: { constraint: kind } },
  );
}
