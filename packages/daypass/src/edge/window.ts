import { invalidInput } from "../core/errors.ts";
import { type Instant, NEVER, signingWindow, startSeconds, systemClock } from "../core/time.ts";
import type { EndlessSignRequest } from "./sign.ts";

/** Begin and end of a URL in whole seconds since 1970. */
export interface EdgeWindow {
  /** Milliseconds since 1970. */
  readonly signedAt: number;
  readonly expiresAt: Date;
  /** As it stands in the URL; `undefined` where it never ends. */
  readonly expires: string | undefined;
  /** From `notBefore`, rounded up. */
  readonly starts: string | undefined;
}

// A century catches milliseconds that were given as seconds, and keeps the end at ten digits.
const MAX_LIFE = 100 * 365 * 86_400;

export function edgeWindow(
  request: EndlessSignRequest,
  clock: () => Instant = systemClock,
  maxSeconds: number = MAX_LIFE,
): EdgeWindow {
  const { expiresIn, expiresAt, notBefore, withoutExpiry } = request;
  const isEndless = withoutExpiry === "accept" && expiresIn === undefined && expiresAt === undefined;
  const window = isEndless
    ? { signedAt: Number(clock()), expiresAt: new Date(NEVER) }
    : signingWindow(request, clock(), { maxSeconds });
  const end = window.expiresAt.getTime() / 1000;
  const start = startSeconds(notBefore);
  if (start !== undefined && !(start < end)) throw invalidInput("notBefore", "a Date before the end", notBefore);
  return {
    signedAt: window.signedAt,
    expiresAt: window.expiresAt,
    expires: isEndless ? undefined : String(end),
    starts: start === undefined ? undefined : String(start),
  };
}
