import { DaypassError, invalidInput } from "./errors.ts";
import type { Lifetime } from "./scheme.ts";

const BASIC = /^\d{8}T\d{6}Z$/;

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
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2);
  const month = twoDigits(text, 4);
  const day = twoDigits(text, 6);
  const hour = twoDigits(text, 9);
  const minute = twoDigits(text, 11);
  const second = twoDigits(text, 13);
  // Date.UTC reads the years 0 to 99 as 19xx and rolls 31 February over.
  if (year < 100 || day < 1 || day > daysInMonth(year, month) || hour > 23 || minute > 59 || second > 59)
    return Number.NaN;
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

function twoDigits(text: string, at: number): number {
  return text.charCodeAt(at) * 10 + text.charCodeAt(at + 1) - 48 * 11;
}

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function daysInMonth(year: number, month: number): number {
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return month === 2 && isLeap ? 29 : (DAYS[month - 1] ?? 0);
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
  const nowMs = now.getTime();
  if (Number.isNaN(nowMs)) throw invalidInput("the clock", "a valid Date", now);
  const windowSeconds = lifetime.stableWindow;
  if (windowSeconds !== undefined && !(Number.isInteger(windowSeconds) && windowSeconds > 0)) {
    throw invalidInput("stableWindow", "whole seconds", windowSeconds);
  }
  const step = (windowSeconds ?? 1) * 1000;
  const signedAtMs = Math.floor(nowMs / step) * step;
  let expiresIn = wantedSeconds(lifetime, signedAtMs);
  let warnings: readonly string[] = NO_WARNINGS;
  const end = limits.credentialsExpireAt;
  if (end !== undefined && !(signedAtMs + expiresIn * 1000 <= end.getTime())) {
    const clamped = Math.floor((end.getTime() - signedAtMs) / 1000);
    if (limits.credentialExpiry !== "clamp" || !(end.getTime() > nowMs)) {
      throw new DaypassError(
        "CREDENTIALS_EXPIRE_FIRST",
        `expected credentials that live for the ${expiresIn} s of the URL, found ${clamped} s: refresh them, or set credentialExpiry: "clamp"`,
      );
    }
    expiresIn = clamped;
    warnings = [`the URL ends with its credentials, after ${clamped} s`];
  }
  if (expiresIn < 1 || expiresIn > limits.maxSeconds) {
    throw new DaypassError(
      "INVALID_EXPIRY",
      `expected a life of 1 to ${limits.maxSeconds} s, any stable window included; found ${expiresIn} s`,
      { details: { minimum: 1, maximum: limits.maxSeconds, found: expiresIn } },
    );
  }
  return { signedAt: new Date(signedAtMs), expiresAt: new Date(signedAtMs + expiresIn * 1000), expiresIn, warnings };
}

const NO_WARNINGS: readonly string[] = [];

function wantedSeconds({ expiresIn, expiresAt, stableWindow = 0 }: Lifetime, signedAtMs: number): number {
  if ((expiresIn === undefined) === (expiresAt === undefined)) {
    throw invalidInput(
      "the lifetime",
      "one of expiresIn (seconds) and expiresAt (Date)",
      expiresIn === undefined ? "neither" : "both",
    );
  }
  // The window's start may lie up to one window back, and each URL must still live for `expiresIn`.
  const seconds =
    expiresAt === undefined ? Number(expiresIn) + stableWindow : Math.floor((Number(expiresAt) - signedAtMs) / 1000);
  if (Number.isInteger(seconds)) return seconds;
  throw new DaypassError(
    "INVALID_EXPIRY",
    `expected expiresIn in whole seconds, or expiresAt as a valid Date; found ${expiresIn ?? expiresAt}`,
  );
}
