import { type Grant, isDaypassError, type Verifier } from "daypass";
import type { S3Grant } from "daypass/s3";
import { CommandError, UsageError } from "../../command.ts";
import type { AvailableKeys } from "../../credentials/available-keys.ts";
import { schemeOfGrant } from "../../lines/line-scheme.ts";
import type { UrlRequest } from "../../lines/request.ts";
import { schemeVerifiers } from "../../lines/verifiers.ts";
import type { KeyRecord } from "../../state-folder/key-record.ts";
import { expectS3Scope, outsideScope } from "../../state-folder/scope.ts";

/** The context of a verification. */
export interface VerifyContext {
  readonly now: Date;
  /** The proven identity. */
  readonly subject?: string | undefined;
  readonly audience?: string | undefined;
  /** The accepted origins. By default the origin of the URL. */
  readonly origins?: readonly string[] | undefined;
  /** The value of `--state`, for messages. */
  readonly state?: string | undefined;
}

/** Verifies a request with the available keys, and checks the scope of a stored key like the gateway. */
export async function verifyWithKeys(
  { request, origin }: UrlRequest,
  keys: AvailableKeys,
  { now, subject, ...asked }: VerifyContext,
): Promise<Grant> {
  const verifier = await verifierOf(schemeEntries(keys, asked), { origin, now });
  const grant = await verifier.verify(request, { subject });
  expectInScope(grant, { record: keys.records.get(grant.keyId), method: request.method, now });
  return grant;
}

/** Builds the verifier. Errors of keys and options are not refusals of the URL. */
async function verifierOf(
  entries: readonly object[],
  { origin, now }: { readonly origin: string; readonly now: Date },
): Promise<Verifier> {
  try {
    return await schemeVerifiers(entries, { origin, clock: () => now });
  } catch (error) {
    if (!isDaypassError(error)) throw error;
    throw error.code === "INVALID_INPUT" ? new UsageError(error.message) : new CommandError(error.message, error.code);
  }
}

/** The available keys as the `schemes` of a line. */
function schemeEntries(
  keys: AvailableKeys,
  { audience, origins, state }: Pick<VerifyContext, "audience" | "origins" | "state">,
): readonly object[] {
  const { s3, gcs, azure, url, entries: others } = keys;
  const common = origins === undefined ? {} : { origins };
  const entries = [
    ...(s3.length === 0 ? [] : [{ scheme: "s3", credentials: s3.map(fromCredentials), ...common }]),
    ...(gcs.length === 0 ? [] : [{ scheme: "gcs", credentials: gcs, ...common }]),
    ...(azure.length === 0 ? [] : [{ scheme: "azure", credentials: azure, ...common }]),
    ...(url.length === 0
      ? []
      : [{ scheme: "url", keys: url, ...(audience === undefined ? {} : { audience }), ...common }]),
    ...others,
  ];
  if (entries.length === 0) {
    throw new CommandError(
      state === undefined
        ? "there is no key to verify with. Set DAYPASS_KEY or DAYPASS_KEY_FILE, put a cloud's key where its tools look, or give --state or --schemes"
        : `${state} has no key that is in use. See daypass keys list, and correct --state`,
    );
  }
  return entries;
}

function fromCredentials({ expiration, ...credentials }: { readonly expiration?: Date | undefined }): object {
  return expiration === undefined ? credentials : { ...credentials, expiration: expiration.toISOString() };
}

/** Checks the scope of a stored S3 key. The verifier of Daypass URLs checks the scope of their keys. */
function expectInScope(
  grant: Grant & Partial<S3Grant>,
  { record, method, now }: { readonly record: KeyRecord | undefined; readonly method: string; readonly now: Date },
): void {
  const { scheme, bucket, key, notBefore, expiresAt } = grant;
  if (record?.kind !== "s3" || bucket === undefined || schemeOfGrant(grant.scheme) !== "s3") return;
  // SigV2 does not state the time of signing. A signed header is not a URL and has no lifetime.
  const begin = scheme === "s3/v2" ? Math.max(notBefore.getTime(), now.getTime()) : notBefore.getTime();
  const lifetime = scheme === "s3/header" ? 0 : (expiresAt.getTime() - begin) / 1000;
  expectS3Scope(record.scope, { bucket, key, method, lifetime });
  const { until } = record.scope;
  if (until !== undefined && now.getTime() >= Date.parse(until)) throw outsideScope("until");
}
