import { invalidInput, refusal } from "./errors.ts";
import type { Clock, Lifetime } from "./scheme.ts";

/** The end of what has none: the last second that every reader of ISO 8601 takes, with a year of four digits. */
export const NEVER: Date = /* @__PURE__ */ new Date(253_402_300_799_000);

/** What time it is where nobody hands a clock in. */
export const systemClock: Clock = () => new Date();

// Not before the year 100: Date.UTC reads 0 to 99 as 19xx.
const BASIC = /^(?!00)\d{4}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3])[0-5]\d[0-5]\dZ$/;

/**
 * Parses `YYYYMMDDTHHMMSSZ` strictly: a real day and a second below 60, else `undefined`. `Date.parse` answers NaN for
 * this format, and comparisons with NaN are how other servers came to accept URLs that never expire.
 */
export function parseBasicTime(text: string): Date | undefined {
  // Many requests of one moment, and all of one stable window, carry the same time.
  if (text !== lastParsed) {
    lastParsedMs = parseMs(text);
    lastParsed = text;
  }
  return Number.isNaN(lastParsedMs) ? undefined : new Date(lastParsedMs);
}

let lastParsed = "";
let lastParsedMs = Number.NaN;

function parseMs(text: string): number {
  if (!BASIC.test(text)) return Number.NaN;
  const number = (start: number, end: number): number => Number(text.slice(start, end));
  const day = number(6, 8);
  const ms = Date.UTC(number(0, 4), number(4, 6) - 1, day, number(9, 11), number(11, 13), number(13, 15));
  // Date.UTC rolls 31 February over.
  return new Date(ms).getUTCDate() === day ? ms : Number.NaN;
}

/** `YYYYMMDDTHHMMSSZ` of an instant; fractions of a second are dropped. */
export const formatBasicTime: (date: Date) => string = /* @__PURE__ */ basicTimeFormat();

/** A {@link formatBasicTime} with a memory of its own: bulk signing asks for the same second many times. */
export function basicTimeFormat(): (date: Date) => string {
  let lastSecond = Number.NaN;
  let lastText = "";
  return (date) => {
    const second = Math.floor(date.getTime() / 1000);
    if (second !== lastSecond) {
      lastText = date.toISOString().replace(/[-:]|\.\d{3}/g, "");
      lastSecond = second;
    }
    return lastText;
  };
}

/** Signing time and end of a URL, both whole seconds. */
export interface SigningWindow {
  readonly signedAt: Date;
  readonly expiresAt: Date;
  /** Seconds between the two. */
  readonly expiresIn: number;
  readonly warnings: readonly string[];
}

/** What limits the life of a URL besides the caller's wish. */
export interface LifetimeLimits {
  /** Longest life in seconds that the scheme allows. */
  readonly maxSeconds: number;
  /** End of the credentials, if they have one. */
  readonly credentialsExpireAt?: Date | undefined;
  /** What to do where the credentials end first. */
  readonly credentialExpiry?: "refuse" | "clamp" | undefined;
}

/** Works out when a URL begins and ends, or throws `INVALID_EXPIRY`, `INVALID_INPUT` or `CREDENTIALS_EXPIRE_FIRST`. */
export function signingWindow(lifetime: Lifetime, now: Date, limits: LifetimeLimits): SigningWindow {
  const { stableWindow } = lifetime;
  const nowMs = now.getTime();
  if (!isWhole(stableWindow ?? 1) || Number.isNaN(nowMs)) {
    throw invalidInput("stableWindow", "whole seconds, and the clock to be right", stableWindow ?? String(now));
  }
  const step = (stableWindow ?? 1) * 1000;
  const signedAtMs = Math.floor(nowMs / step) * step;
  let expiresIn = wantedSeconds(lifetime, signedAtMs);
  let warnings: readonly string[] = NO_WARNINGS;
  const left = Math.floor((Number(limits.credentialsExpireAt ?? Number.POSITIVE_INFINITY) - signedAtMs) / 1000);
  // Written so that an invalid date refuses.
  if (!(left >= expiresIn) && !Number.isNaN(expiresIn)) {
    if (limits.credentialExpiry !== "clamp" || !(signedAtMs + left * 1000 > nowMs)) {
      throw refusal(
        "CREDENTIALS_EXPIRE_FIRST",
        `credentials that outlive the ${expiresIn} s of the URL, found ${left} s: refresh them, or set credentialExpiry: "clamp"`,
      );
    }
    expiresIn = left;
    warnings = [`the URL ends with its credentials, after ${left} s`];
  }
  if (!isWhole(expiresIn) || expiresIn > limits.maxSeconds) {
    throw refusal(
      "INVALID_EXPIRY",
      `a life of 1 to ${limits.maxSeconds} whole seconds, any stable window included; found ${expiresIn}`,
      { minimum: 1, maximum: limits.maxSeconds, found: expiresIn },
    );
  }
  return { signedAt: new Date(signedAtMs), expiresAt: new Date(signedAtMs + expiresIn * 1000), expiresIn, warnings };
}

const NO_WARNINGS: readonly string[] = [];

function isWhole(seconds: number): boolean {
  return Number.isInteger(seconds) && seconds > 0;
}

function wantedSeconds({ expiresIn, expiresAt, stableWindow = 0 }: Lifetime, signedAtMs: number): number {
  if ((expiresIn === undefined) === (expiresAt === undefined)) {
    throw invalidInput(
      "the lifetime",
      "one of expiresIn (seconds) and expiresAt (Date)",
      expiresIn === undefined ? "neither" : "both",
    );
  }
  // The window's start may lie up to one window back, and each URL must still live for `expiresIn`.
  return expiresAt === undefined
    ? Number(expiresIn) + stableWindow
    : Math.floor((Number(expiresAt) - signedAtMs) / 1000);
}
