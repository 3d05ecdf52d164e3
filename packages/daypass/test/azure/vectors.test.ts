import { readFileSync } from "node:fs";
import {
  type AzureBlobRequest,
  type AzureUserDelegationKey,
  azureAccountSigner,
  azureAccountVerifier,
  azureSigner,
  azureUserDelegationSigner,
  azureUserDelegationVerifier,
  azureVerifier,
} from "daypass/azure";
import { describe, expect, it } from "vitest";
import type { SignedRequest, Verifier } from "../../src/index.ts";
import { wireRequest } from "../wire-request.ts";

// Made by Azure's own SDKs; conformance/test/azure-sdk.test.ts proves that they still sign so.
const { vectors } = JSON.parse(readFileSync(new URL("../vectors/azure/sas.json", import.meta.url), "utf8")) as {
  readonly vectors: readonly Vector[];
};

interface Vector {
  readonly name: string;
  readonly url: string;
  readonly wish: {
    readonly kind: "service" | "account" | "user-delegation";
    readonly version: string;
    readonly account: string;
    readonly endpoint: string;
    readonly accountKey: string;
    readonly userDelegationKey?: AzureUserDelegationKey;
    readonly container?: string;
    readonly blob?: string;
    readonly directory?: string;
    readonly snapshot?: string;
    readonly versionId?: string;
    readonly permissions?: string;
    readonly startsOn?: string;
    readonly expiresOn?: string;
    readonly ip?: string;
    readonly protocol?: "https";
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
    readonly signedAt: string;
  };
}

function sign({ wish }: Vector): SignedRequest {
  const { account, endpoint, version, accountKey, userDelegationKey } = wish;
  const options = { account, endpoint, version, clock: () => new Date(wish.signedAt) };
  const common = {
    permissions: wish.permissions,
    notBefore: wish.startsOn === undefined ? undefined : new Date(wish.startsOn),
    expiresAt: wish.expiresOn === undefined ? undefined : new Date(wish.expiresOn),
    protocol: wish.protocol,
    encryptionScope: wish.encryptionScope,
    bind: { ip: wish.ip },
    container: wish.container ?? "",
    blob: wish.blob,
  };
  if (wish.kind === "account") {
    const { services, resourceTypes = "", container } = wish;
    const signer = azureAccountSigner({ ...options, credentials: { accountKey } });
    return signer.sign({ ...common, container, services, resourceTypes });
  }
  const { snapshot, versionId, response, directory: prefix } = wish;
  const whole = (common.blob ?? prefix) === undefined ? { resource: "container" as const } : {};
  const resource = { ...common, ...whole, prefix, snapshot, versionId, response } as AzureBlobRequest;
  if (userDelegationKey === undefined) {
    return azureSigner({ ...options, credentials: { accountKey } }).sign({ ...resource, identifier: wish.identifier });
  }
  return azureUserDelegationSigner({ ...options, credentials: { userDelegationKey } }).sign({
    ...resource,
    permissions: wish.permissions ?? "",
    bind: { ip: wish.ip, headers: wish.headers, query: wish.query },
    preauthorizedAgentObjectId: wish.preauthorizedAgentObjectId,
    agentObjectId: wish.agentObjectId,
    correlationId: wish.correlationId,
    delegatedUserObjectId: wish.delegatedUserObjectId,
  });
}

function verifier({ wish }: Vector): Verifier {
  const { kind, account, accountKey, userDelegationKey, signedAt } = wish;
  const options = {
    origins: ["https://*.blob.core.windows.net", "http://127.0.0.1:10000"],
    enforces: ["response", "encryption-scope"] as const,
    clock: () => new Date(signedAt),
  };
  if (kind === "account") return azureAccountVerifier({ ...options, credentials: { account, accountKey } });
  if (userDelegationKey !== undefined) {
    return azureUserDelegationVerifier({ ...options, credentials: { account, userDelegationKey } });
  }
  const policies = () => ({
    expiresOn: wish.expiresOn === undefined ? new Date("2026-01-09T00:00:00Z") : undefined,
    permissions: wish.permissions === undefined ? "r" : undefined,
  });
  return azureVerifier({ ...options, policies, credentials: { account, accountKey } });
}

const parts = (url: string): readonly [path: string, tokens: readonly string[]] => {
  const mark = url.indexOf("?");
  return [url.slice(0, mark), url.slice(mark + 1).split("&")];
};

describe.each(vectors)("$name", (vector) => {
  const { wish, url } = vector;
  it("signs the same bytes as the vector", () => {
    const [path, tokens] = parts(sign(vector).url);
    const [theirPath, theirTokens] = parts(url);
    // The SDK leaves the parameters of `srq` to the caller, and that for directories writes `sdd` last.
    const bound = Object.keys(wish.query ?? {}).map((name) => `${name}=`);
    const own = tokens.filter((token) => !bound.some((name) => token.startsWith(name)));
    expect(path).toBe(theirPath);
    if (wish.directory === undefined) expect(own).toEqual(theirTokens);
    else expect([...own].sort()).toEqual([...theirTokens].sort());
  });

  it("verifies the vector", async () => {
    // `suoid` asks for an ACL check, `sduoid` for a proved user; without services or resources a SAS opens no blob.
    const isOfAccount = wish.kind === "account" && wish.blob === undefined;
    const suffix = wish.blob ?? (wish.directory === undefined ? "" : `${wish.directory}/a.txt`);
    const [path, tokens] = parts(url);
    const query = Object.entries(wish.query ?? {}).map((pair) => pair.map(encodeURIComponent).join("="));
    const isList = suffix === "" && !isOfAccount;
    const target = [...(isList ? ["restype=container", "comp=list"] : []), ...tokens, ...query].join("&");
    const location = isOfAccount ? "/media/a.txt" : wish.directory === undefined ? "" : "/a.txt";
    const request = {
      ...wireRequest({ ...sign(vector), url: `${path.replace(/\/$/, "")}${location}?${target}` }),
      method: "GET",
      headers: Object.entries(wish.headers ?? {}),
    };
    const verified = verifier(vector).verify(request, { subject: wish.delegatedUserObjectId });
    if (wish.agentObjectId !== undefined) {
      await expect(verified).rejects.toMatchObject({ code: "UNENFORCED_CONSTRAINT" });
      return;
    }
    expect(await verified).toMatchObject({
      kind: wish.kind,
      account: wish.account,
      container: wish.container ?? "media",
      blob: isOfAccount ? "a.txt" : suffix === "" ? undefined : suffix,
      operation: isList ? "list-blobs" : "get-blob",
      permissions: wish.permissions ?? "r",
    });
  });
});
