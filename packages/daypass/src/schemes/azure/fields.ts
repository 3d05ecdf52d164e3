import type { Verifier } from "../../core/contracts.ts";
import { DaypassError } from "../../core/errors.ts";
import {
  anyOfKinds,
  instant,
  type Kinds,
  listOf,
  missing,
  number,
  oneOf,
  oneOrMore,
  record,
  text,
  textList,
} from "../../core/fields.ts";
import { byVersion, dated, ownOrigin, STORE_REQUEST } from "../../core/line-fields.ts";
import type { DialectVerifier, EntryContext, LineSigner, SchemeFields, SignFields } from "../../core/scheme.ts";
import { unchecked } from "../../core/unchecked.ts";
import {
  type AzureAccountDelegatedKey,
  type AzureAccountKey,
  type AzureSasKind,
  type AzureVerifierOptions,
  type AzureVerifyOptions,
  azureAccountSigner,
  azureAccountVerifier,
  azureAllOperations,
  azureCopyOperations,
  azureSigner,
  azureUserDelegationSigner,
  azureUserDelegationVerifier,
  azureVerifier,
} from "./index.ts";

const DELEGATION = record({
  signedObjectId: text,
  signedTenantId: text,
  signedStartsOn: text,
  signedExpiresOn: text,
  signedService: text,
  signedVersion: text,
  signedDelegatedUserTenantId: text,
  value: text,
});
const SHARED: Kinds = { accountKey: text, expiration: text };
const DELEGATED: Kinds = { userDelegationKey: DELEGATION, expiration: text };

const { query: _, headers: __, ...STORED } = STORE_REQUEST;
const REQUEST: Kinds = {
  container: text,
  blob: text,
  permissions: text,
  protocol: text,
  encryptionScope: text,
  identifier: text,
  ip: text,
  ...STORED,
};
// Only a line for a container needs `resource`. In others it follows from the other fields, and must agree with them.
const RESOURCE: Kinds = { resource: text, snapshot: text, versionId: text };
const AGENTS: Kinds = {
  delegatedUserObjectId: text,
  preauthorizedAgentObjectId: text,
  agentObjectId: text,
  correlationId: text,
};

/** Lines of one kind of SAS. */
function kind(make: (options: never) => LineSigner, credentials: Kinds, more: Kinds): SignFields {
  const hint = `give ${Object.keys(credentials)[0]} in each line`;
  return {
    options: {
      kind: text,
      version: text,
      account: text,
      endpoint: text,
      credentials: record(credentials),
      credentialExpiry: oneOf("refuse", "clamp"),
    },
    request: { ...REQUEST, ...more },
    required: {
      account: "name the storage account",
      credentials: hint,
      [`credentials.${Object.keys(credentials)[0]}`]: hint,
    },
    signer: ({ kind: _, ...options }: { readonly kind?: string }) => make(unchecked(options)),
    prepare,
  };
}

/** A line of any kind. Its `resource` is a word of the SAS (`sr`), or `container`. */
type SasLine = Partial<Record<"resource" | "blob" | "prefix" | "snapshot" | "versionId", string>>;

function prepare({ resource: given, ...line }: SasLine): object {
  const resource = given === "container" ? "c" : given;
  // The word of a SAS for a prefix.
  const isDirectory = resource === "d" && line.prefix === undefined;
  const request = isDirectory ? { ...line, blob: undefined, prefix: line.blob } : line;
  const { blob, prefix, snapshot, versionId } = request;
  const time = snapshot !== undefined ? "bs" : versionId !== undefined ? "bv" : "b";
  const actual = blob !== undefined ? time : prefix !== undefined ? "d" : "c";
  if (resource === undefined) return request;
  if (resource === actual) return actual === "c" ? { ...request, resource: "container" } : request;
  throw new DaypassError(
    "INVALID_INPUT",
    `resource is ${JSON.stringify(given)}, and the other fields say ${JSON.stringify(actual)}. Correct one of them`,
  );
}

const POLICY: Kinds = {
  account: text,
  container: text,
  identifier: text,
  startsOn: text,
  expiresOn: text,
  permissions: text,
};

interface Entry {
  readonly kind?: AzureSasKind;
  /** The version of the signer: URLs of other versions are refused. */
  readonly version?: string;
  /** The account of credentials and policies that name none. */
  readonly account?: string | undefined;
  readonly endpoint?: string;
  readonly origins?: readonly string[];
  readonly credentials?: EntryKey | readonly EntryKey[];
  readonly policies?: readonly EntryPolicy[];
  readonly operations?: "all" | readonly string[];
  readonly maxLife?: number;
}

type EntryKey = AzureAccountKey | AzureAccountDelegatedKey;

interface EntryPolicy {
  readonly account?: string;
  readonly container: string;
  readonly identifier: string;
  readonly startsOn?: string;
  readonly expiresOn?: string;
  readonly permissions?: string;
}

/** Lines of Azure Blob Storage: service, account and user delegation SAS. */
export const fields: SchemeFields = {
  line: byVersion(
    {
      service: kind(azureSigner, SHARED, RESOURCE),
      account: kind(azureAccountSigner, SHARED, { services: text, resourceTypes: text }),
      "user-delegation": kind(azureUserDelegationSigner, DELEGATED, { ...RESOURCE, ...AGENTS }),
    },
    "kind",
  ),
  entry: {
    kind: oneOf("service", "account", "user-delegation"),
    version: text,
    account: text,
    endpoint: text,
    origins: textList,
    credentials: oneOrMore(record({ account: text, ...SHARED, ...DELEGATED })),
    policies: {
      ...listOf(record(POLICY)),
      accepts: (value) => Array.isArray(value) && value.every(record(POLICY).accepts),
    },
    operations: anyOfKinds('"all" or a list of names', oneOf("all"), textList),
    maxLife: number,
  },
  verifiers(given: Entry, context: EntryContext) {
    const { account = accountAt(given.endpoint ?? context.origin) } = given;
    const entry = { ...given, account };
    const keys = keysOf(entry);
    if (keys.some((key) => key.account === undefined))
      throw missing("account", "give it in the entry, because this host does not name it");
    const shared = keys.filter((key) => "accountKey" in key);
    const delegated = keys.filter((key) => "userDelegationKey" in key);
    const { clock, enforces } = context;
    const options = { ...place(entry, context), ...operations(entry), maxLife: entry.maxLife, clock, enforces };
    const all: readonly (readonly [AzureSasKind, readonly EntryKey[], () => Verifier])[] = [
      ["service", shared, () => azureVerifier({ ...options, credentials: shared, policies: policies(entry) })],
      ["account", shared, () => azureAccountVerifier({ ...options, credentials: shared })],
      ["user-delegation", delegated, () => azureUserDelegationVerifier({ ...options, credentials: delegated })],
    ];
    const wanted = all.filter(([name, list]) => list.length > 0 && (entry.kind ?? name) === name);
    if (keys.length !== shared.length + delegated.length || wanted.length === 0)
      throw missing("credentials for the kind", "give an accountKey, or a userDelegationKey");
    return wanted.map(([name, , make]) => ofVersion(entry.version, [`azure/${name}`, make()]));
  },
  explainKeys: keysOf,
};

function keysOf({ account, credentials }: Entry): readonly EntryKey[] {
  return [credentials ?? []].flat().map((key) => ({ ...(account && { account }), ...dated(key) }) as EntryKey);
}

/** The account that a place names: Azure's hosts begin with it, and the path of an emulator's endpoint is it. */
function accountAt(place: string): string | undefined {
  const [, host, path] =
    /^https?:\/\/(?:([a-z0-9]+)(?:-secondary)?\.(?:z\d\d?\.)?blob\.|[^/]+\/([^/]+))/i.exec(place) ?? [];
  return host?.toLowerCase() ?? path;
}

/** A verifier of the URLs of one version. */
function ofVersion(version: string | undefined, [dialect, verifier]: DialectVerifier): DialectVerifier {
  if (version === undefined) return [dialect, verifier];
  const verify: Verifier["verify"] = async (request, proof) => {
    const grant = await verifier.verify(request, proof);
    const [, found] = /[?&]sv=([^&]*)/.exec(request.target) ?? [];
    if (found === version) return grant;
    throw new DaypassError("WRONG_SCOPE", `the SAS has sv ${found}, and the entry accepts ${version}`);
  };
  return [dialect, { detects: verifier.detects, verify }];
}

/** Where requests are received. A custom domain does not contain the account name, and neither does its path. */
function place(
  { endpoint, origins, account }: Entry,
  { origin }: EntryContext,
): Pick<AzureVerifyOptions, "account" | "origins"> {
  if (endpoint === undefined) return { origins: origins ?? [ownOrigin(origin)], account: undefined };
  const [, start, path] = /^(https?:\/\/[^/]+)(?:\/([^/]*))?\/?$/.exec(endpoint) ?? [];
  if (start !== undefined && origins === undefined && (!path || path === account))
    return { origins: [ownOrigin(start)], account: path ? undefined : account };
  const found = JSON.stringify(endpoint);
  throw new DaypassError(
    "INVALID_INPUT",
    `endpoint is ${found}. Pass scheme://host or scheme://host/account, without origins`,
  );
}

function operations({ operations: asked }: Entry): Pick<AzureVerifyOptions, "operations"> {
  if (asked === undefined) return {};
  if (asked === "all") return { operations: azureAllOperations };
  const found = [...azureAllOperations, ...azureCopyOperations].filter(([name]) => asked.includes(name));
  const unknown = asked.find((name) => !found.some(([known]) => known === name));
  if (unknown === undefined) return { operations: found };
  throw new DaypassError("INVALID_INPUT", `${JSON.stringify(unknown)} is not the name of an operation`);
}

function policies(entry: Entry): AzureVerifierOptions["policies"] {
  const known = (entry.policies ?? []).map(({ account = entry.account, startsOn, expiresOn, ...policy }) => ({
    ...policy,
    account,
    startsOn: startsOn === undefined ? undefined : instant("startsOn", startsOn),
    expiresOn: expiresOn === undefined ? undefined : instant("expiresOn", expiresOn),
  }));
  return (account, container, identifier) =>
    known.find(
      (policy) => policy.account === account && policy.container === container && policy.identifier === identifier,
    );
}
