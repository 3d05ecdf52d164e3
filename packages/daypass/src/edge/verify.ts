import type {
  Checked,
  Grant,
  KeyResolver,
  Obligation,
  ReceivedRequest,
  Scheme,
  Verified,
  Verifier,
  WireRequest,
} from "../core/contracts.ts";
import { refusal } from "../core/errors.ts";
import { type GrantFields, VerifiedGrant } from "../core/grant.ts";
import { type Instant, NEVER } from "../core/time.ts";
import { checkMaxLife, checkRemaining, checkValidity } from "../core/validity.ts";
import { type VerifierOptions, verifier } from "../core/verify.ts";
import type { Weak, Weakness } from "../core/weakness.ts";
import { malformed, type Parameter } from "../wire/parameters.ts";

/** Options that the verifiers of edge tokens share. */
export interface EdgeVerifierOptions extends VerifierOptions {
  /** The methods that a token grants, because these schemes do not sign the method. `["GET", "HEAD"]` by default. */
  readonly methods?: readonly string[] | undefined;
  /** Longest remaining lifetime of a URL, in seconds. */
  readonly maxLife?: number | undefined;
}

/** For the schemes whose URLs may never expire. */
export interface ExpiryOptions {
  /** What to do with a URL that never expires: it is refused unless this is `"accept"`. */
  readonly withoutExpiry?: "refuse" | "accept" | undefined;
}

/** For the schemes that leave query parameters unsigned. */
export interface UnsignedOptions {
  /** Names of unsigned query parameters that are accepted, none by default. */
  readonly allowUnsigned?: readonly string[] | undefined;
}

/** What a verified edge token allows. */
export interface EdgeGrant<W extends Weakness = never> extends Grant, Weak<W> {
  /** The configured origin that the request selected. */
  readonly origin: string;
  /** The path of this request as on the wire, without a token in it. */
  readonly path: string;
  /** The parameters of `allowUnsigned` that were present: the holder of the URL chose their values. */
  readonly unsignedParameters: readonly Parameter[];
}

/** A token that has been read. Nothing in it has been verified. */
export interface EdgeToken {
  /** Who signed, where the token tells it. */
  readonly keyId?: string | undefined;
  readonly notBefore?: Instant | undefined;
  /** Seconds that the clock of the signer may be ahead. */
  readonly skew?: number | undefined;
  /** `undefined`: it has no end. */
  readonly expiresAt: Instant | undefined;
  readonly path: string;
  /** The request's target without the token. */
  readonly target: string;
  readonly unsigned?: readonly Parameter[] | undefined;
}

/** One format of token as the verifying side sees it. */
export interface EdgeFormat<T extends EdgeToken, K, W extends Weakness, F extends object> extends Weak<W> {
  readonly id: string;
  detect(request: WireRequest): boolean;
  /** Strict and without a key, as {@link Scheme.parse}. */
  parse(received: ReceivedRequest): T;
  check(received: ReceivedRequest, token: T, key: K): Checked | Promise<Checked>;
  readonly dummyKey: K;
  /** Refusals that depend on what was granted, and the facts of the grant beside the common ones. */
  facts(
    received: ReceivedRequest,
    token: T,
    verified: Verified<K>,
  ): F & { readonly obligations?: readonly Obligation[] };
}

const READ: readonly string[] = ["GET", "HEAD"];

/** A verifier from a format. `keyId` is who signed where the token does not say. */
export function edgeVerifier<T extends EdgeToken, K, W extends Weakness, F extends object>(
  format: EdgeFormat<T, K, W, F>,
  keys: KeyResolver<K>,
  options: EdgeVerifierOptions & ExpiryOptions & { readonly keyId?: string | undefined },
): Verifier<EdgeGrant<W> & F> {
  const { maxLife, withoutExpiry } = options;
  // A text is one method: a part of it would do for `includes`.
  const methods = [options.methods ?? READ].flat();
  checkMaxLife(maxLife);
  const keyId = (token: T): string => token.keyId ?? options.keyId ?? format.id;
  const scheme: Scheme<T, K, EdgeGrant<W> & F> = {
    id: format.id,
    detect: format.detect,
    parse(received) {
      const token = format.parse(received);
      if (token.expiresAt === undefined && withoutExpiry !== "accept") {
        throw malformed("expiry", "missing", 'an end, or withoutExpiry: "accept"');
      }
      return token;
    },
    keyId,
    check: format.check,
    dummyKey: format.dummyKey,
    checkTime: ({ expiresAt = NEVER, notBefore, skew }, now) => checkValidity(now, expiresAt, notBefore, skew),
    grant(received, token, verified) {
      const { stringToSign, now } = verified;
      const { request, origin } = received;
      const { expiresAt = NEVER, notBefore = 0, path, target, unsigned = [] } = token;
      if (!methods.includes(request.method)) {
        throw refusal("METHOD_NOT_GRANTED", `${methods.join(" or ")}, found another`);
      }
      checkRemaining(now, expiresAt, maxLife);
      const { obligations = [], ...facts } = format.facts(received, token, verified);
      const fields: GrantFields = {
        scheme: format.id,
        keyId: keyId(token),
        methods,
        notBefore,
        expiresAt,
        obligations,
        target,
      };
      const grant = new VerifiedGrant(fields, stringToSign);
      return Object.assign(
        grant,
        { origin, path, unsignedParameters: unsigned, weak: format.weak },
        facts as unknown as F,
      );
    },
  };
  return verifier(scheme, keys, options);
}
