import type { Clock } from "./contracts.ts";
import { DaypassError } from "./errors.ts";

/** Credentials that are fetched asynchronously, for use by synchronous signers. */
export interface RotatingCredentials<C> {
  /** Resolves once credentials are available; rejects with the provider's error. */
  ready(): Promise<void>;
  /** Returns the newest credentials: pass this function to a signer. Throws `CREDENTIALS_NOT_READY` before {@link RotatingCredentials.ready}. */
  readonly current: () => C;
}

/** Options of {@link rotatingCredentials}. */
export interface RotationOptions {
  /** Seconds before their expiration at which credentials are refreshed, 300 by default. */
  readonly refreshBefore?: number | undefined;
  readonly clock?: Clock | undefined;
  /** Called with the error of each failed background refresh. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/**
 * Wraps an asynchronous credential provider (such as the AWS SDK's provider chain) so that signing stays
 * synchronous. A refresh starts in the background when the credentials are about to expire; until it succeeds, the old
 * ones are used, and the signer refuses to sign past their expiration.
 *
 * No timer runs: a refresh starts when `current()` is called, so an idle process can exit. If a refresh does not help, because the
 * provider fails or returns credentials that are also about to expire, it is not repeated for every signature: the next one starts
 * after one second at the earliest, then two, four, up to thirty, until one succeeds. `ready()` retries at once.
 *
 * @param provider fetches credentials; `expiration` is the first instant at which they are no longer valid, none means never
 * @throws {DaypassError} `CREDENTIALS_NOT_READY` from `current()`; `INVALID_KEY` from `ready()`, for invalid credentials or an
 * `expiration` that is not a Date
 * @example
 * ```ts
 * import { rotatingCredentials } from "daypass";
 * import { s3Signer } from "daypass/s3";
 *
 * const provider = async () => ({ accessKeyId: "AKIDEXAMPLE", secretAccessKey: "…", expiration: new Date(Date.now() + 3_600_000) });
 * const credentials = rotatingCredentials(provider);
 * await credentials.ready();
 * export const s3 = s3Signer({ region: "eu-west-1", credentials: credentials.current });
 * ```
 */
export function rotatingCredentials<C extends { readonly expiration?: Date | undefined }>(
  provider: () => Promise<C>,
  options: RotationOptions = {},
): RotatingCredentials<C> {
  const { refreshBefore = 300, clock = () => new Date(), onError } = options;
  let credentials: C | undefined;
  let pending: Promise<void> | undefined;
  /** Refreshes in the background, one after another, that have not helped. */
  let attempts = 0;
  let lastAttempt = 0;

  // Asynchronous, so that a provider that throws rejects.
  const ask = async (): Promise<void> => {
    const given = await provider();
    if (Object(given) !== given) throw new DaypassError("INVALID_KEY", "the provider returned no credentials");
    // JSON has none: a provider that reads some has to make one.
    if (given.expiration !== undefined && !(given.expiration?.getTime?.() > 0))
      throw new DaypassError("INVALID_KEY", "the provider returned an expiration that is not a valid Date");
    credentials = given;
    if (!isOld(given)) attempts = 0;
  };
  const refresh = (): Promise<void> => {
    pending ??= ask().finally(() => {
      pending = undefined;
    });
    return pending;
  };

  return {
    async ready() {
      if (credentials === undefined || isOld(credentials)) await refresh();
    },
    current() {
      if (credentials === undefined) {
        throw new DaypassError(
          "CREDENTIALS_NOT_READY",
          "the credentials are not loaded yet. Await ready() before the first signature",
        );
      }
      const current = credentials;
      if (pending === undefined && isOld(current) && isTime()) {
        attempts += 1;
        lastAttempt = clock().getTime();
        refresh().catch((error: unknown) => onError?.(error));
      }
      return current;
    },
  };

  function isTime(): boolean {
    const passed = clock().getTime() - lastAttempt;
    // A clock that was set back must not put the next attempt off.
    return attempts === 0 || passed < 0 || passed >= Math.min(LONGEST_WAIT, 500 * 2 ** attempts);
  }

  function isOld({ expiration }: C): boolean {
    return expiration !== undefined && !(expiration.getTime() - clock().getTime() > refreshBefore * 1000);
  }
}

const LONGEST_WAIT = 30_000;
