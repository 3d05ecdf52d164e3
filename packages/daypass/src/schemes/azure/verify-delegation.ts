import type { PreparedHmac } from "#crypto";
import type { KeyResolver, Verifier, WireRequest } from "../../core/contracts.ts";
import { refusal } from "../../core/errors.ts";
import { type Keys, keyResolver, listOf, whenFound } from "../../core/key-resolver.ts";
import { requireOptions } from "../../core/require-options.ts";
import { malformed, type Parameter } from "../../wire/parameters.ts";
import { groupHeaders, trimBlank } from "../../wire/raw-target.ts";
import {
  type AzureDelegatedKey,
  type AzureUserDelegationKey,
  DELEGATED_PARTS,
  isTimePart,
  prepareKey,
  setDelegationValues,
} from "./credentials.ts";
import type { AzureGrant, BoundParts } from "./grant.ts";
import {
  canonicalHeaders,
  canonicalQuery,
  DELEGATION,
  hasControl,
  isBindableName,
  parseAzureTime,
  type SasValues,
} from "./sas.ts";
import { type AzureVerifyOptions, enforceLevel, sasVerifier } from "./verify.ts";

/** A key that Entra ID lends for an account. */
export interface AzureAccountDelegatedKey extends AzureDelegatedKey {
  readonly account: string;
}

/** The key that a URL names: all of a user delegation key but its value. */
export interface AzureDelegationId extends Omit<AzureUserDelegationKey, "value"> {
  readonly account: string;
  /** First instant at which the key is valid. */
  readonly signedStartsOn: Date;
  /** First instant at which the key is no longer valid. */
  readonly signedExpiresOn: Date;
}

/** @inline */
type Found = AzureAccountDelegatedKey | readonly AzureAccountDelegatedKey[] | undefined;

/** Options of {@link azureUserDelegationVerifier}. */
export interface AzureUserDelegationVerifierOptions extends AzureVerifyOptions {
  /** User delegation keys, or a function that looks up the key that a URL names. */
  readonly credentials: NonNullable<Found> | ((id: AzureDelegationId) => Found | Promise<Found>);
}

/**
 * Verifies Azure Blob Storage URLs with a user delegation SAS of any version since 2018-11-09: everything that `azureVerifier`
 * checks except stored access policies, the times of the user delegation key, the headers and parameters named by `srh` and
 * `srq`, and `sduoid` against `proof.subject`. A SAS with `suoid` is refused, because only Azure can check that user's ACL.
 *
 * Does not check the rights of the user delegation key's owner; the function that looks up the key must. Obligations are those
 * of `azureVerifier`, and a signed Content-MD5.
 *
 * Source: https://learn.microsoft.com/rest/api/storageservices/create-user-delegation-sas
 *
 * @throws {DaypassError} as `azureVerifier`, and `WRONG_SUBJECT`
 * @example
 * ```ts
 * import { type AzureUserDelegationKey, azureUserDelegationVerifier } from "daypass/azure";
 *
 * declare const issued: Map<string, AzureUserDelegationKey>;
 *
 * export const verifier = azureUserDelegationVerifier({
 *   credentials({ account, signedObjectId }) {
 *     const userDelegationKey = issued.get(signedObjectId);
 *     return userDelegationKey && { account, userDelegationKey };
 *   },
 *   origins: ["https://*.blob.core.windows.net"],
 * });
 * ```
 */
export function azureUserDelegationVerifier(options: AzureUserDelegationVerifierOptions): Verifier<AzureGrant> {
  requireOptions(options);
  return sasVerifier(
    {
      kind: DELEGATION,
      keys: delegatedKeys(options.credentials),
      keyId: ({ facts, values }) => idText(facts.account, values),
      readBound,
      enforce(parsed, { subject }) {
        enforceLevel(parsed);
        const { sduoid, suoid } = parsed.values;
        if (sduoid !== undefined && sduoid !== subject) {
          throw refusal("WRONG_SUBJECT", "the SAS is for another user (sduoid) than the proved one");
        }
        if (suoid !== undefined) {
          throw refusal(
            "UNENFORCED_CONSTRAINT",
            "the SAS asks for an ACL check of a user (suoid), which only Azure can do",
            {
              constraint: "suoid",
            },
          );
        }
      },
    },
    options,
  );
}

/** The key that a SAS names, as one text: the form in which a resolver is asked. */
function idText(account: string, values: SasValues): string {
  const id: Record<string, unknown> = { account };
  for (const [parameter, part] of DELEGATED_PARTS) {
    const value = values[parameter];
    id[part] = isTimePart(part) ? parseAzureTime(value) : value;
  }
  return JSON.stringify(id);
}

function readId(id: string): AzureDelegationId {
  return JSON.parse(id, (part, value) => (isTimePart(part) ? new Date(value) : value)) as AzureDelegationId;
}

function delegatedKeys(credentials: AzureUserDelegationVerifierOptions["credentials"]): KeyResolver<PreparedHmac> {
  const idOf = ({ account, userDelegationKey }: AzureAccountDelegatedKey): string =>
    idText(account, setDelegationValues(userDelegationKey, {}));
  const keys: Keys<AzureAccountDelegatedKey> =
    typeof credentials !== "function"
      ? credentials
      : (id: string): readonly AzureAccountDelegatedKey[] | Promise<readonly AzureAccountDelegatedKey[]> => {
          // The found key must be the named key. Otherwise, one key could act for another key's owner.
          const own = (found: Found): readonly AzureAccountDelegatedKey[] =>
            listOf(found).filter((key) => idOf(key) === id);
          return whenFound(credentials(readId(id)), own);
        };
  return keyResolver(keys, idOf, ({ userDelegationKey }) => prepareKey(userDelegationKey?.value));
}

/** What `srh` and `srq` name, each there once; and their lines of the string to sign. */
export function readBound(
  values: SasValues,
  { headers }: WireRequest,
  parameters: ReadonlyMap<string, string>,
): BoundParts {
  const received = groupHeaders(headers);
  const header = named(values, "srh", (name) => listOf(received.get(name.toLowerCase())).map(trimBlank));
  const query = named(values, "srq", (name) => listOf(parameters.get(name)));
  values.HEADERS = canonicalHeaders(header);
  values.QUERY = canonicalQuery(query);
  return { headers: new Map(header.map(([name, value]) => [name.toLowerCase(), value])), query: new Map(query) };
}

function named(
  values: SasValues,
  list: "srh" | "srq",
  find: (name: string) => readonly string[],
): readonly Parameter[] {
  const seen = new Set<string>();
  return (values[list]?.split(",") ?? []).map((name): Parameter => {
    const [value, another] = isBindableName(name) ? find(name) : [];
    if (value === undefined || another !== undefined || hasControl(value) || seen.has(name.toLowerCase())) {
      throw malformed(list, "unmet", "names of what the request has once");
    }
    seen.add(name.toLowerCase());
    return [name, value];
  });
}
