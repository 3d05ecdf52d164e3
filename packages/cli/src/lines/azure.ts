import { DaypassError } from "daypass";
import {
  type AzureAccountOptions,
  type AzureAccountSignRequest,
  type AzureDelegatedKey,
  type AzureSasKind,
  type AzureSharedKey,
  type AzureSignRequest,
  type AzureUserDelegationSignRequest,
  azureAccountSigner,
  azureSigner,
  azureUserDelegationSigner,
} from "daypass/azure";
import { DELEGATED_KEY, SHARED_KEY } from "./azure-credentials.ts";
import { azureEntryKeys, azureLineVerifiers } from "./azure-entry.ts";
import { BIND } from "./bindings.ts";
import { cache } from "./cache.ts";
import {
  checked,
  describe,
  type FieldKind,
  type Fields,
  fields,
  missing,
  nested,
  oneOf,
  text,
  textMap,
} from "./fields.ts";
import { LIFETIME, type LineLifetime, lifetime, signingTime } from "./lifetime.ts";
import { credentialsOf, type LineCredentials } from "./line-credentials.ts";
import type { LineScheme, SignLine } from "./line-scheme.ts";
import { type TimedSigner, timedSigner } from "./timed-signer.ts";

/** Lines of the scheme `azure`: service, account and user delegation SAS. */
export const azureLineScheme: LineScheme = {
  signer: azureLineSigner,
  verifiers: azureLineVerifiers,
  explainKeys: azureEntryKeys,
};

/** What any of the three signers can be asked for; those that cannot do it refuse it. */
type SasRequest = AzureSignRequest & AzureAccountSignRequest & AzureUserDelegationSignRequest;

/** A line of `sign --batch` with `"scheme":"azure"`, once its fields have been checked. */
interface AzureLine extends Omit<SasRequest, keyof LineLifetime>, LineLifetime, Omit<AzureAccountOptions, "account"> {
  readonly kind?: AzureSasKind;
  readonly account?: string;
  readonly credentials?: LineCredentials<AzureSharedKey & AzureDelegatedKey>;
  readonly credentialExpiry?: "refuse" | "clamp";
  /** `sr`: it follows from what is signed, and is checked where it is there. */
  readonly resource?: string;
  /** Another word for `bind.ip`. */
  readonly ip?: string;
}

interface SasKind {
  readonly fields: Fields;
  make(line: AzureLine, account: string): TimedSigner<SasRequest>;
}

const COMMON: Readonly<Record<string, FieldKind>> = {
  ...{ scheme: text, kind: text, version: text, account: text, endpoint: text },
  credentialExpiry: oneOf("refuse", "clamp"),
  ...{ container: text, blob: text, permissions: text, method: text, protocol: text, encryptionScope: text },
  ...LIFETIME,
  ...{ ip: text, bind: nested(BIND), response: textMap, prefix: text, identifier: text },
  dotSegments: oneOf("refuse", "sign"),
};
const RESOURCE: Readonly<Record<string, FieldKind>> = { resource: text, snapshot: text, versionId: text };

/** One function of the library for each kind: only the command line has a switch. */
const KINDS: ReadonlyMap<unknown, SasKind> = new Map<AzureSasKind, SasKind>([
  [
    "service",
    {
      fields: fields({ ...COMMON, ...RESOURCE, credentials: SHARED_KEY }),
      make: (line, account) => timedSigner((clock) => azureSigner({ ...signerOptions(line, account), clock })),
    },
  ],
  [
    "account",
    {
      fields: fields({ ...COMMON, services: text, resourceTypes: text, credentials: SHARED_KEY }),
      make: (line, account) => timedSigner((clock) => azureAccountSigner({ ...signerOptions(line, account), clock })),
    },
  ],
  [
    "user-delegation",
    {
      fields: fields({
        ...COMMON,
        ...RESOURCE,
        ...{ delegatedUserObjectId: text, preauthorizedAgentObjectId: text, agentObjectId: text, correlationId: text },
        credentials: DELEGATED_KEY,
      }),
      make: (line, account) =>
        timedSigner((clock) => azureUserDelegationSigner({ ...signerOptions(line, account), clock })),
    },
  ],
]);

// Signers are kept by their options, so that a key is checked and prepared once.
function azureLineSigner(): SignLine {
  const signers = cache<TimedSigner<SasRequest>>();
  return (object) => {
    const kind = kindOf(object["kind"]);
    const line = checked<AzureLine>(object, kind.fields);
    const { version, account, endpoint, credentials, credentialExpiry } = line;
    const time = signingTime(line);
    if (account === undefined) throw missing("account", "name the storage account");
    const name = JSON.stringify([line.kind, version, account, endpoint, credentials, credentialExpiry]);
    return signers(name, () => kind.make(line, account)).sign(sasRequest(line), time);
  };
}

function kindOf(kind: unknown = "service"): SasKind {
  const found = KINDS.get(kind);
  if (found !== undefined) return found;
  const shown = typeof kind === "string" ? JSON.stringify(kind).slice(0, 40) : describe(kind);
  const known = [...KINDS.keys()].map((word) => JSON.stringify(word)).join(" or ");
  throw new DaypassError("INVALID_INPUT", `expected kind ${known}, found ${shown}: leave it out for a service SAS`);
}

function signerOptions({ version, endpoint, credentials, credentialExpiry }: AzureLine, account: string) {
  if (credentials === undefined || Object.keys(credentials).every((name) => name === "expiration"))
    throw missing("credentials", "give the accountKey or the userDelegationKey in each line");
  return {
    account,
    version,
    endpoint,
    credentialExpiry,
    credentials: credentialsOf<AzureSharedKey & AzureDelegatedKey>(credentials),
  };
}

/** The library's request. All that a line can say is handed on, so that what a kind cannot bind is refused by its signer. */
function sasRequest(line: AzureLine): SasRequest {
  const { resource, ip } = line;
  if (ip !== undefined && line.bind?.ip !== undefined)
    throw new DaypassError("INVALID_INPUT", "expected ip or bind.ip, found both: leave one out");
  // The word of a SAS for what `prefix` is.
  const isDirectory = resource === "d" && line.prefix === undefined;
  // Named, not spread: this runs for every line of a manifest.
  const { expiresIn, expiresAt, stableWindow, notBefore } = lifetime(line);
  const request = {
    container: line.container,
    blob: isDirectory ? undefined : line.blob,
    prefix: isDirectory ? line.blob : line.prefix,
    snapshot: line.snapshot,
    versionId: line.versionId,
    permissions: line.permissions,
    method: line.method,
    protocol: line.protocol,
    encryptionScope: line.encryptionScope,
    identifier: line.identifier,
    services: line.services,
    resourceTypes: line.resourceTypes,
    delegatedUserObjectId: line.delegatedUserObjectId,
    preauthorizedAgentObjectId: line.preauthorizedAgentObjectId,
    agentObjectId: line.agentObjectId,
    correlationId: line.correlationId,
    bind: ip === undefined ? line.bind : { ...line.bind, ip },
    response: line.response,
    dotSegments: line.dotSegments,
    expiresIn,
    expiresAt,
    stableWindow,
    notBefore,
  };
  if (resource !== undefined) checkResource(resource, request);
  return request;
}

function checkResource(
  resource: string,
  { blob, prefix, snapshot, versionId }: Pick<SasRequest, "blob" | "prefix" | "snapshot" | "versionId">,
): void {
  const time = snapshot !== undefined ? "bs" : versionId !== undefined ? "bv" : "b";
  const actual = blob !== undefined ? time : prefix !== undefined ? "d" : "c";
  if (resource === actual) return;
  throw new DaypassError(
    "INVALID_INPUT",
    `expected resource ${JSON.stringify(actual)}, as the other fields say, found ${JSON.stringify(resource)}: correct one of them`,
  );
}
