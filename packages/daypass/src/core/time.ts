import { dateText, endFault, lifetimeWarnings, looksLikeMilliseconds } from "#advice";
import type { Lifetime } from "./contracts.ts";
import { type DaypassError, faultText, invalidInput, refusal } from "./errors.ts";

/**
 * The expiry of URLs that never expire, in milliseconds since 1970: the last second with a year of four
 * digits, which every reader of ISO 8601 accepts. Not a Date, because a caller could modify it.
 */
export const NEVER = 253_402_300_799_000;

/** The time of a clock: a Date, or its milliseconds since 1970, because creating a Date costs as much as encoding a key. */
export type Instant = Date | number;

/** The default clock. Reads the global `Date` at each call, because tests replace it. */
export const systemClock = (): Instant => Date.now();

/**
 * Parses `YYYYMMDDTHHMMSSZ` strictly: a real day and a second below 60, else `undefined`. `Date.parse` answers NaN for
 * this format, and comparisons with NaN are how other servers came to accept URLs that never expire.
 */
export function parseBasicTime(text: string): Date | undefined {
  const { ms } = basicInstant(text);
  return Number.isNaN(ms) ? undefined : new Date(ms);
}

/** `YYYYMMDDTHHMMSSZ` and its milliseconds since 1970. */
export interface BasicInstant {
  readonly text: string;
  /** NaN if the text is not an instant: see {@link parseBasicTime}. */
  readonly ms: number;
}

/** Reads a {@link BasicInstant}. Returns the previous object for an equal text, so that callers can compare identities. */
export function basicInstant(text: string): BasicInstant {
  // Many requests of one moment, and all of a stable window, have the same time. Some have two times, which alternate.
  if (last?.text !== text) {
    [last, lastButOne] = [lastButOne, last];
    if (last?.text !== text) last = { text, ms: basicTimeMs(text) };
  }
  return last;
}

let last: BasicInstant | undefined;
let lastButOne: BasicInstant | undefined;

// Not before the year 100: Date.UTC reads 0 to 99 as 19xx. Invalid days and hours end on another day, see below.
const BASIC = /^(?!00)\d{4}(?:0[1-9]|1[0-2])\d\dT\d\d[0-5]\d[0-5]\dZ$/;

/**
 * {@link parseBasicTime} in milliseconds since 1970, NaN if the text is not an instant, and without a cache: for callers that read few
 * or does longer work beside it.
 */
export function basicTimeMs(text: string): number {
  if (!BASIC.test(text)) return Number.NaN;
  // `Number` of each part takes ten times as long.
  const two = (at: number): number => text.charCodeAt(at) * 10 + text.charCodeAt(at + 1) - 528;
  const day = two(6);
  const ms = Date.UTC(two(0) * 100 + two(2), two(4) - 1, day, two(9), two(11), two(13));
  // Date.UTC rolls 31 February and 24 o'clock over.
  return new Date(ms).getUTCDate() === day ? ms : Number.NaN;
}

/** An instant as ISO 8601, for people to read. */
export function instantText(instant: Instant): string {
  return new Date(instant).toJSON() ?? "unknown";
}

/** `YYYYMMDDTHHMMSSZ` of milliseconds since 1970; fractions of a second are dropped. */
export function basicTime(ms: number): string {
  return new Date(ms).toISOString().replace(/[-:]|\..../g, "");
}

/** {@link basicTime} that remembers the latest second: bulk signing asks for the same one many times. */
export const formatBasicTime: (ms: number) => string = /* @__PURE__ */ basicTimeFormat();

/** A {@link formatBasicTime} with its own memory. */
export function basicTimeFormat(): (ms: number) => string {
  let lastSecond = Number.NaN;
  let lastText = "";
  return (ms) => {
    const second = Math.floor(ms / 1000);
    if (second !== lastSecond) {
      lastText = basicTime(ms);
      lastSecond = second;
    }
    return lastText;
  };
}

/** The longest lifetime in seconds for schemes without a maximum. It catches milliseconds that were passed as seconds. */
export const CENTURY = 3_153_600_000;

/** Signing time and end of a URL, both whole seconds. */
export interface SigningWindow {
  /** Milliseconds since 1970. */
  readonly signedAt: number;
  readonly expiresAt: Date;
  /** Seconds between the two. */
  readonly expiresIn: number;
  readonly warnings: readonly string[];
}

/** What limits the lifetime of a URL, in addition to the caller's request. */
export interface LifetimeLimits {
  /** Longest life in seconds that the scheme allows. */
  readonly maxSeconds: number;
  /** End of the credentials, if they have one. */
  readonly expiration?: Date | undefined;
  /** What to do if the credentials expire first. */
  readonly credentialExpiry?: "refuse" | "clamp" | undefined;
}

/** Works out when a URL begins and ends, or throws `INVALID_EXPIRY`, `INVALID_INPUT` or `CREDENTIALS_EXPIRE_FIRST`. */
export function signingWindow(
  { expiresIn: wanted, expiresAt: until, stableWindow }: Lifetime,
  clockTime: Instant,
  { maxSeconds, expiration, credentialExpiry }: LifetimeLimits,
): SigningWindow {
  const now = Number(clockTime) / 1000;
  const step = stableWindow ?? 1;
  // A clock beyond the year 2255 counts in other units, and a time outside a Date's range would be signed as NaN.
  if (!isWhole(step) || !(now > 0 && now < 9e9)) {
    throw invalidInput("stableWindow", "whole seconds, and a valid clock", stableWindow ?? String(clockTime));
  }
  if ((wanted === undefined) === (until === undefined)) {
    throw invalidInput("expiresIn", "seconds, or expiresAt alone", wanted);
  }
  const signedAt = Math.floor(now / step) * step;
  const secondsUntil = (end: Date): number => Math.floor(Number(end) / 1000) - signedAt;
  // The window's start may lie up to one window back, and each URL must still live for as long as was asked.
  const lasting = wanted as number;
  let expiresIn = until === undefined ? (stableWindow ? stableWindow + lasting : lasting) : secondsUntil(until);
  let warnings = lifetimeWarnings(wanted);
  const left = expiration === undefined ? expiresIn : secondsUntil(expiration);
  // Written so that an invalid date refuses.
  if (!(left >= expiresIn) && expiresIn > 0) {
    if (credentialExpiry !== "clamp" || !(signedAt + left > now)) {
      throw refusal(
        "CREDENTIALS_EXPIRE_FIRST",
        `the credentials end in ${left} s, and the URL in ${expiresIn} s. See credentialExpiry`,
      );
    }
    expiresIn = left;
    warnings = [...warnings, `the URL ends with its credentials, after ${left} s`];
  }
  // The start of a stable window lies in the past, and so may an end that is after it.
  if (!isWhole(expiresIn) || expiresIn > maxSeconds || !(signedAt + expiresIn > now)) {
    const option = until === undefined ? "expiresIn" : "expiresAt - now";
    const expected = `whole seconds from 1 to ${maxSeconds}${looksLikeMilliseconds(expiresIn, maxSeconds)}`;
    throw refusal("INVALID_EXPIRY", endFault(until, maxSeconds) ?? faultText(option, expected, expiresIn), {
      maximum: maxSeconds,
      found: expiresIn,
    });
  }
  return {
    signedAt: signedAt * 1000,
    expiresAt: new Date((signedAt + expiresIn) * 1000),
    expiresIn,
    warnings,
  };
}

/** `notBefore` in whole seconds since 1970, rounded up so that nothing begins before it. Throws `INVALID_INPUT`. */
export function startSeconds(notBefore: Date | undefined): number | undefined {
  if (notBefore === undefined) return undefined;
  const seconds = Math.ceil(Number(notBefore?.getTime?.()) / 1000);
  if (seconds >= 0) return seconds;
  throw invalidInput("notBefore", "a valid Date", dateText(notBefore));
}

function isWhole(seconds: number): boolean {
  return Number.isInteger(seconds) && seconds > 0;
}

/**
 * Whole seconds since 1970 as an instant, or `undefined` for any other spelling: `1e99`, ` 1`, `0x1` and the empty text are
 * numbers for `Number`. Eleven digits last until the year 5138.
 */
export function parseEpoch(text: string): Date | undefined {
  return /^(?:0|[1-9][0-9]{0,10})$/.test(text) ? new Date(Number(text) * 1000) : undefined;
}

/** The refusal because of the time alone, if any. An invalid clock refuses. The instants are valid. */
export function checkValidity(
  now: number,
  expiresAt: Instant,
  startsAt: Instant = 0,
  skew = 0,
): DaypassError | undefined {
  if (!(now >= Number(startsAt) - skew * 1000)) {
    return refusal("NOT_YET_VALID", `the URL is valid from ${instantText(startsAt)} on. Check both clocks`);
  }
  if (now < Number(expiresAt)) return undefined;
  const ended = instantText(expiresAt);
  return refusal("EXPIRED", `the URL expired at ${ended}`, { expiresAt: ended });
}

/** Refuses a URL with a longer remaining lifetime than the verifier accepts. For schemes without a maximum. */
export function checkRemaining(now: number, expiresAt: Instant, maxLife: number | undefined): void {
  if (maxLife === undefined || Number(expiresAt) - now <= maxLife * 1000) return;
  const ended = instantText(expiresAt);
  throw refusal("KEY_SCOPE", `the URL expires at ${ended}, and maxLife accepts ${maxLife} s`, {
    expiresAt: ended,
    maximum: maxLife,
  });
}

/** Checks the option that {@link checkRemaining} reads. */
export function checkMaxLife(maxLife: number | undefined): void {
  if (maxLife !== undefined && !(maxLife > 0)) throw invalidInput("maxLife", "seconds above 0", maxLife);
}
