import { anyOf, type WireRequest } from "daypass";
import { azureAccountVerifier, azureAllOperations, azureUserDelegationVerifier, azureVerifier } from "daypass/azure";
import { describe, expect, test } from "vitest";
import { sdkSas } from "../oracles/azure-sdk.ts";
import { type AzureKind, type AzureWish, randomAzureWish } from "../random/azure-wishes.ts";
import { runCount, runSeed, seeded } from "../random/seeded.ts";

const KINDS: readonly AzureKind[] = ["service", "account", "user-delegation"];

describe.each(KINDS)("%s SAS of Azure's SDKs", (kind) => {
  test(`are accepted by our verifier, ${runCount()} of them`, async () => {
    const random = seeded(runSeed() + 1);
    const operations = new Map<string, number>();
    for (let left = runCount(); left > 0; ) {
      const asked = randomAzureWish(random, kind);
      // As the SDK's clients do it, and the server.
      const wish = { ...asked, ...(asked.blob === undefined ? {} : { blob: asked.blob.replaceAll("\\", "/") }) };
      const request = sdkRequest(wish);
      // E.g. for queues, or with the letter `m` alone.
      if (request === undefined) continue;
      left -= 1;
      const { subject, ...wire } = request;
      if (wish.agentObjectId !== undefined) {
        // `suoid` asks for an ACL check that only Azure can make.
        await expect(verifier(wish).verify(wire, { subject })).rejects.toMatchObject({ code: "UNENFORCED_CONSTRAINT" });
        count(operations, "(refused for suoid)");
        continue;
      }
      const grant = await verifier(wish).verify(wire, { subject });
      expect(grant, JSON.stringify(wish)).toMatchObject({ kind, account: wish.account });
      expect(grant.expiresAt.getTime()).toBe(Math.floor((wish.expiresOn ?? POLICY_END).getTime() / 1000) * 1000);
      count(operations, grant.operation);
    }
    console.log(
      `${kind}, seed ${runSeed() + 1}: ${[...operations].map((pair) => pair.reverse().join(" × ")).join(", ")}`,
    );
    expect(operations.size).toBeGreaterThan(5);
  });
});

const POLICY_END = new Date("2100-01-01T00:00:00Z");

function verifier(wish: AzureWish) {
  const { account, accountKey, userDelegationKey, signedAt, startsOn = signedAt } = wish;
  const options = {
    credentials: { account, accountKey },
    origins: ["https://*.blob.core.windows.net", "http://127.0.0.1:10000", "https://127.0.0.1:10443"],
    operations: azureAllOperations,
    enforces: ["response", "create-only", "encryption-scope", "body-checksum"] as const,
    policies: () => ({
      expiresOn: wish.expiresOn === undefined ? POLICY_END : undefined,
      permissions: wish.permissions === undefined ? "racwdl" : undefined,
    }),
    clock: () => startsOn,
  };
  const delegated = userDelegationKey === undefined ? [] : { account, userDelegationKey };
  return anyOf(
    azureVerifier(options),
    azureAccountVerifier(options),
    azureUserDelegationVerifier({ ...options, credentials: delegated }),
  );
}

/** A request that the letters permit: one operation for each letter. */
const REQUESTS: readonly (readonly [letter: string, method: string, level: "s" | "c" | "o", query: string])[] = [
  ["r", "GET", "o", ""],
  ["w", "PUT", "o", "comp=blocklist"],
  ["c", "PUT", "o", ""],
  ["a", "PUT", "o", "comp=appendblock"],
  ["d", "DELETE", "o", ""],
  ["t", "GET", "o", "comp=tags"],
  ["i", "PUT", "o", "comp=legalhold"],
  ["l", "GET", "c", "restype=container&comp=list"],
  ["f", "GET", "c", "restype=container&comp=blobs&where=a"],
];

function sdkRequest(wish: AzureWish): (WireRequest & { readonly subject: string | undefined }) | undefined {
  const {
    kind,
    permissions = "racwdl",
    blob,
    directory,
    resourceTypes = "sco",
    services = "b",
    snapshot,
    versionId,
  } = wish;
  if (!services.includes("b")) return undefined;
  const isBlob = blob !== undefined && kind !== "account";
  const found = REQUESTS.find(([letter, method, level]) => {
    if (!permissions.includes(letter) || !resourceTypes.includes(level)) return false;
    if (snapshot !== undefined || versionId !== undefined) return level === "o" && method === "GET" && letter !== "t";
    return level === "o" || !isBlob;
  });
  if (found === undefined) return undefined;
  const [, method, level, query] = found;
  const container = wish.container ?? "media";
  const name = kind === "account" || blob === undefined ? `${directory ?? "x"}/a.txt` : blob;
  // Any host or path will do that the SAS does not bind: https, and the account in front.
  const path = `/${wish.account}/${encodeURIComponent(container)}${level === "o" ? `/${encodeURIComponent(name)}` : ""}`;
  const tokens = [
    query,
    directory !== undefined && level === "c" ? `prefix=${encodeURIComponent(`${directory}/`)}` : "",
    snapshot === undefined ? "" : `snapshot=${encodeURIComponent(snapshot)}`,
    versionId === undefined ? "" : `versionid=${encodeURIComponent(versionId)}`,
    ...Object.entries(wish.query ?? {}).map((pair) => pair.map(encodeURIComponent).join("=")),
    sdkSas(wish),
  ];
  return {
    method,
    target: `${path}?${tokens.filter(Boolean).join("&")}`,
    authority: "127.0.0.1:10443",
    headers: Object.entries(wish.headers ?? {}),
    remoteAddress: wish.ip?.split("-")[0],
    subject: wish.delegatedUserObjectId,
  };
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
