import { CommandError, type Context } from "../command.ts";

/** A storage account with its key. */
export interface AzureAccount {
  readonly account: string;
  readonly credentials: { readonly accountKey: string };
  /** Missing for the usual endpoint. */
  readonly endpoint?: string;
}

// The published account of the emulator: https://learn.microsoft.com/azure/storage/common/storage-use-azurite
const EMULATOR: AzureAccount = {
  account: "devstoreaccount1",
  credentials: {
    accountKey: "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
  },
  endpoint: "http://127.0.0.1:10000/devstoreaccount1",
};

/**
 * The account that Azure's tools would use.
 *
 * Source: https://learn.microsoft.com/azure/storage/common/storage-configure-connection-string
 */
export function azureAccount(env: Context["env"]): AzureAccount {
  const text = env["AZURE_STORAGE_CONNECTION_STRING"];
  if (text) return parseConnectionString(text);
  const account = env["AZURE_STORAGE_ACCOUNT"];
  const accountKey = env["AZURE_STORAGE_KEY"];
  if (account && accountKey) return { account, credentials: { accountKey } };
  throw new CommandError(
    "there is no Azure account key. Set AZURE_STORAGE_CONNECTION_STRING, or AZURE_STORAGE_ACCOUNT and AZURE_STORAGE_KEY",
  );
}

function parseConnectionString(text: string): AzureAccount {
  const parts = new Map(
    text.split(";").map((part) => {
      const end = part.indexOf("=");
      return [part.slice(0, end).trim().toLowerCase(), part.slice(end + 1).trim()] as const;
    }),
  );
  if (parts.get("usedevelopmentstorage")?.toLowerCase() === "true") return EMULATOR;
  const account = parts.get("accountname");
  const accountKey = parts.get("accountkey");
  if (!account || !accountKey) {
    throw new CommandError(
      "AZURE_STORAGE_CONNECTION_STRING has no AccountName or no AccountKey. Set both: a SharedAccessSignature cannot sign another",
    );
  }
  const suffix = parts.get("endpointsuffix");
  const protocol = parts.get("defaultendpointsprotocol") || "https";
  const usual =
    suffix || protocol !== "https" ? `${protocol}://${account}.blob.${suffix || "core.windows.net"}` : undefined;
  const endpoint = parts.get("blobendpoint") || usual;
  return { account, credentials: { accountKey }, ...(endpoint === undefined ? {} : { endpoint }) };
}
