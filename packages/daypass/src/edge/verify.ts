import { constantTimeEqual } from "#crypto";
import type {
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
import { grantOf } from "../core/grant.ts";
import { checkMaxLife, checkRemaining, checkValidity, type Instant, NEVER } from "../core/time.ts";
import { unchecked } from "../core/unchecked.ts";
import { type VerifierOptions, verifier } from "../core/verify.ts";
import type { Weak, Weakness } from "../core/weakness.ts";
import { malformed, type Parameter } from "../wire/parameters.ts";
import { hasToken } from "./query.ts";

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

/** A parsed token. Nothing in it has been verified. */
export interface EdgeToken {
  /** The signer, if the token names it. */
  readonly keyId?: string | undefined;
  /** As on the wire. */
  readonly signature: string;
  readonly stringToSign: string;
  readonly notBefore?: Instant | undefined;
  /** Seconds that the clock of the signer may be ahead. */
  readonly skew?: number | undefined;
  /** `undefined` if the token never expires. */
  readonly expiresAt: Instant | undefined;
  readonly path: string;
  /** The request's target without the token. */
  readonly target: string;
  readonly unsigned?: readonly Parameter[] | undefined;
}

/** A prepared key: returns the signature that a token should have, or whether the token's signature is one of this key. */
export type EdgeKey<T> = (token: T, received: ReceivedRequest) => string | Promise<boolean>;

/** One format of token as the verifying side sees it. */
export interface EdgeFormat<T extends EdgeToken, W extends Weakness = never, F extends object = object>
  extends Weak<W> {
  readonly id: string;
  detect(request: WireRequest): boolean;
  /** Parses strictly and without a key, as {@link Scheme.parse}. */
  parse(received: ReceivedRequest): T;
  readonly dummyKey: EdgeKey<T>;
  /** Refusals that depend on what was granted, and the facts that the grant has in addition to the common ones. */
  facts?(
    received: ReceivedRequest,
    token: T,
    verified: Verified<unknown>,
  ): F & { readonly obligations?: readonly Obligation[] };
}

/** Whether the query has this parameter. */
export function hasParameter({ target }: WireRequest, parameter: string): boolean {
  return hasToken(target, [parameter]);
}

/** Whether a request may have this cookie: by its name alone, and also if the name is the end of another name. */
export function hasCookie({ headers }: WireRequest, cookie: string): boolean {
  return headers.some(([name, value]) => name.toLowerCase() === "cookie" && value.includes(`${cookie}=`));
}

const READ: readonly string[] = ["GET", "HEAD"];

/** A verifier from a format. `keyId` names the signer if the token does not. */
export function edgeVerifier<T extends EdgeToken, W extends Weakness = never, F extends object = object>(
  format: EdgeFormat<T, W, F>,
  keys: KeyResolver<EdgeKey<T>>,
  options: EdgeVerifierOptions & ExpiryOptions & { readonly keyId?: string | undefined },
): Verifier<EdgeGrant<W> & F> {
  const { id, detect, dummyKey, weak } = format;
  const { maxLife, withoutExpiry } = options;
  // `methods` may be a text in JavaScript: `includes` of a text would accept parts of a method.
  const methods = [options.methods ?? READ].flat();
  checkMaxLife(maxLife);
  const keyId = (token: T): string => token.keyId ?? options.keyId ?? id;
  const scheme: Scheme<T, EdgeKey<T>, EdgeGrant<W> & F> = {
    id,
    detect,
    keyId,
    dummyKey,
    parse(received) {
      const token = format.parse(received);
      if (token.expiresAt === undefined && withoutExpiry !== "accept") {
        throw malformed("expiry", "missing", 'an end, or withoutExpiry: "accept"');
      }
      return token;
    },
    check(received, token, key) {
      const { signature, stringToSign } = token;
      const found = key(token, received);
      return typeof found === "string"
        ? { matches: constantTimeEqual(found, signature), stringToSign }
        : found.then((matches) => ({ matches, stringToSign }));
    },
    checkTime: ({ expiresAt = NEVER, notBefore, skew }, now) => checkValidity(now, expiresAt, notBefore, skew),
    grant(received, token, verified) {
      const { request, origin } = received;
      const { expiresAt = NEVER, notBefore = 0, path, target, unsigned = [] } = token;
      if (!methods.includes(request.method)) {
        throw refusal("METHOD_NOT_GRANTED", `the method is not granted. Send ${methods.join(" or ")}`);
      }
      checkRemaining(verified.now, expiresAt, maxLife);
      const { obligations = [], ...facts } = format.facts?.(received, token, verified) ?? {};
      const fields = { scheme: id, keyId: keyId(token), methods, notBefore, expiresAt, obligations, target };
      const own = { origin, path, unsignedParameters: unsigned, weak, ...unchecked<F>(facts) };
      return grantOf(request, fields, own, verified.stringToSign);
    },
  };
  return verifier(scheme, keys, options);
}
