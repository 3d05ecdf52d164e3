import { randomKey, randomText } from "./keys.ts";
import type { Random } from "./seeded.ts";

export type AzureKind = "service" | "account" | "user-delegation";

/** A user delegation key as `getUserDelegationKey` gives it. */
export interface DelegationKey {
  readonly signedObjectId: string;
  readonly signedTenantId: string;
  readonly signedStartsOn: Date;
  readonly signedExpiresOn: Date;
  readonly signedService: string;
  readonly signedVersion: string;
  readonly signedDelegatedUserTenantId?: string;
  readonly value: string;
}

/** One SAS to sign, with options that the official SDK has. */
export interface AzureWish {
  readonly kind: AzureKind;
  readonly version: string;
  readonly account: string;
  readonly endpoint: string;
  /** base64 */
  readonly accountKey: string;
  readonly userDelegationKey?: DelegationKey;
  readonly container?: string;
  readonly blob?: string;
  readonly directory?: string;
  readonly snapshot?: string;
  readonly versionId?: string;
  readonly permissions?: string;
  readonly startsOn?: Date;
  readonly expiresOn?: Date;
  readonly ip?: string;
  readonly protocol?: "https" | "https,http";
  readonly identifier?: string;
  readonly encryptionScope?: string;
  readonly response: Readonly<Record<string, string>>;
  readonly services?: string;
  readonly resourceTypes?: string;
  readonly preauthorizedAgentObjectId?: string;
  readonly agentObjectId?: string;
  readonly correlationId?: string;
  readonly delegatedUserObjectId?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly signedAt: Date;
}

/** Versions on both sides of each change of what is signed, and some between. */
const VERSIONS = [
  ...["2015-04-05", "2016-05-31", "2017-11-09", "2018-03-28", "2018-11-09", "2019-02-02", "2019-07-07", "2019-10-10"],
  ...["2019-12-12", "2020-02-10", "2020-04-08", "2020-08-04", "2020-10-02", "2020-12-06", "2021-02-12", "2021-04-10"],
  ...["2022-11-02", "2023-11-03", "2024-11-04", "2025-05-05", "2025-07-05", "2025-11-05", "2026-02-06", "2026-04-06"],
  // The first is the newest version that Azurite knows, the second the newest of the SDK.
  ...["2026-06-06", "2026-10-06"],
] as const;

const BLOB_LETTERS = "racwdxtmeiy";
const CONTAINER_LETTERS = "racwdxltmeiyf";
const DIRECTORY_LETTERS = "racwdlmeop";
const ACCOUNT_LETTERS = "rwdxftlacupiy";
const SINCE: Readonly<Record<string, string>> = {
  ...{ x: "2019-10-10", y: "2019-10-10", t: "2019-12-12", m: "2020-02-10", e: "2020-02-10", o: "2020-02-10" },
  ...{ p: "2020-02-10", i: "2020-08-04", f: "2021-04-10" },
};
const ACCOUNT_SINCE: Readonly<Record<string, string>> = { ...SINCE, p: "", f: "2019-12-12" };

/** One wish out of the whole space of its kind. */
export function randomAzureWish(random: Random, kind: AzureKind): AzureWish {
  const versions = kind === "user-delegation" ? VERSIONS.filter((version) => version >= "2018-11-09") : VERSIONS;
  const version = random.pick(versions);
  const signedAt = new Date(
    Date.UTC(2019 + random.below(15), random.below(12), 1 + random.below(28)) + random.below(86_400_000),
  );
  const expiresOn = new Date(signedAt.getTime() + 1000 + random.below(600_000_000));
  const account = random.pick(["myaccount", "devstoreaccount1", "abc", "a23456789012345678901234"] as const);
  const common = {
    kind,
    version,
    account,
    endpoint: random.pick([`https://${account}.blob.core.windows.net`, `http://127.0.0.1:10000/${account}`] as const),
    accountKey: randomBase64(random, 64),
    ...(random.chance(0.3) ? { startsOn: new Date(signedAt.getTime() + random.below(900)) } : {}),
    ...(random.chance(0.3)
      ? { ip: random.pick(["203.0.113.9", "10.0.0.0-10.0.255.255", "0.0.0.0-255.255.255.255"]) }
      : {}),
    ...(random.chance(0.4) ? { protocol: random.pick(["https", "https,http"] as const) } : {}),
    ...(random.chance(0.2) && version >= "2020-12-06"
      ? { encryptionScope: random.pick(["scope1", "a-b", "ünï"]) }
      : {}),
    signedAt,
    expiresOn,
    response: {},
  };
  if (kind === "account") {
    return {
      ...common,
      ...(random.chance(0.8) ? { container: "media", ...(random.chance(0.8) ? { blob: randomKey(random) } : {}) } : {}),
      permissions: randomLetters(random, ACCOUNT_LETTERS, (letter) => version >= (ACCOUNT_SINCE[letter] ?? "")),
      services: randomLetters(random, "btqf"),
      resourceTypes: randomLetters(random, "sco"),
    };
  }
  const resource = randomResource(random, version);
  const letters = resource.directory ? DIRECTORY_LETTERS : resource.blob ? BLOB_LETTERS : CONTAINER_LETTERS;
  const permissions = randomLetters(random, letters, (letter) => version >= (SINCE[letter] ?? ""));
  const all = { ...common, ...resource, permissions, response: randomResponse(random) };
  return kind === "service" ? withPolicy(random, all) : { ...all, ...randomDelegation(random, all) };
}

function randomResource(
  random: Random,
  version: string,
): Pick<AzureWish, "container" | "blob" | "directory" | "snapshot" | "versionId"> {
  const container = random.pick(["media", "a-b-c", "$root", "$web", "123", "c".repeat(63)] as const);
  if (random.chance(0.2)) return { container };
  if (random.chance(0.1) && version >= "2020-02-10") {
    return { container, directory: random.pick(["talks", "talks/2026", "a b/c+d/é", "x/y/z/w/v"] as const) };
  }
  const blob = randomKey(random);
  const time = "2026-01-02T03:04:05.1234567Z";
  if (random.chance(0.1) && version >= "2018-11-09") return { container, blob, snapshot: time };
  if (random.chance(0.1) && version >= "2019-10-10") return { container, blob, versionId: time };
  return { container, blob };
}

function randomResponse(random: Random): Readonly<Record<string, string>> {
  const response: Record<string, string> = {};
  for (const name of ["cacheControl", "contentDisposition", "contentEncoding", "contentLanguage", "contentType"]) {
    // Control characters are refused by us: see the table of deviations.
    const value = `${randomText(random)}; filename*=UTF-8''r%C3%A9 (1)!.txt`.replace(/\p{Cc}/gu, "");
    if (random.chance(0.15)) response[name] = value;
  }
  return response;
}

/** Half of those that name a policy leave to it what it may say. */
function withPolicy(random: Random, wish: AzureWish): AzureWish {
  if (!random.chance(0.2)) return wish;
  const identifier = random.pick(["policy", "p".repeat(64), "ünï cöde", "a+b/c=", "MTIzNDU2Nzg5"]);
  const { permissions, expiresOn, ...rest } = wish;
  if (random.chance(0.5)) return { ...rest, identifier };
  return random.chance(0.5) ? { ...rest, expiresOn, identifier } : { ...rest, permissions, identifier };
}

function randomDelegation(random: Random, { version, signedAt, expiresOn, directory }: AzureWish): Partial<AzureWish> {
  const guid = (): string =>
    [8, 4, 4, 4, 12].map((length) => Array.from({ length }, () => random.below(16).toString(16)).join("")).join("-");
  const hour = 3_600_000;
  const isBindable = version >= "2026-04-06";
  return {
    userDelegationKey: {
      signedObjectId: guid(),
      signedTenantId: guid(),
      signedStartsOn: new Date(signedAt.getTime() - random.below(24) * hour),
      signedExpiresOn: new Date((expiresOn as Date).getTime() + 1000 + random.below(24) * hour),
      signedService: "b",
      signedVersion: random.pick(["2018-11-09", "2020-02-10", version]),
      ...(random.chance(0.2) && version >= "2025-07-05" ? { signedDelegatedUserTenantId: guid() } : {}),
      value: randomBase64(random, 32),
    },
    ...randomAgent(random, guid(), version >= "2020-02-10", directory !== undefined),
    ...(random.chance(0.2) && version >= "2020-02-10" ? { correlationId: guid() } : {}),
    ...(random.chance(0.2) && version >= "2025-07-05" ? { delegatedUserObjectId: guid() } : {}),
    ...(random.chance(0.5) && isBindable ? { headers: randomHeaders(random) } : {}),
    ...(random.chance(0.5) && isBindable ? { query: randomQuery(random) } : {}),
  };
}

/** At most one of the two, and the second only for directories. */
function randomAgent(random: Random, guid: string, isKnown: boolean, isDirectory: boolean): Partial<AzureWish> {
  if (!isKnown || !random.chance(0.3)) return {};
  return isDirectory && random.chance(0.5) ? { agentObjectId: guid } : { preauthorizedAgentObjectId: guid };
}

function randomHeaders(random: Random): Readonly<Record<string, string>> {
  const all = {
    "Content-Type": "image/png",
    "x-ms-meta-Note": "a, b; c=d",
    "content-md5": "1B2M2Y8AsgTpgAmY7PhCfg==",
    "If-None-Match": "*",
    "X-Tenant": "acme 1:2",
  };
  return Object.fromEntries(Object.entries(all).filter(() => random.chance(0.5)));
}

function randomQuery(random: Random): Readonly<Record<string, string>> {
  const text = (): string => randomText(random).replace(/\p{Cc}/gu, "");
  const all = { timeout: "30", tenant: `${text()}x`, "a.b~c": "1=2&3:4", empty: "x" };
  return Object.fromEntries(Object.entries(all).filter(() => random.chance(0.5)));
}

/** A part of the letters in their order; never none. */
function randomLetters(random: Random, letters: string, isKnown: (letter: string) => boolean = () => true): string {
  const known = [...letters].filter(isKnown);
  const some = known.filter(() => random.chance(0.4)).join("");
  return some === "" ? (known[random.below(known.length)] as string) : some;
}

function randomBase64(random: Random, length: number): string {
  return Buffer.from(Array.from({ length }, () => random.below(256))).toString("base64");
}
