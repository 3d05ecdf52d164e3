import type { Clock, Signer } from "../../core/contracts.ts";
import { invalidInput, refusal } from "../../core/errors.ts";
import { optionPairs, type RequestRules, unsupportedConstraint } from "../../core/validate-options.ts";
import type { Parameter } from "../../wire/parameters.ts";
import { type AzureDelegatedKey, readDelegatedKey } from "./credentials.ts";
import { type AzureResourceRequest, readTarget } from "./request.ts";
import { canonicalHeaders, canonicalQuery, DELEGATION, hasControl, isBindableName } from "./sas.ts";
import { type AzureAccountOptions, sasSigner } from "./sign.ts";

/** One user delegation SAS to sign, with the names of \@azure/storage-blob and \@azure/storage-file-datalake. */
export type AzureUserDelegationSignRequest = AzureResourceRequest & {
  readonly permissions: string;
  /** The one user (object id in Entra ID) who may use the URL, and only with a token of his own. */
  readonly delegatedUserObjectId?: string | undefined;
  /** A user that the signer vouches for: the service checks no ACL for this user. */
  readonly preauthorizedAgentObjectId?: string | undefined;
  /** A user whose ACLs the service checks. */
  readonly agentObjectId?: string | undefined;
  /** A GUID for the service's logs. */
  readonly correlationId?: string | undefined;
};

/** Options of {@link azureUserDelegationSigner}. */
export interface AzureUserDelegationSignerOptions extends AzureAccountOptions {
  /** A user delegation key, or a function that returns the current one (see `rotatingCredentials`). */
  readonly credentials: AzureDelegatedKey | (() => AzureDelegatedKey);
  /** What to do if the key expires before the URL would: refuse (default) or shorten the URL's lifetime. */
  readonly credentialExpiry?: "refuse" | "clamp" | undefined;
  readonly clock?: Clock | undefined;
}

/**
 * Signs Azure Blob Storage URLs with a user delegation SAS: one blob, snapshot, version, directory or container, with a key
 * that Entra ID issues for at most seven days. The URL grants what its permissions say, limited to the rights of the key's owner.
 *
 * Binds the same as `azureSigner` except stored access policies; since version 2026-04-06 also headers and parameters
 * (`bind.headers`, `bind.contentType`, `bind.contentLength`, `bind.query`), which the holder must then send.
 *
 * Source: https://learn.microsoft.com/rest/api/storageservices/create-user-delegation-sas
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `sign` also `INVALID_EXPIRY`,
 * `DOT_SEGMENTS`, `UNSUPPORTED_CONSTRAINT`, `CREDENTIALS_EXPIRE_FIRST`, `CREDENTIALS_NOT_READY`
 * @example
 * ```ts
 * import { rotatingCredentials } from "daypass";
 * import { type AzureUserDelegationKey, azureUserDelegationSigner } from "daypass/azure";
 *
 * // new BlobServiceClient(url, new DefaultAzureCredential()) of @azure/storage-blob is one.
 * declare const service: { getUserDelegationKey(startsOn: Date, expiresOn: Date): Promise<AzureUserDelegationKey> };
 *
 * const HOUR = 3_600_000;
 * const credentials = rotatingCredentials(async () => {
 *   const userDelegationKey = await service.getUserDelegationKey(new Date(), new Date(Date.now() + 6 * HOUR));
 *   return { userDelegationKey, expiration: new Date(userDelegationKey.signedExpiresOn) };
 * });
 * export const azure = azureUserDelegationSigner({ account: "myaccount", credentials: credentials.current });
 * ```
 */
export function azureUserDelegationSigner(
  options: AzureUserDelegationSignerOptions,
): Signer<AzureUserDelegationSignRequest> {
  return sasSigner(
    {
      kind: DELEGATION,
      rules: RULES,
      readKey: readDelegatedKey,
      readRequest(request, values) {
        for (const [parameter, option] of OPTIONS) {
          // Only the given options: an object with many properties is slow.
          if (request[option] !== undefined) values[parameter] = request[option];
        }
        if (values.saoid !== undefined && values.suoid !== undefined) {
          throw refusal("INVALID_INPUT", "preauthorizedAgentObjectId and agentObjectId are both set. Leave one out");
        }
        const target = readTarget(request, values);
        const headers = boundHeaders(request);
        const query = boundQuery(request);
        values.srh = listed(headers);
        values.srq = listed(query);
        values.HEADERS = canonicalHeaders(headers);
        values.QUERY = canonicalQuery(query);
        const sent = headers.map(([header, value]): Parameter => [header.toLowerCase(), value]);
        return {
          ...target,
          query,
          headers: Object.fromEntries(sent),
          bound: [
            ...target.bound,
            ...sent.map(([header]) => `header ${header}`),
            ...query.map(([parameter]) => `parameter ${parameter}`),
          ],
        };
      },
    },
    options,
  );
}

const RULES: RequestRules = {
  scheme: "a user delegation SAS",
  known:
    /^(?:container|blob|prefix|resource|snapshot|versionId|(?:preauthorizedA|a)gentObjectId|correlationId|delegatedUserObjectId|permissions|method|protocol|encryptionScope|dotSegments|notBefore|expires(?:In|At)|stableWindow|bind(?:\.(?:ip|content(?:Type|Length)|headers|query))?|response(?:\.(?:cacheControl|content(?:Disposition|Encoding|Language|Type)))?)$/,
  instead: {
    "bind.sha256": "use the gateway",
    identifier: "use azureSigner",
    "response.expires": "use cacheControl",
  },
};
const OPTIONS = [
  ["saoid", "preauthorizedAgentObjectId"],
  ["suoid", "agentObjectId"],
  ["scid", "correlationId"],
  ["sduoid", "delegatedUserObjectId"],
] as const;

function listed(pairs: readonly Parameter[]): string | undefined {
  return pairs.map(([name]) => name).join(",") || undefined;
}

// The server removes spaces around a header's value.
const HEADER_VALUE = /^(?! )[\x20-\x7e]*(?<! )$/;

function boundHeaders({ bind }: AzureUserDelegationSignRequest): readonly Parameter[] {
  const { contentType, contentLength, headers } = bind ?? {};
  if (typeof contentLength === "object") {
    throw unsupportedConstraint("an Azure SAS", "a range of lengths", "bind the exact length");
  }
  if (!/^\d+$/.test(String(contentLength ?? 0)))
    throw invalidInput("bind.contentLength", "a whole number of bytes", contentLength);
  const fixed = Object.entries({ "content-type": contentType, "content-length": contentLength?.toString() });
  const pairs = new Map<string, Parameter>();
  for (const [name, value] of [...optionPairs<string | undefined>("bind.headers", headers), ...fixed]) {
    if (value === undefined) continue;
    const lower = name.toLowerCase();
    const isBindable = isBindableName(name) && !/^(?:host|authorization)$/.test(lower) && HEADER_VALUE.test(value);
    // A twin would be signed in its place, or beside it.
    if (!isBindable || typeof value !== "string" || (pairs.get(lower)?.[1] ?? value) !== value) {
      throw invalidInput(`header ${name}`, "one line of ASCII text, and not host or authorization", "another");
    }
    pairs.set(lower, pairs.get(lower) ?? [name, value]);
  }
  return [...pairs.values()];
}

// These are the signer's own.
const SAS_PARAMETER = /^(?:s[a-z]{1,6}|rs[a-z]{2}|snapshot|versionid)$/;

function boundQuery({ bind }: AzureUserDelegationSignRequest): readonly Parameter[] {
  return optionPairs<unknown>("bind.query", bind?.query).map(([name, value]): Parameter => {
    if (typeof value !== "string" || hasControl(value) || !isBindableName(name) || SAS_PARAMETER.test(name)) {
      throw invalidInput(`bind.query.${name}`, "one string without control characters", value);
    }
    return [name, value];
  });
}
