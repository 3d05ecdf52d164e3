import { DaypassError } from "daypass";
import type { JsonObject } from "daypass/schemes";
import { checked, mapped, moment, word } from "../../arguments.ts";
import { CommandError, type Context, UsageError } from "../../command.ts";
import { commonFields, given, oneMethod } from "./options.ts";
import type { TargetScheme } from "./target.ts";

/** `az://account/container/blob`, with the account key that Azure's tools would use. */
export const azureTarget: TargetScheme = {
  secret: "credentials",
  name: "blob",
  // The blob is everything behind the container, as it is.
  locate(target) {
    const [, account, container, blob] = /^az:\/\/([^/]+)\/([^/]+)(?:\/(.*))?$/s.exec(target) ?? [];
    if (account === undefined)
      throw new UsageError(`expected az://account/container/blob, found ${JSON.stringify(target)}`);
    return given({ account, container, blob: blob || undefined });
  },
  fields(options) {
    const [ip, second] = options.ip ?? [];
    if (second !== undefined) throw new UsageError("expected one --ip, found several: a SAS has one range");
    return {
      ...commonFields(options),
      ...given({
        version: options["signature-version"],
        method: oneMethod(options),
        endpoint: options.endpoint,
        permissions: options.permissions,
        identifier: options.identifier,
        protocol: mapped(options.protocol, (text) => word("--protocol", text, ["https", "https,http"])),
        prefix: options.prefix,
        notBefore: checked(options.starts, (text) => moment("--starts", text)),
        ip,
        credentialExpiry: options.clamp === true ? "clamp" : undefined,
        dotSegments: options["dot-segments"] === true ? "sign" : undefined,
      }),
    };
  },
  find: async (_, { env }) => ({ fields: { ...accountKey(env) } }),
  complete(line, found) {
    if (line["account"] !== found["account"]) {
      throw new DaypassError(
        "INVALID_INPUT",
        `expected a key of the account ${JSON.stringify(line["account"])}, found one of ${JSON.stringify(found["account"])}: set AZURE_STORAGE_CONNECTION_STRING, or AZURE_STORAGE_ACCOUNT and AZURE_STORAGE_KEY`,
      );
    }
    return line["permissions"] === undefined && line["identifier"] === undefined
      ? { ...line, permissions: usualPermissions(line) }
      : line;
  },
};

/** What a method needs on one blob. On more than one, nobody should have to guess what was given away. */
function usualPermissions({ method = "GET", blob }: JsonObject): string {
  const letters = { GET: "r", HEAD: "r", PUT: "cw", DELETE: "d" }[String(method)];
  if (blob !== undefined && letters !== undefined) return letters;
  throw new DaypassError(
    "INVALID_INPUT",
    "expected permissions for more than a GET, HEAD, PUT or DELETE of one blob, found none: give --permissions, such as rl",
  );
}

// The account and key that everybody knows: https://learn.microsoft.com/azure/storage/common/storage-use-azurite
const DEVELOPMENT: AccountKey = {
  account: "devstoreaccount1",
  credentials: {
    accountKey: "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
  },
  endpoint: "http://127.0.0.1:10000/devstoreaccount1",
};

/** An account with its key, and where it is served if that is not where all are. */
interface AccountKey {
  readonly account: string;
  readonly credentials: { readonly accountKey: string };
  readonly endpoint?: string;
}

/**
 * The account key that Azure's tools would use.
 *
 * Source: https://learn.microsoft.com/azure/storage/common/storage-configure-connection-string
 */
export function accountKey(env: Context["env"]): AccountKey {
  const text = env["AZURE_STORAGE_CONNECTION_STRING"];
  if (text) return fromConnectionString(text);
  const account = env["AZURE_STORAGE_ACCOUNT"];
  const accountKey = env["AZURE_STORAGE_KEY"];
  if (account && accountKey) return { account, credentials: { accountKey } };
  throw new CommandError(
    "expected an Azure account key, found none: set AZURE_STORAGE_CONNECTION_STRING, or AZURE_STORAGE_ACCOUNT and AZURE_STORAGE_KEY",
  );
}

function fromConnectionString(text: string): AccountKey {
  const parts = new Map(
    text.split(";").map((part) => {
      const end = part.indexOf("=");
      return [part.slice(0, end).trim().toLowerCase(), part.slice(end + 1).trim()] as const;
    }),
  );
  if (parts.get("usedevelopmentstorage")?.toLowerCase() === "true") return DEVELOPMENT;
  const account = parts.get("accountname");
  const accountKey = parts.get("accountkey");
  if (!account || !accountKey) {
    throw new CommandError(
      "expected AccountName and AccountKey in AZURE_STORAGE_CONNECTION_STRING, found one of them missing: a SharedAccessSignature cannot sign another",
    );
  }
  const suffix = parts.get("endpointsuffix");
  const protocol = parts.get("defaultendpointsprotocol") || "https";
  const usual =
    suffix || protocol !== "https" ? `${protocol}://${account}.blob.${suffix || "core.windows.net"}` : undefined;
  const endpoint = parts.get("blobendpoint") || usual;
  return { account, credentials: { accountKey }, ...(endpoint === undefined ? {} : { endpoint }) };
}
