import { DaypassError, type Lifetime } from "daypass";
import { type FieldKind, instant, number, text } from "daypass/schemes";

/** The fields of a line that say when it is signed and for how long, in every scheme. */
export const LIFETIME: Readonly<Record<keyof LineLifetime, FieldKind>> = {
  expiresIn: number,
  expiresAt: text,
  notBefore: text,
  stableWindow: number,
  signedAt: text,
};

/** {@link LIFETIME} once it has been checked. */
export interface LineLifetime {
  readonly expiresIn?: number;
  readonly expiresAt?: string;
  readonly notBefore?: string;
  readonly stableWindow?: number;
  /** Pins the clock. */
  readonly signedAt?: string;
}

/** The lifetime of a library's request from that of a line. */
export function lifetime(line: LineLifetime): Lifetime & { readonly notBefore: Date | undefined } {
  const { expiresAt, notBefore } = line;
  return {
    expiresIn: line.expiresIn,
    expiresAt: expiresAt === undefined ? undefined : end(expiresAt, signingTime(line)),
    notBefore: notBefore === undefined ? undefined : instant("notBefore", notBefore),
    stableWindow: line.stableWindow,
  };
}

// The signer sees how many seconds are left, and speaks of these alone.
function end(expiresAt: string, signedAt: Date): Date {
  const at = instant("expiresAt", expiresAt);
  if (at > signedAt) return at;
  const now = signedAt.toISOString();
  throw new DaypassError("INVALID_EXPIRY", `expected expiresAt after the time of signing, ${now}, found ${expiresAt}`);
}

/** When a line is signed: now, unless it says. */
export function signingTime({ signedAt }: LineLifetime): Date {
  return signedAt === undefined ? new Date() : instant("signedAt", signedAt);
}
