import { type AzureStoredPolicy, azureUserDelegationVerifier, azureVerifier } from "daypass/azure";
import { describe, expect, it } from "vitest";
import { expectRefusal } from "../wire-request.ts";
import { ACCOUNT, AT, CREDENTIALS, DELEGATION_KEY, OTHER_KEY } from "./fixture.ts";
import { type RawSas, rawRequest } from "./raw-sas.ts";
import { account, delegation, options, refuse, service } from "./verifiers.ts";

describe("keys", () => {
  it("accepts either key of an account, and neither of another account", async () => {
    const both = [CREDENTIALS.accountKey, OTHER_KEY].map((accountKey) => ({ account: ACCOUNT, accountKey }));
    const verifier = azureVerifier({ ...options, credentials: both });
    for (const key of [CREDENTIALS.accountKey, OTHER_KEY]) await verifier.verify(rawRequest({ key }));
    await expectRefusal(
      azureVerifier({ ...options, credentials: { account: "another", accountKey: CREDENTIALS.accountKey } }).verify(
        rawRequest(),
      ),
      "UNKNOWN_KEY",
    );
  });

  it("asks a function for the account's keys, at once or later", async () => {
    const credentials = { account: ACCOUNT, accountKey: CREDENTIALS.accountKey };
    for (const find of [() => credentials, async () => [credentials]]) {
      const asked: string[] = [];
      const verifier = azureVerifier({
        ...options,
        credentials: (name) => {
          asked.push(name);
          return find();
        },
      });
      await verifier.verify(rawRequest());
      expect(asked).toEqual([ACCOUNT]);
    }
  });

  it("refuses keys that cannot be right", () => {
    expect(() => azureVerifier({ ...options, credentials: { account: ACCOUNT, accountKey: "x" } })).toThrow(/base64/);
    expect(() =>
      azureVerifier({ ...options, credentials: { account: "X", accountKey: CREDENTIALS.accountKey } }),
    ).toThrow(/account/);
    expect(() => azureVerifier({ ...options, maxLife: 0 })).toThrow(/maxLife/);
  });

  it("asks a function for the user delegation key that the URL names, and believes no other", async () => {
    const asked: unknown[] = [];
    const find = (change: object) =>
      azureUserDelegationVerifier({
        ...options,
        credentials: (id) => {
          asked.push(id);
          return { account: id.account, userDelegationKey: { ...DELEGATION_KEY, ...change } };
        },
      }).verify(rawRequest({ kind: "user-delegation" }));
    expect((await find({})).keyId).toBe(DELEGATION_KEY.signedObjectId);
    const { value: _, ...named } = DELEGATION_KEY;
    expect(asked).toEqual([{ account: ACCOUNT, ...named, signedDelegatedUserTenantId: undefined }]);
    for (const change of [
      { signedObjectId: "x" },
      { signedTenantId: "x" },
      { signedVersion: "2021-01-01" },
      { signedExpiresOn: "2026-01-04T00:00:00Z" },
      { signedStartsOn: "2026-01-01T00:00:00Z" },
      { signedDelegatedUserTenantId: "x" },
    ]) {
      await expectRefusal(find(change), "UNKNOWN_KEY");
    }
  });

  it("finds a user delegation key whose times the URL writes in another form", async () => {
    const fields = { skt: "2026-01-02", ske: "2026-01-03T00:00Z" };
    expect((await delegation.verify(rawRequest({ kind: "user-delegation", fields }))).kind).toBe("user-delegation");
  });

  it("reads each kind of SAS with its own verifier only", async () => {
    const kinds = { service, account, "user-delegation": delegation };
    for (const [kind, own] of Object.entries(kinds)) {
      const request = rawRequest({ kind: kind as keyof typeof kinds });
      expect(own.detects(request)).toBe(true);
      for (const other of Object.values(kinds)) {
        if (other === own) continue;
        expect(other.detects(request)).toBe(false);
        await expectRefusal(other.verify(request), "NO_SIGNATURE");
      }
    }
  });
});

describe("stored access policies", () => {
  const end = new Date("2026-01-02T05:00:00Z");
  const withPolicy = (policy: AzureStoredPolicy | null | undefined, raw: RawSas = {}) =>
    azureVerifier({ ...options, policies: async () => policy }).verify(
      rawRequest({ ...raw, fields: { si: "weekly", ...raw.fields }, without: raw.without ?? ["se", "sp"] }),
    );

  it("gives what the URL leaves out", async () => {
    expect(await withPolicy({ startsOn: AT, expiresOn: end, permissions: "rwd" })).toMatchObject({
      ...{ identifier: "weekly", permissions: "rwd", notBefore: AT, expiresAt: end },
    });
    expect(await withPolicy({ expiresOn: end }, { without: ["se"] })).toMatchObject({ permissions: "r" });
    expect(await withPolicy({ permissions: "r" }, { without: ["sp"] })).toMatchObject({ permissions: "r" });
    expect(await withPolicy({}, { without: [] })).toMatchObject({ permissions: "r", identifier: "weekly" });
  });

  it("looks a policy up by account, container and identifier, after the signature has matched", async () => {
    const asked: unknown[] = [];
    const policies = (...args: readonly string[]) => {
      asked.push(args);
      return { expiresOn: end, permissions: "r" };
    };
    const verifier = azureVerifier({ ...options, policies });
    const request = rawRequest({ fields: { si: "weekly" }, without: ["se", "sp"] });
    await expectRefusal(
      verifier.verify({ ...request, target: request.target.replace("a.txt", "b.txt") }),
      "SIGNATURE_MISMATCH",
    );
    expect(asked).toEqual([]);
    await verifier.verify(request);
    expect(asked).toEqual([[ACCOUNT, "media", "weekly"]]);
    await verifier.verify(rawRequest());
    expect(asked).toHaveLength(1);
  });

  it("takes its URLs along when it is removed, and nothing opens without a store of policies", async () => {
    for (const none of [undefined, null]) {
      await expectRefusal(withPolicy(none), "KEY_SCOPE");
      await expectRefusal(withPolicy(none, { without: [] }), "KEY_SCOPE");
    }
    await refuse({ fields: { si: "weekly" }, without: ["se", "sp"] }, "KEY_SCOPE");
    await refuse({ fields: { si: "weekly" } }, "KEY_SCOPE");
  });

  it("refuses a field that is in both or in neither", async () => {
    await expectRefusal(withPolicy({ expiresOn: end, permissions: "r" }, { without: ["sp"] }), "KEY_SCOPE");
    await expectRefusal(withPolicy({ expiresOn: end, permissions: "r" }, { without: ["se"] }), "KEY_SCOPE");
    await expectRefusal(withPolicy({ startsOn: AT }, { without: [], fields: { st: "2026-01-02" } }), "KEY_SCOPE");
    await expectRefusal(withPolicy({ expiresOn: end }), "KEY_SCOPE");
    await expectRefusal(withPolicy({ permissions: "r" }), "KEY_SCOPE");
    await expectRefusal(withPolicy({ expiresOn: end, permissions: "" }), "KEY_SCOPE");
    await expectRefusal(withPolicy({ expiresOn: end, permissions: "wr" }), "KEY_SCOPE");
  });

  it("ends and begins URLs by its own times, and fails closed on invalid dates", async () => {
    await expectRefusal(withPolicy({ expiresOn: AT, permissions: "r" }), "EXPIRED");
    await expectRefusal(
      withPolicy({ startsOn: end, expiresOn: new Date("2026-02-01"), permissions: "r" }),
      "NOT_YET_VALID",
    );
    const broken = new Date(Number.NaN);
    await expectRefusal(withPolicy({ expiresOn: broken, permissions: "r" }), "KEY_SCOPE");
    await expectRefusal(withPolicy({ startsOn: broken, expiresOn: end, permissions: "r" }), "KEY_SCOPE");
    await expectRefusal(withPolicy({ startsOn: end, expiresOn: end, permissions: "r" }), "KEY_SCOPE");
  });

  it("passes on what the store of policies throws", async () => {
    const fault = new Error("the database is down");
    const verifier = azureVerifier({
      ...options,
      policies: () => Promise.reject(fault),
    });
    await expect(verifier.verify(rawRequest({ fields: { si: "weekly" } }))).rejects.toBe(fault);
  });
});
