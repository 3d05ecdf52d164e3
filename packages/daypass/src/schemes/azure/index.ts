/**
 * Azure Blob Storage URLs with a shared access signature (SAS): {@link azureSigner} for one resource with an account key,
 * {@link azureUserDelegationSigner} with a key issued by Entra ID, {@link azureAccountSigner} for a whole account, and a
 * verifier for each of them.
 *
 * @module
 */
export { azureAllOperations, azureCopyOperations } from "./all-operations.ts";
export type { AzureDelegatedKey, AzureSharedKey, AzureUserDelegationKey } from "./credentials.ts";
export type { AzureFacts, AzureGrant } from "./grant.ts";
export type { AzureSasKind } from "./layouts.ts";
export { type AzureOperation, azureOperations } from "./operations.ts";
export type { AzureResourceRequest, AzureSasRequest } from "./request.ts";
export type { AzureAccountOptions } from "./sign.ts";
export { type AzureAccountSignRequest, azureAccountSigner } from "./sign-account.ts";
export {
  type AzureUserDelegationSignerOptions,
  type AzureUserDelegationSignRequest,
  azureUserDelegationSigner,
} from "./sign-delegation.ts";
export { type AzureSignerOptions, type AzureSignRequest, azureSigner } from "./sign-service.ts";
export { azureTexts } from "./texts.ts";
export type { AzureVerifyOptions } from "./verify.ts";
export { type AzureAccountVerifierOptions, azureAccountVerifier } from "./verify-account.ts";
export {
  type AzureAccountDelegatedKey,
  type AzureDelegationId,
  type AzureUserDelegationVerifierOptions,
  azureUserDelegationVerifier,
} from "./verify-delegation.ts";
export {
  type AzureAccountKey,
  type AzureStoredPolicy,
  type AzureVerifierOptions,
  azureVerifier,
} from "./verify-service.ts";
