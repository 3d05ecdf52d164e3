import { DaypassError } from "./errors.ts";
import type { Clock } from "./scheme.ts";

/** Credentials that have to be fetched, made usable by signers that do not wait. */
export interface RotatingCredentials<C> {
  /** Resolves once credentials are there; rejects with the provider's error. */
  ready(): Promise<void>;
  /** The newest credentials: give this to a signer. Throws `CREDENTIALS_NOT_READY` before {@link RotatingCredentials.ready}. */
  readonly current: () => C;
}

/** Options of {@link rotatingCredentials}. */
export interface RotationOptions {
  /** Seconds before their expiration at which credentials are fetched anew, 300 by default. */
  readonly refreshBefore?: number | undefined;
  readonly clock?: Clock | undefined;
  /** Told about each refresh in the background that failed. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/**
 * Wraps an asynchronous credential provider (the AWS SDK's provider chain has this shape) so that signing stays
 * synchronous. A refresh starts in the background when the credentials near their end; until it has succeeded the old
 * ones are used, and the signer refuses to sign past their expiration.
 *
 * No timer runs: a refresh begins when `current()` is called, so that an idle process can end. A refresh that has not helped, as the
 * provider failed or gave credentials that near their end, too, is not repeated at every signature: the next one begins one second
 * after it at the earliest, then two, four, up to thirty, until one has helped. `ready()` asks at once.
 *
 * @param provider fetches credentials; `expiration` is the first instant at which they are no longer good, none means never
 * @throws {DaypassError} `CREDENTIALS_NOT_READY` from `current()`; `INVALID_KEY` from `ready()`, for what is no credentials or has an
 * `expiration` that is no Date
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
    if (Object(given) !== given)
      throw new DaypassError("INVALID_KEY", "expected credentials of the provider, found none");
    // JSON has none: a provider that reads some has to make one.
    if (given.expiration !== undefined && !(given.expiration?.getTime?.() > 0))
      throw new DaypassError("INVALID_KEY", "expected expiration as a valid Date, found something else");
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
          "expected loaded credentials, found none yet: await ready() before the first signature",
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
