import type { ReceivedRequest } from "../../core/contracts.ts";
import { malformed } from "../../wire/parameters.ts";
import { percentDecode } from "../../wire/raw-target.ts";

/** Where a request points to, decoded. Without a container it is for the account, without a blob for the container. */
export interface AzureLocation {
  readonly account: string;
  readonly container: string | undefined;
  readonly blob: string | undefined;
}

// `https://account.blob.core.windows.net`, `https://account-secondary.blob…`, `https://account.z1.blob.storage.azure.net`.
const ACCOUNT_HOST = /^https?:\/\/([a-z0-9-]+)\.(?:z\d\d?\.)?blob\./;
const CONTAINER = /^(?:\$[a-z]+|[a-z0-9]+(?:-[a-z0-9]+)*)$/;

/** Azure gives names of 3 characters at least; emulators and tests have shorter ones. */
export function isAccountName(text: unknown): boolean {
  return typeof text === "string" && /^[a-z0-9]{1,24}$/.test(text);
}

/** "Letters, numbers and dashes, each dash between letters or numbers", or one of the service's own such as `$web`. */
export function isContainerName(text: unknown): boolean {
  return typeof text === "string" && text.length < 64 && CONTAINER.test(text);
}

/** "Azure Storage Server will replace \\ with / in the blob names" (\@azure/storage-blob, Clients.ts): the signature covers the replaced name. */
export function azureName(name: string): string {
  return name.replaceAll("\\", "/");
}

/**
 * What a request points to. The account is the host's first label before `blob.`, or what the `*` of an origin stands for,
 * or the configured one; else the first segment of the path, as with Azurite. The blob's name is the decoded rest.
 */
export function azureLocation(
  { wire, origin, wildcard }: ReceivedRequest,
  configured: string | undefined,
): AzureLocation {
  const ofHost = ACCOUNT_HOST.exec(origin)?.[1] ?? (wildcard || configured);
  const segments = wire.path.slice(1).split("/");
  // The read-only twin of an account signs with the account's name.
  const account = percentDecode(ofHost ?? segments.shift() ?? "").replace(/-secondary$/, "");
  const container = percentDecode(segments.shift() ?? "");
  const blob = azureName(percentDecode(segments.join("/")));
  if (!isAccountName(account)) throw malformed("path", "account", "up to 24 lower-case letters and digits");
  if (container + blob !== "" && !isContainerName(container)) {
    throw malformed("path", "container", "up to 63 lower-case letters, digits and dashes");
  }
  return { account, container: container || undefined, blob: blob || undefined };
}
