import { type Grant, isDaypassError, type Verifier } from "daypass";
import type { S3Grant } from "daypass/s3";
import { CommandError, UsageError } from "../../command.ts";
import { schemeOfGrant } from "../../lines/line-scheme.ts";
import type { UrlRequest } from "../../lines/request.ts";
import { schemeVerifiers } from "../../lines/verifiers.ts";
import type { KeyRecord } from "../../state/key-record.ts";
import { expectS3Scope, outsideScope } from "../../state/s3-scope.ts";
import type { KeysAtHand } from "../sign/available-keys.ts";

/** What a request is held against besides its keys. */
export interface Circumstances {
  readonly now: Date;
  /** The identity that was proved. */
  readonly subject?: string | undefined;
  readonly audience?: string | undefined;
  /** Those that are served; without them the URL's own. */
  readonly origins?: readonly string[] | undefined;
  /** Where the keys were looked for, if that was told. */
  readonly state?: string | undefined;
}

/** Verifies a request with the keys that are at hand, and holds it against the scope of a stored key as the gateway does. */
export async function verifyAtHand(
  { request, origin }: UrlRequest,
  keys: KeysAtHand,
  { now, subject, ...asked }: Circumstances,
): Promise<Grant> {
  const verifier = await verifierAtHand(schemeEntries(keys, asked), { origin, now });
  const grant = await verifier.verify(request, { subject });
  expectInScope(grant, { record: keys.records.get(grant.keyId), method: request.method, now });
  return grant;
}

/** What is wrong with keys and options is no refusal of the URL. */
async function verifierAtHand(
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

/** The keys that are at hand, in the form of a line's `schemes`. */
function schemeEntries(
  keys: KeysAtHand,
  { audience, origins, state }: Pick<Circumstances, "audience" | "origins" | "state">,
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
        ? "expected a key to verify with, found none: set DAYPASS_KEY or DAYPASS_KEY_FILE, put a cloud's key where its tools look, or give --state or --schemes"
        : `expected a key to verify with in ${state}, found none that is in use: see daypass keys list, and correct --state`,
    );
  }
  return entries;
}

function fromCredentials({ expiration, ...credentials }: { readonly expiration?: Date | undefined }): object {
  return expiration === undefined ? credentials : { ...credentials, expiration: expiration.toISOString() };
}

/** What the gateway asks of its own S3 keys once the signature is right. The scope of a Daypass URL's key its verifier knows. */
function expectInScope(
  grant: Grant & Partial<S3Grant>,
  { record, method, now }: { readonly record: KeyRecord | undefined; readonly method: string; readonly now: Date },
): void {
  const { scheme, bucket, key, notBefore, expiresAt } = grant;
  if (record?.kind !== "s3" || bucket === undefined || schemeOfGrant(grant.scheme) !== "s3") return;
  // SigV2 does not tell when it was signed, and a signed header is no URL.
  const begin = scheme === "s3/v2" ? Math.max(notBefore.getTime(), now.getTime()) : notBefore.getTime();
  const life = scheme === "s3/header" ? 0 : (expiresAt.getTime() - begin) / 1000;
  expectS3Scope(record.scope, { bucket, key, method, life });
  const { until } = record.scope;
  if (until !== undefined && now.getTime() >= Date.parse(until)) throw outsideScope("until");
}
