import { DaypassError, type Verifier } from "daypass";
import {
  type AzureAccountDelegatedKey,
  type AzureAccountKey,
  type AzureDelegatedKey,
  type AzureSasKind,
  type AzureSharedKey,
  type AzureVerifierOptions,
  type AzureVerifyOptions,
  azureAccountVerifier,
  azureAllOperations,
  azureCopyOperations,
  azureUserDelegationVerifier,
  azureVerifier,
} from "daypass/azure";
import type { AzureExplainKey } from "daypass/explain";
import { ACCOUNT_KEY } from "./azure-credentials.ts";
import {
  checked,
  type Fields,
  fields,
  type JsonObject,
  missing,
  nested,
  number,
  oneOf,
  oneOrMore,
  text,
  textList,
} from "./fields.ts";
import { instant } from "./instant.ts";
import { credentialsOf, type LineCredentials } from "./line-credentials.ts";
import { type DialectVerifier, ENFORCES, type LineContext } from "./line-scheme.ts";
import { ownOrigin } from "./origins.ts";

const POLICY = nested(
  fields({ account: text, container: text, identifier: text, startsOn: text, expiresOn: text, permissions: text }),
);
const KEY = nested(ACCOUNT_KEY);

const ENTRY: Fields = fields({
  scheme: text,
  kind: oneOf("service", "account", "user-delegation"),
  version: text,
  account: text,
  endpoint: text,
  origins: textList,
  credentials: oneOrMore(KEY),
  policies: {
    expected: `a list, each ${POLICY.expected}`,
    accepts: (value) => Array.isArray(value) && value.every((item) => POLICY.accepts(item)),
  },
  operations: { expected: '"all" or a list of names', accepts: (value) => value === "all" || textList.accepts(value) },
  maxLife: number,
});

interface AzureEntry {
  readonly kind?: AzureSasKind;
  /** The signer's own: the one that is taken. */
  readonly version?: string;
  /** Whose the credentials and policies are that do not say. */
  readonly account?: string | undefined;
  readonly endpoint?: string;
  readonly origins?: readonly string[];
  readonly credentials?: EntryKey | readonly EntryKey[];
  readonly policies?: readonly EntryPolicy[];
  readonly operations?: "all" | readonly string[];
  readonly maxLife?: number;
}

type EntryKey = LineCredentials<AzureSharedKey | AzureDelegatedKey> & { readonly account?: string };

interface EntryPolicy {
  readonly account?: string;
  readonly container: string;
  readonly identifier: string;
  readonly startsOn?: string;
  readonly expiresOn?: string;
  readonly permissions?: string;
}

/** The keys of an entry with `"scheme":"azure"`. Throws `INVALID_INPUT` for a misspelt one. */
export function azureEntryKeys(object: JsonObject): readonly AzureExplainKey[] {
  return keysOf(checked(object, ENTRY));
}

function keysOf({ account, credentials }: AzureEntry): readonly AzureExplainKey[] {
  const keys = [credentials ?? []].flat();
  return keys.map((key) => ({ account, ...credentialsOf<AzureSharedKey | AzureDelegatedKey>(key) }));
}

/** The verifiers of an entry with `"scheme":"azure"`: that of its kind, or all for which it has keys. */
export function azureLineVerifiers(object: JsonObject, context: LineContext): readonly DialectVerifier[] {
  const given = checked<AzureEntry>(object, ENTRY);
  const { account = accountAt(given.endpoint ?? context.origin) } = given;
  const entry = { ...given, account };
  const keys = keysOf(entry);
  if (keys.some((key) => key.account === undefined))
    throw missing("account", "give it in the entry, as no account can be told from this host");
  const shared = keys.filter((key) => "accountKey" in key) as readonly AzureAccountKey[];
  const delegated = keys.filter((key) => "userDelegationKey" in key) as readonly AzureAccountDelegatedKey[];
  const common = { ...place(entry, context), ...operations(entry), maxLife: entry.maxLife, clock: context.clock };
  const options = { ...common, enforces: ENFORCES };
  const wants = (kind: AzureSasKind, list: readonly unknown[]): boolean =>
    list.length > 0 && (entry.kind ?? kind) === kind;
  const verifiers: DialectVerifier[] = [];
  if (wants("service", shared))
    verifiers.push(["azure/service", azureVerifier({ ...options, credentials: shared, policies: policies(entry) })]);
  if (wants("account", shared))
    verifiers.push(["azure/account", azureAccountVerifier({ ...options, credentials: shared })]);
  if (wants("user-delegation", delegated))
    verifiers.push(["azure/user-delegation", azureUserDelegationVerifier({ ...options, credentials: delegated })]);
  const isWhole = keys.length === shared.length + delegated.length;
  if (isWhole && verifiers.length > 0) return verifiers.map((one) => ofVersion(entry.version, one));
  throw missing("credentials for the kind", "give an accountKey, or a userDelegationKey");
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
    throw new DaypassError("WRONG_SCOPE", `expected sv ${version}, found ${found}: the entry names this version`);
  };
  return [dialect, { detects: verifier.detects, verify }];
}

/** Where requests are taken. A domain of one's own names no account, neither as host nor in the path. */
function place({ endpoint, origins, account }: AzureEntry, { origin }: LineContext): Place {
  if (endpoint === undefined) return { origins: origins ?? [ownOrigin(origin)], account: undefined };
  const [, start, path] = /^(https?:\/\/[^/]+)(?:\/([^/]*))?\/?$/.exec(endpoint) ?? [];
  if (start === undefined || origins !== undefined || (path && path !== account)) {
    throw new DaypassError(
      "INVALID_INPUT",
      `expected endpoint as scheme://host or scheme://host/account, without origins, found ${JSON.stringify(endpoint)}`,
    );
  }
  return { origins: [ownOrigin(start)], account: path ? undefined : account };
}

type Place = Pick<AzureVerifyOptions, "account" | "origins">;

function operations({ operations: asked }: AzureEntry): Pick<AzureVerifyOptions, "operations"> {
  if (asked === undefined) return {};
  if (asked === "all") return { operations: azureAllOperations };
  const found = [...azureAllOperations, ...azureCopyOperations].filter(([name]) => asked.includes(name));
  const unknown = asked.find((name) => !found.some(([known]) => known === name));
  if (unknown === undefined) return { operations: found };
  throw new DaypassError("INVALID_INPUT", `expected names of operations, found ${JSON.stringify(unknown)}`);
}

function policies(entry: AzureEntry): AzureVerifierOptions["policies"] {
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
