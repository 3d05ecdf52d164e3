import type { Signer } from "../../core/contracts.ts";
import { invalidInput } from "../../core/errors.ts";
import type { RequestRules } from "../../core/validate-options.ts";
import { readSharedKey } from "./credentials.ts";
import { ACCOUNT } from "./layouts.ts";
import { orderLetters } from "./permissions.ts";
import { type AzureSasRequest, checkContainer, INSTEAD, readName } from "./request.ts";
import { sasSigner } from "./sign.ts";
import type { AzureSignerOptions } from "./sign-service.ts";

/** One account SAS to sign. */
export interface AzureAccountSignRequest extends AzureSasRequest {
  /** Letters of `btqf`: blobs, tables, queues, files. Blobs alone by default. */
  readonly services?: string | undefined;
  /** Letters of `sco`: calls on the service, on containers, on objects. */
  readonly resourceTypes: string;
  /** The container in the URL. It is not signed: an account SAS grants every container. */
  readonly container?: string | undefined;
  /** The blob's name, exactly, in that container. */
  readonly blob?: string | undefined;
}

/**
 * Signs Azure Storage URLs with an account SAS, which grants all resources of the given types in a whole account. Prefer
 * `azureSigner` if one container is enough: the holder of an account SAS can use it for any other blob.
 *
 * Binds the account, services, resource types, permissions, times, one range of client addresses, the protocol and the
 * encryption scope. Does not bind container, blob, method, headers, parameters or body.
 *
 * Source: https://learn.microsoft.com/rest/api/storageservices/create-account-sas
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `sign` also `INVALID_EXPIRY`,
 * `DOT_SEGMENTS`, `UNSUPPORTED_CONSTRAINT`, `CREDENTIALS_EXPIRE_FIRST`, `CREDENTIALS_NOT_READY`
 * @example
 * ```ts
 * import { azureAccountSigner } from "daypass/azure";
 *
 * const azure = azureAccountSigner({
 *   account: "myaccount",
 *   credentials: { accountKey: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" },
 * });
 * export const { url } = azure.sign({ resourceTypes: "co", permissions: "rl", protocol: "https", expiresIn: 900 });
 * ```
 */
export function azureAccountSigner(options: AzureSignerOptions): Signer<AzureAccountSignRequest> {
  return sasSigner(
    {
      kind: ACCOUNT,
      rules: RULES,
      readKey: readSharedKey,
      readRequest(request, values) {
        const { container, blob, permissions = "" } = request;
        values.ss = orderLetters("services", request.services ?? "b", "btqf");
        values.srt = orderLetters("resourceTypes", request.resourceTypes, "sco");
        if (container !== undefined) checkContainer(container);
        else if (blob !== undefined) throw invalidInput("container", "one beside blob", container);
        return {
          container,
          name: blob === undefined ? undefined : readName(blob, request.dotSegments, "blob"),
          bound: ["account", "services", "resource types"],
          open: "container and blob",
          warnings: /[wdcau]/.test(permissions) ? [WIDE] : [],
        };
      },
    },
    options,
  );
}

const WIDE = "an account SAS with these permissions changes blobs in every container: prefer azureSigner";

const BY_SERVICE = "use azureSigner";
const RULES: RequestRules = {
  scheme: "an account SAS",
  known:
    /^(?:container|blob|services|resourceTypes|permissions|method|protocol|encryptionScope|dotSegments|notBefore|expires(?:In|At)|stableWindow|bind(?:\.ip)?)$/,
  instead: { ...INSTEAD, prefix: BY_SERVICE, response: BY_SERVICE, identifier: BY_SERVICE },
};
