import {
  AccountSASPermissions,
  BlobSASPermissions,
  BlobServiceClient,
  ContainerSASPermissions,
  generateAccountSASQueryParameters,
  generateBlobSASQueryParameters,
  type SASProtocol,
  StorageSharedKeyCredential,
} from "@azure/storage-blob";
import {
  StorageSharedKeyCredential as DataLakeCredential,
  type SASProtocol as DataLakeProtocol,
  DirectorySASPermissions,
  generateDataLakeSASQueryParameters,
} from "@azure/storage-file-datalake";
import type { AzureWish } from "../random/azure-wishes.ts";

/** The SAS that Azure's SDKs make of a wish: \@azure/storage-blob, or \@azure/storage-file-datalake for a directory. */
export function sdkSas(wish: AzureWish): string {
  if (wish.kind === "account") return accountSas(wish);
  return wish.directory === undefined ? blobSas(wish) : directorySas(wish);
}

/** The URL that the SDK makes of it, by its clients for the account, container or blob; `name` where these cannot have the blob's. */
export function sdkUrl(wish: AzureWish, name = wish.blob ?? wish.directory): string {
  const client = resourceClient(wish, name);
  // As the SDK's generateSasUrl puts it at the end.
  const url = new URL(client.url);
  url.search = url.search === "" ? `?${sdkSas(wish)}` : `${url.search}&${sdkSas(wish)}`;
  return url.toString();
}

function resourceClient(wish: AzureWish, name: string | undefined): { readonly url: string } {
  const service = new BlobServiceClient(wish.endpoint);
  if (wish.container === undefined) return service;
  const container = service.getContainerClient(wish.container);
  if (name === undefined) return container;
  const blob = container.getBlobClient(name);
  if (wish.snapshot !== undefined) return blob.withSnapshot(wish.snapshot);
  return wish.versionId === undefined ? blob : blob.withVersion(wish.versionId);
}

function accountSas(wish: AzureWish): string {
  return generateAccountSASQueryParameters(
    {
      ...conditions(wish),
      expiresOn: wish.expiresOn as Date,
      permissions: AccountSASPermissions.parse(wish.permissions ?? ""),
      services: wish.services ?? "",
      resourceTypes: wish.resourceTypes ?? "",
    },
    new StorageSharedKeyCredential(wish.account, wish.accountKey),
  ).toString();
}

function blobSas(wish: AzureWish): string {
  const { permissions } = wish;
  const values = {
    ...conditions(wish),
    containerName: wish.container ?? "",
    blobName: wish.blob,
    snapshotTime: wish.snapshot,
    versionId: wish.versionId,
    expiresOn: wish.expiresOn,
    permissions:
      permissions === undefined
        ? undefined
        : wish.blob === undefined
          ? ContainerSASPermissions.parse(permissions)
          : BlobSASPermissions.parse(permissions),
    identifier: wish.identifier,
    ...wish.response,
    preauthorizedAgentObjectId: wish.preauthorizedAgentObjectId,
    correlationId: wish.correlationId,
    delegatedUserObjectId: wish.delegatedUserObjectId,
    requestHeaders: wish.headers,
    requestQueryParameters: wish.query,
  };
  const sas =
    wish.userDelegationKey === undefined
      ? generateBlobSASQueryParameters(values, new StorageSharedKeyCredential(wish.account, wish.accountKey))
      : generateBlobSASQueryParameters(values, wish.userDelegationKey, wish.account);
  return sas.toString();
}

function directorySas(wish: AzureWish): string {
  const values = {
    ...conditions(wish),
    protocol: wish.protocol as DataLakeProtocol | undefined,
    fileSystemName: wish.container ?? "",
    pathName: wish.directory,
    isDirectory: true,
    expiresOn: wish.expiresOn,
    permissions: wish.permissions === undefined ? undefined : DirectorySASPermissions.parse(wish.permissions),
    identifier: wish.identifier,
    ...wish.response,
    agentObjectId: wish.agentObjectId,
    preauthorizedAgentObjectId: wish.preauthorizedAgentObjectId,
    correlationId: wish.correlationId,
    delegatedUserObjectId: wish.delegatedUserObjectId,
    requestHeaders: wish.headers,
    requestQueryParameters: wish.query,
  };
  const sas =
    wish.userDelegationKey === undefined
      ? generateDataLakeSASQueryParameters(values, new DataLakeCredential(wish.account, wish.accountKey))
      : generateDataLakeSASQueryParameters(values, wish.userDelegationKey, wish.account);
  return sas.toString();
}

function conditions(wish: AzureWish) {
  const [start, end] = wish.ip?.split("-") ?? [];
  return {
    version: wish.version,
    startsOn: wish.startsOn,
    ipRange: start === undefined ? undefined : { start, end },
    protocol: wish.protocol as SASProtocol | undefined,
    encryptionScope: wish.encryptionScope,
  };
}
