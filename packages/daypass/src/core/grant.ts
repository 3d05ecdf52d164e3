import { sha256Half, sha256Stream } from "#crypto";
import type { Grant, Obligation, WireRequest } from "./contracts.ts";
import { refusal } from "./errors.ts";
import type { Instant } from "./time.ts";

// base64url of the first 16 bytes of SHA-256 over the string to sign.
export { sha256Half as grantId } from "#crypto";

/** The facts of a grant that a scheme fills in. */
export interface GrantFields extends Omit<Grant, "id" | "limitBody" | "notBefore" | "expiresAt"> {
  readonly notBefore: Instant;
  readonly expiresAt: Instant;
}

/**
 * The base of every scheme's grant. A class, because `id` costs a hash that most requests never ask for, and a getter on
 * a prototype is cheap. The two dates cost a twentieth of verifying, and a Date that is created at each
 * reading cannot be modified by a caller.
 */
export class VerifiedGrant implements Grant {
  declare readonly scheme: string;
  declare readonly keyId: string;
  declare readonly methods: readonly string[];
  declare readonly obligations: readonly Obligation[];
  declare readonly target: string;
  readonly #stringToSign: string;
  readonly #notBefore: Instant;
  readonly #expiresAt: Instant;

  constructor(fields: GrantFields, stringToSign: string) {
    this.scheme = fields.scheme;
    this.keyId = fields.keyId;
    this.methods = fields.methods;
    this.obligations = fields.obligations;
    this.target = fields.target;
    this.#stringToSign = stringToSign;
    this.#notBefore = fields.notBefore;
    this.#expiresAt = fields.expiresAt;
  }

  get id(): string {
    return sha256Half(this.#stringToSign);
  }

  get notBefore(): Date {
    return new Date(this.#notBefore);
  }

  get expiresAt(): Date {
    return new Date(this.#expiresAt);
  }

  /** A getter on a prototype is invisible to `JSON.stringify`, which this mends; to `console.log` it stays so, for the bytes. */
  toJSON(): object {
    return { ...this, id: this.id, notBefore: this.notBefore, expiresAt: this.expiresAt };
  }

  async *limitBody(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    // A stream that was read ends at once, so its bytes would never be checked.
    if ((body as { readonly readableEnded?: boolean }).readableEnded) {
      throw refusal("INVALID_INPUT", "the body was read before");
    }
    const length = this.obligations.find((obligation) => obligation.kind === "body-length");
    const digest = this.obligations.find((obligation) => obligation.kind === "body-sha256");
    const hash = digest && sha256Stream();
    let received = 0;
    const checkLength = (min: number): void => {
      // Written so that a text, whose characters are no bytes, refuses.
      if (length && !(received >= min && received <= length.max))
        throw refusal("BODY_LENGTH", `${length.min} to ${length.max} bytes were granted, not ${received}`);
    };
    for await (const chunk of body) {
      received += chunk.byteLength;
      checkLength(0);
      hash?.update(chunk);
      yield chunk;
    }
    checkLength(length?.min ?? 0);
    if (hash?.hex() !== digest?.sha256) throw refusal("BODY_DIGEST", "the body does not have the granted SHA-256");
  }
}

/** The fields that a request itself does not decide. */
export type OwnGrantFields = Omit<GrantFields, "methods" | "target"> & Partial<Pick<GrantFields, "methods" | "target">>;

/** A grant for a request's own method and target unless `fields` name others, with the facts of its scheme. */
export function grantOf<F extends object>(
  { method, target }: Pick<WireRequest, "method" | "target">,
  fields: OwnGrantFields,
  facts: F,
  stringToSign: string,
): Grant & F {
  return Object.assign(new VerifiedGrant({ methods: [method], target, ...fields }, stringToSign), facts);
}
