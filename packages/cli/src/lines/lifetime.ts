import { DaypassError, type Lifetime } from "daypass";
import { type FieldKind, instant, number, text } from "daypass/schemes";

/** The fields of a line for the time of signing and the lifetime, in every scheme. */
export const LIFETIME: Readonly<Record<keyof LineLifetime, FieldKind>> = {
  expiresIn: number,
  expiresAt: text,
  notBefore: text,
  stableWindow: number,
  signedAt: text,
};

/** {@link LIFETIME} after the check. */
export interface LineLifetime {
  readonly expiresIn?: number;
  readonly expiresAt?: string;
  readonly notBefore?: string;
  readonly stableWindow?: number;
  /** The time of signing; now if absent. */
  readonly signedAt?: string;
}

/** The lifetime of a line in the form that signers take. */
export function lifetime(line: LineLifetime): Lifetime & { readonly notBefore: Date | undefined } {
  const { expiresAt, notBefore } = line;
  return {
    expiresIn: line.expiresIn,
    expiresAt: expiresAt === undefined ? undefined : end(expiresAt, signingTime(line)),
    notBefore: notBefore === undefined ? undefined : instant("notBefore", notBefore),
    stableWindow: line.stableWindow,
  };
}

// The signer would name the remaining seconds, and not the two instants.
function end(expiresAt: string, signedAt: Date): Date {
  const at = instant("expiresAt", expiresAt);
  if (at > signedAt) return at;
  const problem = `expiresAt is ${expiresAt}, not after the signing at ${signedAt.toISOString()}`;
  throw new DaypassError("INVALID_EXPIRY", `${problem}. Pass a later instant`);
}

/** The time at which a line is signed. */
export function signingTime({ signedAt }: LineLifetime): Date {
  return signedAt === undefined ? new Date() : instant("signedAt", signedAt);
}
