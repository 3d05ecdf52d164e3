import { rotatingCredentials } from "daypass";
import { azureUserDelegationSigner } from "daypass/azure";
import { describe, expect, it } from "vitest";
import { ACCOUNT, AT, DELEGATION_KEY } from "./fixture.ts";
import { clock, code, delegation, parameters, wish } from "./signers.ts";

describe("azureUserDelegationSigner", () => {
  const lastDay = new Date("2026-01-03T00:00:00Z");

  it("refuses a URL that outlives its key, or ends it with the key", () => {
    expect(delegation.sign({ ...wish, expiresIn: undefined, expiresAt: lastDay }).expiresAt).toEqual(lastDay);
    expect(code(() => delegation.sign({ ...wish, expiresIn: 86_400 }))).toBe("CREDENTIALS_EXPIRE_FIRST");
    const clamping = azureUserDelegationSigner({
      account: ACCOUNT,
      credentials: { userDelegationKey: DELEGATION_KEY },
      credentialExpiry: "clamp",
      clock,
    });
    const { expiresAt, warnings } = clamping.sign({ ...wish, expiresIn: 86_400 });
    expect(expiresAt).toEqual(lastDay);
    expect(warnings).toHaveLength(1);
  });

  it("lives for seven days at most", () => {
    const userDelegationKey = { ...DELEGATION_KEY, signedExpiresOn: "2027-01-01T00:00:00Z" };
    const signer = azureUserDelegationSigner({ account: ACCOUNT, credentials: { userDelegationKey }, clock });
    expect(signer.sign({ ...wish, expiresIn: 604_800 }).expiresAt).toEqual(new Date("2026-01-09T03:04:05Z"));
    expect(code(() => signer.sign({ ...wish, expiresIn: 604_801 }))).toBe("INVALID_EXPIRY");
  });

  it("takes the keys of @azure/storage-blob from rotatingCredentials", async () => {
    let fetched = 0;
    const getUserDelegationKey = async () => {
      fetched += 1;
      return { ...DELEGATION_KEY, signedVersion: `2022-11-0${fetched}` };
    };
    let now = AT;
    const credentials = rotatingCredentials(
      async () => {
        const userDelegationKey = await getUserDelegationKey();
        return { userDelegationKey, expiration: new Date(userDelegationKey.signedExpiresOn) };
      },
      { clock: () => now },
    );
    const signer = azureUserDelegationSigner({ account: ACCOUNT, credentials: credentials.current, clock: () => now });
    expect(code(() => signer.sign(wish))).toBe("CREDENTIALS_NOT_READY");
    await credentials.ready();
    expect(parameters(signer.sign(wish).url).get("skv")).toBe("2022-11-01");
    now = new Date("2026-01-02T23:58:00Z");
    expect(code(() => signer.sign(wish))).toBe("CREDENTIALS_EXPIRE_FIRST");
    await credentials.ready();
    expect(fetched).toBe(2);
  });

  it("takes the earlier of the key's end and the credentials' expiration", () => {
    const expiration = new Date(AT.getTime() + 60_000);
    const signer = azureUserDelegationSigner({
      account: ACCOUNT,
      credentials: { userDelegationKey: DELEGATION_KEY, expiration },
      clock,
    });
    expect(code(() => signer.sign(wish))).toBe("CREDENTIALS_EXPIRE_FIRST");
  });

  it("refuses credentials whose expiration is no date, though their key has an end", () => {
    const signer = azureUserDelegationSigner({
      account: ACCOUNT,
      credentials: { userDelegationKey: DELEGATION_KEY, expiration: new Date(Number.NaN) },
      clock,
    });
    expect(code(() => signer.sign(wish))).toBe("CREDENTIALS_EXPIRE_FIRST");
  });

  it("binds headers and parameters, which the holder then has to send", () => {
    const { url, headers, bound } = delegation.sign({
      ...wish,
      permissions: "cw",
      bind: {
        contentType: "image/png",
        contentLength: 9,
        headers: { "x-ms-meta-Owner": "a" },
        query: { timeout: "9" },
      },
    });
    expect(headers).toEqual({
      "x-ms-blob-type": "BlockBlob",
      "x-ms-meta-owner": "a",
      "content-type": "image/png",
      "content-length": "9",
    });
    expect(parameters(url).get("srh")).toBe("x-ms-meta-Owner,content-type,content-length");
    expect(parameters(url).get("srq")).toBe("timeout");
    expect(parameters(url).get("timeout")).toBe("9");
    expect(bound).toEqual(expect.arrayContaining(["header content-type", "parameter timeout"]));
  });

  it("refuses what it cannot bind, and what cannot be bound by it", () => {
    expect(code(() => delegation.sign({ ...wish, bind: { sha256: "0".repeat(64) } }))).toBe("UNSUPPORTED_CONSTRAINT");
    expect(code(() => delegation.sign({ ...wish, bind: { contentLength: { max: 9 } } }))).toBe(
      "UNSUPPORTED_CONSTRAINT",
    );
    const withPolicy = { ...wish, identifier: "weekly" };
    expect(code(() => delegation.sign(withPolicy))).toBe("UNSUPPORTED_CONSTRAINT");
    for (const bind of [
      { headers: { "a b": "x" } },
      { headers: { "a:b": "x" } },
      { headers: { "a,b": "x" } },
      { headers: { Host: "x" } },
      { headers: { authorization: "x" } },
      { headers: { "x-a": " x" } },
      { headers: { "x-a": "é" } },
      { headers: { "x-a": "1", "X-A": "2" } },
      { headers: { "Content-Type": "a/b" }, contentType: "a/c" },
      { query: { sv: "2020-01-01" } },
      { query: { snapshot: "x" } },
      { query: { "a,b": "x" } },
      { query: { a: ["1", "2"] } },
    ]) {
      expect(
        code(() => delegation.sign({ ...wish, bind })),
        JSON.stringify(bind),
      ).toBe("INVALID_INPUT");
    }
    const both = { preauthorizedAgentObjectId: "a", agentObjectId: "b" };
    expect(code(() => delegation.sign({ ...wish, ...both }))).toBe("INVALID_INPUT");
  });

  it("refuses keys that lack a part", () => {
    const parts = ["signedObjectId", "signedTenantId", "signedStartsOn", "signedExpiresOn", "signedService", "value"];
    for (const part of parts) {
      for (const value of [undefined, "", "\n"]) {
        const userDelegationKey = { ...DELEGATION_KEY, [part]: value };
        const make = () => azureUserDelegationSigner({ account: ACCOUNT, credentials: { userDelegationKey } });
        expect(code(make), part).toBe("INVALID_KEY");
      }
    }
  });
});
