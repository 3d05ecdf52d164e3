import type { PreparedHmac } from "#crypto";
import { refusal } from "../errors.ts";
import { keyResolver } from "../key-resolver.ts";
import { malformed, type Parameter } from "../parameters.ts";
import type { KeyResolver, Verifier, WireRequest } from "../scheme.ts";
import { headerValues } from "../wire.ts";
import { canonicalHeaders, canonicalQuery, isBindableName } from "./bound.ts";
import { hasControl, type SasValues } from "./canonical.ts";
import { type AzureDelegatedKey, type AzureUserDelegationKey, delegationValues, prepareKey } from "./credentials.ts";
import type { AzureGrant } from "./grant.ts";
import { DELEGATION } from "./layouts.ts";
import type { BoundParts, ParsedSas } from "./parse.ts";
import { formatAzureTime, parseAzureTime } from "./time.ts";
import { type AzureVerifyOptions, enforceLevel, sasVerifier, termsOfUrl } from "./verify.ts";

/** A key that Entra ID lends for an account. */
export interface AzureAccountDelegatedKey extends AzureDelegatedKey {
  readonly account: string;
}

/** The key that a URL names: all of a user delegation key but its value. */
export interface AzureDelegationId extends Omit<AzureUserDelegationKey, "value"> {
  readonly account: string;
  readonly signedStartsOn: Date;
  readonly signedExpiresOn: Date;
}

type Found = AzureAccountDelegatedKey | readonly AzureAccountDelegatedKey[] | undefined;

/** Options of {@link azureUserDelegationVerifier}. */
export interface AzureUserDelegationVerifierOptions extends AzureVerifyOptions {
  /** User delegation keys, or a function that finds the one that a URL names. */
  readonly credentials: Found | ((id: AzureDelegationId) => Found | Promise<Found>);
}

/**
 * Verifies Azure Blob Storage URLs with a user delegation SAS of any version from 2018-11-09 on: all that `azureVerifier`
 * checks but stored access policies, the times of the user delegation key, the headers and parameters that `srh` and `srq`
 * name, and `sduoid` against `proof.subject`. A SAS with `suoid` is refused: Azure would check that user's ACL.
 *
 * Does not know what the owner of the user delegation key may do himself: whoever finds the key has to. Obligations are those
 * of `azureVerifier`, and a signed Content-MD5.
 *
 * Source: https://learn.microsoft.com/rest/api/storageservices/create-user-delegation-sas
 *
 * @throws {DaypassError} those of `azureVerifier`, and `WRONG_SUBJECT`
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
  return sasVerifier(
    {
      kind: DELEGATION,
      keys: delegatedKeys(options.credentials),
      keyId,
      readBound,
      terms: termsOfUrl,
      enforce(parsed, { subject }) {
        enforceLevel(parsed);
        const user = parsed.values.get("sduoid");
        if (user !== undefined && user !== subject) {
          throw refusal("WRONG_SUBJECT", "the proved user that the SAS is for (sduoid), found another or none");
        }
        if (parsed.values.has("suoid")) {
          throw refusal("UNENFORCED_CONSTRAINT", "no ACL check of a user (suoid), which only Azure can do", {
            constraint: "suoid",
          });
        }
      },
    },
    options,
  );
}

/** The key that a SAS names, as one text: the form in which a resolver is asked. */
function keyId({ account, values }: ParsedSas): string {
  const text = (name: string): string => values.get(name) ?? "";
  const time = (name: string): string => formatAzureTime(parseAzureTime(text(name)) ?? new Date(0));
  const names = [text("skoid"), text("sktid"), time("skt"), time("ske"), text("sks"), text("skv"), text("skdutid")];
  return JSON.stringify([account, ...names.filter((name) => name !== "")]);
}

function idOf({ account, userDelegationKey }: AzureAccountDelegatedKey): string {
  return JSON.stringify([account, ...delegationValues(userDelegationKey).map(([, value]) => value)]);
}

function readId(id: string): AzureDelegationId {
  const [account = "", signedObjectId = "", signedTenantId = "", starts = "", ends = "", ...rest] = JSON.parse(
    id,
  ) as readonly string[];
  const [signedService = "", signedVersion = "", signedDelegatedUserTenantId] = rest;
  const [signedStartsOn, signedExpiresOn] = [new Date(starts), new Date(ends)];
  return {
    ...{ account, signedObjectId, signedTenantId, signedStartsOn, signedExpiresOn },
    ...{ signedService, signedVersion, signedDelegatedUserTenantId },
  };
}

function delegatedKeys(credentials: AzureUserDelegationVerifierOptions["credentials"]): KeyResolver<PreparedHmac> {
  // What a function has found must be what the URL names, or one key would speak for another's owner.
  const find = (id: string): readonly AzureAccountDelegatedKey[] | Promise<readonly AzureAccountDelegatedKey[]> => {
    const own = (keys: Found): readonly AzureAccountDelegatedKey[] =>
      [keys ?? []].flat().filter((key) => idOf(key) === id);
    const found = typeof credentials === "function" ? credentials(readId(id)) : credentials;
    return found instanceof Promise ? found.then(own) : own(found);
  };
  const keys = typeof credentials === "function" ? find : [credentials ?? []].flat();
  return keyResolver(keys, idOf, ({ userDelegationKey }) => prepareKey(userDelegationKey.value));
}

/** What `srh` and `srq` name, each there once; and their lines of the string to sign. */
export function readBound(
  values: Map<string, string>,
  { headers }: WireRequest,
  parameters: ReadonlyMap<string, string>,
): BoundParts {
  const bound = {
    headers: named(values, "srh", (name) => headerValues(headers, name.toLowerCase())),
    query: named(values, "srq", (name) => [parameters.get(name) ?? []].flat()),
  };
  values.set("HEADERS", canonicalHeaders(bound.headers));
  values.set("QUERY", canonicalQuery(bound.query));
  return bound;
}

function named(
  values: SasValues,
  list: "srh" | "srq",
  find: (name: string) => readonly string[],
): readonly Parameter[] {
  const seen = new Set<string>();
  return (values.get(list)?.split(",") ?? []).map((name): Parameter => {
    const [value, another] = isBindableName(name) ? find(name) : [];
    if (value === undefined || another !== undefined || hasControl(value) || seen.has(name.toLowerCase())) {
      throw malformed(list, "unmet", "names of what the request has once");
    }
    seen.add(name.toLowerCase());
    return [name, list === "srh" ? value.trim() : value];
  });
}
