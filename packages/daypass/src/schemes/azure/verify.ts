import { constantTimeEqual, type PreparedHmac } from "#crypto";
import type { KeyResolver, Proof, Scheme, Verifier } from "../../core/contracts.ts";
import { invalidInput, refusal } from "../../core/errors.ts";
import { type Keys, keyResolver } from "../../core/key-resolver.ts";
import { requireOptions } from "../../core/require-options.ts";
import { checkMaxLife, checkRemaining, checkValidity } from "../../core/time.ts";
import { type VerifierOptions, verifier } from "../../core/verify.ts";
import { type AzureSharedKey, azureSignature, prepareKey } from "./credentials.ts";
import {
  type AzureGrant,
  azureGrant,
  azureObligations,
  enforcePermissions,
  enforceSender,
  notGranted,
  outOfScope,
  type ParsedSas,
} from "./grant.ts";
import { isAccountName } from "./location.ts";
import { type AzureOperation, azureOperations, operationFinder } from "./operations.ts";
import { parseSas, type SasReader, sasKindOf } from "./parse.ts";
import { ACCOUNT, arePermissions, azureStringToSign, permittedMethods, type SasKind, SERVICE } from "./sas.ts";

/** Options of every Azure verifier. */
export interface AzureVerifyOptions extends VerifierOptions {
  /** The account for origins that do not name one, e.g. a custom domain. */
  readonly account?: string | undefined;
  /**
   * The operations that are permitted, `azureOperations` by default: to get, put, list and delete blobs. `azureAllOperations`
   * has the rest.
   */
  readonly operations?: readonly AzureOperation[] | undefined;
  /** Longest remaining lifetime of a URL, in seconds. Azure itself has no maximum for account keys. */
  readonly maxLife?: number | undefined;
}

/** What sets one kind of SAS apart for its verifier. */
export interface SasRules {
  readonly kind: SasKind;
  readonly keys: KeyResolver<PreparedHmac>;
  /** Names the key, as `keys` knows it. */
  keyId(parsed: ParsedSas): string;
  readonly readBound?: SasReader["readBound"];
  /** Runs after the signature has matched and before all other checks: adds the fields of a stored policy. */
  matched?(parsed: ParsedSas): Promise<void>;
  /** Refuses what is out of scope for this kind. */
  enforce(parsed: ParsedSas, proof: Proof): void;
}

const DUMMY_KEY: PreparedHmac = /* @__PURE__ */ prepareKey("AAAA");

/** Builds the verifier of one kind of SAS. */
export function sasVerifier(rules: SasRules, options: AzureVerifyOptions): Verifier<AzureGrant> {
  const { kind } = rules;
  const { operations = azureOperations, maxLife } = options;
  checkMaxLife(maxLife);
  const reader = { ...rules, account: options.account, findOperation: operationFinder(operations) };
  const scheme: Scheme<ParsedSas, PreparedHmac, AzureGrant> = {
    id: "azure",
    detect: (request) => sasKindOf(request) === kind.name,
    parse: (received) => parseSas(received, reader),
    keyId: rules.keyId,
    dummyKey: DUMMY_KEY,
    wildcards: true,
    async check(_received, parsed, key) {
      const stringToSign = azureStringToSign(kind, parsed.values);
      const matches = constantTimeEqual(azureSignature(key, stringToSign), parsed.values.sig ?? "");
      if (matches) await rules.matched?.(parsed);
      return { matches, stringToSign };
    },
    checkTime: ({ startsAt, endsAt }, now) => checkValidity(now, endsAt, startsAt),
    grant({ request, origin }, parsed, { now, proof, stringToSign }) {
      const { facts, values, startsAt, endsAt } = parsed;
      checkRemaining(now, endsAt, maxLife);
      rules.enforce(parsed, proof);
      enforcePermissions(parsed);
      enforceSender(values, origin, request.remoteAddress);
      return azureGrant(
        {
          scheme: "azure",
          keyId: values.skoid ?? facts.account,
          // Breaking a lease is a PUT that the letter for DELETE permits.
          methods: [...new Set([...permittedMethods(facts.permissions), request.method])],
          notBefore: startsAt,
          expiresAt: endsAt,
          obligations: azureObligations(parsed),
          target: request.target,
        },
        facts,
        stringToSign,
      );
    },
  };
  return verifier(scheme, rules.keys, options);
}

/** "A service SAS cannot grant access to certain operations": of a container it can list and search the blobs. */
export function enforceLevel({ operation: { name, level, permissions } }: ParsedSas): void {
  if (level !== "o" && !/^[lf]$/.test(permissions)) throw notGranted(name, "an account SAS");
}

/** One of the two keys of an account. */
export interface AzureAccountKey extends AzureSharedKey {
  readonly account: string;
}

/** A stored access policy: what a URL leaves out, with the names of \@azure/storage-blob. */
export interface AzureStoredPolicy {
  /** First instant of validity. */
  readonly startsOn?: Date | undefined;
  /** First instant at which a URL is no longer valid. */
  readonly expiresOn?: Date | undefined;
  /** Letters, as in `AzureSasRequest.permissions`. */
  readonly permissions?: string | undefined;
}

/** Options of {@link azureVerifier}. */
export interface AzureVerifierOptions extends AzureVerifyOptions {
  /**
   * Keys by their account, or a function that looks them up. Both keys of an account may be given.
   *
   * `origins` may contain `https://*.blob.core.windows.net`: the host's first label is then the account. For other
   * hosts, it is the first segment of the path, unless `account` is set.
   */
  readonly credentials: Keys<AzureAccountKey>;
  /** Looks up a stored access policy (`si`). Without this function, or if it finds none, a SAS that names a policy is refused. */
  readonly policies?:
    | ((
        account: string,
        container: string,
        identifier: string,
      ) => AzureStoredPolicy | null | undefined | Promise<AzureStoredPolicy | null | undefined>)
    | undefined;
}

/**
 * Verifies Azure Blob Storage URLs with a service SAS of any version since 2015-04-05: grammar, signature, times,
 * stored access policy, permissions, `sip` (against `request.remoteAddress`) and `spr` (against the scheme of the configured
 * origin). `azureUserDelegationVerifier` and `azureAccountVerifier` are for the other kinds; combine them with `anyOf`.
 *
 * A service SAS does not sign the method, headers or parameters. So each request must be one of the permitted `operations`, and
 * any `x-ms-*` header or parameter that is not in that operation's list is refused. Act on `grant.operation`,
 * `grant.container` and `grant.blob`, not on the method alone.
 *
 * Does not read the body, write or respond: create-only (permission `c` without `w`), response headers and the encryption
 * scope are obligations of the grant.
 *
 * Source: https://learn.microsoft.com/rest/api/storageservices/create-service-sas
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `verify`: `NO_SIGNATURE`, `MALFORMED`,
 * `AMBIGUOUS_AUTHENTICATION`, `WRONG_ORIGIN`, `UNKNOWN_KEY`, `SIGNATURE_MISMATCH`, `EXPIRED`, `NOT_YET_VALID`,
 * `WRONG_SCOPE`, `KEY_SCOPE`, `METHOD_NOT_GRANTED`, `UNSIGNED_HEADER`, `UNSIGNED_PARAMETER`, `IP_NOT_GRANTED`,
 * `UNENFORCED_CONSTRAINT`
 * @example
 * ```ts
 * import { azureVerifier } from "daypass/azure";
 *
 * export const verifier = azureVerifier({
 *   credentials: { account: "myaccount", accountKey: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" },
 *   origins: ["https://*.blob.core.windows.net", "http://127.0.0.1:10000"],
 *   enforces: ["create-only", "response"],
 * });
 * ```
 */
export function azureVerifier(options: AzureVerifierOptions): Verifier<AzureGrant> {
  requireOptions(options);
  const { credentials, policies } = options;
  return sasVerifier(
    {
      kind: SERVICE,
      keys: accountKeys(credentials),
      keyId: ({ facts }) => facts.account,
      async matched(parsed) {
        const { facts, values } = parsed;
        // What a policy store throws is its own fault, and rejects.
        if (values.si !== undefined)
          addPolicy(parsed, await policies?.(facts.account, facts.container as string, values.si));
      },
      enforce: enforceLevel,
    },
    options,
  );
}

/** A resolver of account keys by their account. */
export function accountKeys(credentials: Keys<AzureAccountKey>): KeyResolver<PreparedHmac> {
  return keyResolver(
    credentials,
    ({ account }) => account,
    ({ account, accountKey }) => {
      if (isAccountName(account)) return prepareKey(accountKey);
      throw invalidInput("credentials.account", "up to 24 lower-case letters and digits", account);
    },
  );
}

/**
 * Adds the fields of the stored policy. Azure: "Access policy fields can be associated with signature or SAS identifier but not
 * both". Deleting a policy revokes its URLs.
 */
function addPolicy(parsed: ParsedSas, policy: AzureStoredPolicy | null | undefined): void {
  const { facts, values } = parsed;
  const { startsOn, expiresOn, permissions } = policy ?? {};
  parsed.startsAt = startsOn || parsed.startsAt;
  parsed.endsAt = expiresOn || parsed.endsAt;
  parsed.facts = { ...facts, permissions: facts.permissions || permissions || "" };
  if (
    !policy ||
    (startsOn && values.st) ||
    !expiresOn === !values.se ||
    !permissions === !values.sp ||
    // Written so that an invalid date refuses.
    !(parsed.startsAt < parsed.endsAt) ||
    !arePermissions(SERVICE, "c", parsed.facts.permissions)
  ) {
    throw refusal("KEY_SCOPE", "the stored policy (si) is unknown, or sets what the URL sets, too", {
      parameter: "si",
    });
  }
}

/** Options of {@link azureAccountVerifier}. */
export interface AzureAccountVerifierOptions extends AzureVerifyOptions {
  /** Keys by their account, or a function that looks them up. Both keys of an account may be given. */
  readonly credentials: Keys<AzureAccountKey>;
}

/**
 * Verifies Azure Storage URLs with an account SAS of any version since 2015-04-05. Such a SAS grants every container of an
 * account, so only this function accepts it. For what is checked and what is not, see `azureVerifier`.
 * The request must also be within the signed services (`ss`) and resource types (`srt`).
 *
 * Operations on containers and on the account itself are in `azureAllOperations`.
 *
 * Source: https://learn.microsoft.com/rest/api/storageservices/create-account-sas
 *
 * @throws {DaypassError} as `azureVerifier`
 * @example
 * ```ts
 * import { anyOf } from "daypass";
 * import { azureAccountVerifier, azureAllOperations, azureVerifier } from "daypass/azure";
 *
 * const options = {
 *   credentials: { account: "myaccount", accountKey: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" },
 *   origins: ["https://*.blob.core.windows.net"],
 * };
 * export const verifier = anyOf(
 *   azureVerifier(options),
 *   azureAccountVerifier({ ...options, operations: azureAllOperations }),
 * );
 * ```
 */
export function azureAccountVerifier(options: AzureAccountVerifierOptions): Verifier<AzureGrant> {
  requireOptions(options);
  return sasVerifier(
    {
      kind: ACCOUNT,
      keys: accountKeys(options.credentials),
      keyId: ({ facts }) => facts.account,
      enforce({ values: { ss, srt }, operation: { level } }) {
        if (!ss?.includes("b")) throw outOfScope("ss", "blobs");
        if (!srt?.includes(level)) throw outOfScope("srt", level);
      },
    },
    options,
  );
}
