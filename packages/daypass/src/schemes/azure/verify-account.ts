import type { Verifier } from "../../core/contracts.ts";
import type { Keys } from "../../core/key-resolver.ts";
import { outOfScope } from "./enforce.ts";
import type { AzureGrant } from "./grant.ts";
import { ACCOUNT } from "./layouts.ts";
import { type AzureVerifyOptions, sasVerifier } from "./verify.ts";
import { type AzureAccountKey, accountKeys } from "./verify-service.ts";

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
 * @throws {DaypassError} those of `azureVerifier`
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
