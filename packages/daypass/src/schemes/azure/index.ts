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
export { type AzureOperation, azureOperations } from "./operations.ts";
export type {
  AzureBlobRequest,
  AzureContainerRequest,
  AzureDirectoryRequest,
  AzureResourceRequest,
  AzureSasRequest,
} from "./request.ts";
export type { AzureSasKind } from "./sas.ts";
export {
  type AzureAccountOptions,
  type AzureAccountSignRequest,
  type AzureSignerOptions,
  type AzureSignRequest,
  azureAccountSigner,
  azureSigner,
} from "./sign.ts";
export {
  type AzureUserDelegationSignerOptions,
  type AzureUserDelegationSignRequest,
  azureUserDelegationSigner,
} from "./sign-delegation.ts";
export { azureTexts } from "./texts.ts";
export {
  type AzureAccountKey,
  type AzureAccountVerifierOptions,
  type AzureStoredPolicy,
  type AzureVerifierOptions,
  type AzureVerifyOptions,
  azureAccountVerifier,
  azureVerifier,
} from "./verify.ts";
export {
  type AzureAccountDelegatedKey,
  type AzureDelegationId,
  type AzureUserDelegationVerifierOptions,
  azureUserDelegationVerifier,
} from "./verify-delegation.ts";
