import type { ErrorCode, ObligationKind } from "daypass";
import {
  type AzureGrant,
  azureAccountVerifier,
  azureAllOperations,
  azureUserDelegationVerifier,
  azureVerifier,
} from "daypass/azure";
import { expectRefusal } from "../wire-request.ts";
import { ACCOUNT, AT, CREDENTIALS, DELEGATION_KEY } from "./fixture.ts";
import { type RawSas, rawRequest } from "./raw-sas.ts";

const enforces: readonly ObligationKind[] = ["create-only", "response", "encryption-scope", "body-checksum"];
export const options = {
  credentials: { account: ACCOUNT, accountKey: CREDENTIALS.accountKey },
  origins: ["https://*.blob.core.windows.net", "http://127.0.0.1:10000", "http://plain.blob.local"],
  enforces,
  clock: () => AT,
};
export const service = azureVerifier(options);
export const account = azureAccountVerifier({ ...options, operations: azureAllOperations });
export const delegation = azureUserDelegationVerifier({
  ...options,
  credentials: { account: ACCOUNT, userDelegationKey: DELEGATION_KEY },
});
export const verify = (raw: RawSas = {}): Promise<AzureGrant> => service.verify(rawRequest(raw));
export const refuse = (raw: RawSas, code?: ErrorCode): Promise<void> => expectRefusal(verify(raw), code);
