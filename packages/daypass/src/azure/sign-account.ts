import { credentialSource } from "../access-key.ts";
import { invalidInput } from "../errors.ts";
import { checkKey } from "../object-request.ts";
import type { Signer } from "../scheme.ts";
import { signer } from "../signed-request.ts";
import { systemClock } from "../time.ts";
import { checkSharedKey, preparedKeys } from "./credentials.ts";
import { ACCOUNT } from "./layouts.ts";
import { azureName, isContainerName } from "./location.ts";
import { orderLetters } from "./permissions.ts";
import { type AzureSasRequest, refuseUnbindable } from "./request.ts";
import { azureEndpoint, CENTURY, setWindow, signSas } from "./sign.ts";
import type { AzureSignerOptions } from "./sign-service.ts";

/** One account SAS to sign. */
export interface AzureAccountSignRequest extends AzureSasRequest {
  /** Letters of `btqf`: blobs, tables, queues, files. Blobs alone by default. */
  readonly services?: string | undefined;
  /** Letters of `sco`: calls on the service, on containers, on objects. */
  readonly resourceTypes: string;
  /** What the URL points to. It is not signed: an account SAS opens every container. */
  readonly container?: string | undefined;
  readonly blob?: string | undefined;
}

/**
 * Signs Azure Storage URLs with an account SAS: everything of the given kinds in a whole account. Prefer `azureSigner`
 * wherever one container will do: whoever holds such a URL can point it to any other blob.
 *
 * Binds the account, services, kinds of resources, permissions, times, one range of client addresses, the protocol and the
 * encryption scope. Neither container nor blob, method, headers, parameters or body.
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
  const { account, version, credentialExpiry, clock = systemClock } = options;
  const endpoint = azureEndpoint(options);
  const credentials = credentialSource(options.credentials, checkSharedKey);
  const keyOf = preparedKeys();

  return signer((request) => {
    const { services = "b", resourceTypes, container, dotSegments } = request;
    const blob = request.blob === undefined ? undefined : azureName(String(request.blob));
    if (blob !== undefined) checkKey(blob, dotSegments, "blob");
    if (container === undefined ? blob !== undefined : !isContainerName(container)) {
      throw invalidInput("container", "up to 63 lower-case letters, digits and dashes", container);
    }
    refuseUnbindable(request, { prefix: SERVICE, response: SERVICE, identifier: SERVICE });
    const { accountKey, expiration } = credentials();
    const permissions = orderLetters(request.permissions, ACCOUNT.order);
    const values = new Map([
      ["ACCOUNT", account],
      ["sp", permissions],
      ["ss", orderLetters(services, "btqf")],
      ["srt", orderLetters(resourceTypes, "sco")],
    ]);
    const window = setWindow(values, request, {
      now: clock(),
      maxSeconds: CENTURY,
      expiration,
      credentialExpiry,
    });
    return signSas(request, {
      kind: ACCOUNT,
      endpoint,
      key: keyOf(accountKey),
      version,
      path: [container, blob],
      values,
      query: [],
      headers: {},
      expiresAt: window.expiresAt as Date,
      bound: ["account", "services", "resource types"],
      warnings: /[wdcau]/.test(permissions) ? [...window.warnings, WIDE] : window.warnings,
    });
  });
}

const SERVICE = "use azureSigner";
const WIDE = "an account SAS with these permissions changes blobs in every container: prefer azureSigner";
