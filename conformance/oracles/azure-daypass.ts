import type { SignedRequest } from "daypass";
import { azureAccountSigner, azureSigner, azureUserDelegationSigner } from "daypass/azure";
import type { AzureWish } from "../random/azure-wishes.ts";

/** Ours, told the same. */
export function daypassAzure(wish: AzureWish): SignedRequest {
  const { account, endpoint, version, accountKey, userDelegationKey, signedAt } = wish;
  const options = { account, endpoint, version, clock: () => signedAt };
  const common = {
    permissions: wish.permissions,
    notBefore: wish.startsOn,
    expiresAt: wish.expiresOn,
    protocol: wish.protocol,
    encryptionScope: wish.encryptionScope,
    bind: { ip: wish.ip },
  };
  if (wish.kind === "account") {
    const { services, resourceTypes = "", container, blob } = wish;
    return azureAccountSigner({ ...options, credentials: { accountKey } }).sign({
      ...common,
      services,
      resourceTypes,
      container,
      blob,
      dotSegments: "sign",
    });
  }
  const { blob, directory, snapshot, versionId } = wish;
  const target =
    blob !== undefined
      ? { blob, snapshot, versionId }
      : directory !== undefined
        ? { prefix: directory }
        : { resource: "container" as const };
  const resource = {
    ...common,
    ...target,
    container: wish.container ?? "",
    response: wish.response,
    dotSegments: "sign" as const,
  };
  if (userDelegationKey === undefined) {
    const signer = azureSigner({ ...options, credentials: { accountKey } });
    return signer.sign({ ...resource, identifier: wish.identifier });
  }
  return azureUserDelegationSigner({ ...options, credentials: { userDelegationKey } }).sign({
    ...resource,
    permissions: wish.permissions ?? "",
    bind: { ip: wish.ip, headers: wish.headers, query: wish.query },
    agentObjectId: wish.agentObjectId,
    preauthorizedAgentObjectId: wish.preauthorizedAgentObjectId,
    correlationId: wish.correlationId,
    delegatedUserObjectId: wish.delegatedUserObjectId,
  });
}
