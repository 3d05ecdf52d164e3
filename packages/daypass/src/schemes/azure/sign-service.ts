import type { Clock, Signer } from "../../core/contracts.ts";
import type { RequestRules } from "../../core/validate-options.ts";
import { type AzureSharedKey, readSharedKey } from "./credentials.ts";
import { SERVICE } from "./layouts.ts";
import { type AzureResourceRequest, INSTEAD, readTarget } from "./request.ts";
import { type AzureAccountOptions, sasSigner } from "./sign.ts";

/** One service SAS to sign. */
export interface AzureSignRequest extends AzureResourceRequest {
  /**
   * A stored access policy of the container, at most 64 characters. Omit here what the policy sets (start, end,
   * permissions), and set everything else. Removing the policy revokes every URL that names it.
   */
  readonly identifier?: string | undefined;
}

/** Options of {@link azureSigner}. */
export interface AzureSignerOptions extends AzureAccountOptions {
  /** An account key, or a function that returns the current one. */
  readonly credentials: AzureSharedKey | (() => AzureSharedKey);
  /** What to do if the credentials' `expiration` is before the URL's: refuse (default) or shorten the URL's lifetime. */
  readonly credentialExpiry?: "refuse" | "clamp" | undefined;
  readonly clock?: Clock | undefined;
}

/**
 * Signs Azure Blob Storage URLs with a service SAS: one blob, snapshot, version, directory or container, with an account key.
 *
 * Binds the resource, permissions, times, one range of client addresses, the protocol, the encryption scope and the response
 * headers. The method is not signed, but follows from the permissions. Headers, further parameters
 * (`azureUserDelegationSigner` can sign them) and the body are not signed. With `identifier` and no expiry, the result's
 * `expiresAt` is the latest possible date, because only the policy defines the expiry.
 *
 * Source: https://learn.microsoft.com/rest/api/storageservices/create-service-sas
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `sign` also `INVALID_EXPIRY`,
 * `DOT_SEGMENTS`, `UNSUPPORTED_CONSTRAINT`, `CREDENTIALS_EXPIRE_FIRST`, `CREDENTIALS_NOT_READY`
 * @example
 * ```ts
 * import { azureSigner } from "daypass/azure";
 *
 * const azure = azureSigner({
 *   account: "myaccount",
 *   credentials: { accountKey: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" },
 * });
 * const download = azure.sign({ container: "media", blob: "talks/keynote.mp4", permissions: "r", expiresIn: 900 });
 * const upload = azure.sign({ container: "media", blob: "in/a.png", permissions: "cw", expiresIn: 900 });
 * console.log(download.url, upload.method, upload.headers); // … PUT { "x-ms-blob-type": "BlockBlob" }
 * ```
 */
export function azureSigner(options: AzureSignerOptions): Signer<AzureSignRequest> {
  return sasSigner(
    {
      kind: SERVICE,
      rules: RULES,
      readKey: readSharedKey,
      readRequest(request, values) {
        values.si = request.identifier;
        return readTarget(request, values);
      },
    },
    options,
  );
}

const RULES: RequestRules = {
  scheme: "an Azure SAS",
  known:
    /^(?:container|blob|prefix|snapshot|versionId|identifier|permissions|method|protocol|encryptionScope|dotSegments|notBefore|expires(?:In|At)|stableWindow|bind(?:\.ip)?|response(?:\.(?:cacheControl|content(?:Disposition|Encoding|Language|Type)))?)$/,
  instead: INSTEAD,
};
