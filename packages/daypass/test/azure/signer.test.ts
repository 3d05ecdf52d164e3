import {
  type AzureSignRequest,
  type AzureUserDelegationSignRequest,
  azureAccountSigner,
  azureSigner,
} from "daypass/azure";
import { describe, expect, it } from "vitest";
import { ACCOUNT, AT, CREDENTIALS } from "./fixture.ts";
import { azure, clock, code, delegation, parameters, wish } from "./signers.ts";

describe("azureSigner", () => {
  it("returns everything that the holder must send", () => {
    const { url, method, headers, expiresAt, bound, unbound, warnings } = azure.sign({ ...wish, permissions: "cw" });
    expect(url).toMatch(
      /^https:\/\/myaccount\.blob\.core\.windows\.net\/media\/a\.txt\?sv=2022-11-02&se=2026-01-02T03%3A19%3A05Z&sr=b&sp=cw&sig=/,
    );
    expect({ method, headers, warnings }).toEqual({
      method: "PUT",
      headers: { "x-ms-blob-type": "BlockBlob" },
      warnings: [],
    });
    expect(expiresAt).toEqual(new Date("2026-01-02T03:19:05Z"));
    expect(bound).toContain("permissions");
    expect(unbound).toContain("body");
  });

  it("puts permissions into Azure's order, and refuses other letters, repeats and those that the resource lacks", () => {
    expect(parameters(azure.sign({ ...wish, permissions: "dwcar" }).url).get("sp")).toBe("racwd");
    for (const permissions of [
      "",
      "rr",
      "q",
      "R",
      "l",
      "f",
      "r w",
      "read",
      "write",
      { read: true } as never,
      7 as never,
    ]) {
      expect(
        code(() => azure.sign({ ...wish, permissions })),
        permissions,
      ).toBe("INVALID_INPUT");
    }
    expect(code(() => azure.sign({ container: "media", blob: "a", expiresIn: 9 }))).toBe("INVALID_INPUT");
    // By the name of the option that is missing, and not by the parameter that it would be.
    expect(() => azure.sign({ container: "media", blob: "a", expiresIn: 9 })).toThrow(
      /^permissions is missing\. Pass letters/,
    );
    expect(() => azure.sign({ ...wish, permissions: "" })).toThrow(/^permissions is missing\. Pass letters/);
    const account = azureAccountSigner({ account: ACCOUNT, credentials: CREDENTIALS });
    const untyped = { permissions: "r", expiresIn: 9 } as never;
    expect(() => account.sign(untyped)).toThrow(/^resourceTypes is missing\. Pass letters/);
    expect(azure.sign({ resource: "container", container: "media", permissions: "lf", expiresIn: 9 }).method).toBe(
      "GET",
    );
  });

  it.each([
    ["r", "GET"],
    ["l", "GET"],
    ["cw", "PUT"],
    ["a", "PUT"],
    ["c", "PUT"],
    ["w", "PUT"],
    ["t", "GET"],
    ["d", "DELETE"],
    ["x", "DELETE"],
    ["rwd", "GET"],
  ])("takes the usual method of the permissions %s, which is %s", (permissions, method) => {
    const { blob: _, ...container } = wish;
    expect(azure.sign({ ...container, resource: "container", permissions }).method).toBe(method);
  });

  it("refuses a method that the permissions do not permit", () => {
    expect(azure.sign({ ...wish, permissions: "rwd", method: "DELETE" }).method).toBe("DELETE");
    expect(azure.sign({ ...wish, permissions: "d", method: "PUT" }).method).toBe("PUT");
    expect(code(() => azure.sign({ ...wish, method: "PUT" }))).toBe("INVALID_INPUT");
  });

  it("signs with a version that older servers read, or with the first that knows what was asked for", () => {
    const sv = (request: AzureSignRequest) => parameters(azure.sign(request).url).get("sv");
    expect(sv(wish)).toBe("2022-11-02");
    const old = azureSigner({ account: ACCOUNT, credentials: CREDENTIALS, version: "2015-04-05", clock });
    expect(parameters(old.sign(wish).url).get("sv")).toBe("2015-04-05");
    const newer: readonly (readonly [object, string])[] = [
      [{ snapshot: "2026-01-01T00:00:00.0000000Z" }, "2018-11-09"],
      [{ versionId: "2026-01-01T00:00:00.0000000Z" }, "2019-10-10"],
      [{ permissions: "x" }, "2019-10-10"],
      [{ permissions: "y" }, "2019-10-10"],
      [{ permissions: "t" }, "2019-12-12"],
      [{ permissions: "m" }, "2020-02-10"],
      [{ permissions: "e" }, "2020-02-10"],
      [{ blob: undefined, prefix: "talks/" }, "2020-02-10"],
      [{ permissions: "i" }, "2020-08-04"],
      [{ encryptionScope: "s" }, "2020-12-06"],
      [{ blob: undefined, resource: "container", permissions: "f" }, "2021-04-10"],
    ];
    for (const [more, since] of newer) {
      expect(
        code(() => old.sign({ ...wish, ...more } as AzureSignRequest)),
        since,
      ).toBe("INVALID_INPUT");
      const signer = azureSigner({ account: ACCOUNT, credentials: CREDENTIALS, version: since, clock });
      expect(parameters(signer.sign({ ...wish, ...more } as AzureSignRequest).url).get("sv")).toBe(since);
    }
    for (const version of ["2015-02-21", "2027-01-01", "latest", "20220-1-1"]) {
      const signer = azureSigner({ account: ACCOUNT, credentials: CREDENTIALS, version, clock });
      expect(
        code(() => signer.sign(wish)),
        version,
      ).toBe("INVALID_INPUT");
    }
  });

  it("raises the version of a user delegation SAS to the first that can bind what was asked for", () => {
    const sv = (more: Partial<AzureUserDelegationSignRequest>) =>
      parameters(delegation.sign({ ...wish, ...more } as typeof wish).url).get("sv");
    expect(sv({})).toBe("2022-11-02");
    expect(sv({ delegatedUserObjectId: "x" })).toBe("2025-07-05");
    expect(sv({ bind: { contentType: "image/png" } })).toBe("2026-04-06");
    expect(sv({ bind: { query: { timeout: "9" } } })).toBe("2026-04-06");
  });

  it.each([
    ["203.0.113.9", "203.0.113.9"],
    ["203.0.113.0-203.0.113.9", "203.0.113.0-203.0.113.9"],
    ["203.0.113.0/24", "203.0.113.0-203.0.113.255"],
    ["0.0.0.0/0", "0.0.0.0-255.255.255.255"],
    ["128.0.0.0/1", "128.0.0.0-255.255.255.255"],
    ["203.0.113.9/32", "203.0.113.9"],
  ])("binds the address %s as %s", (ip, sip) => {
    expect(parameters(azure.sign({ ...wish, bind: { ip } }).url).get("sip")).toBe(sip);
  });

  it.each([
    ["203.0.113.9/24"],
    ["203.0.113.0/33"],
    ["203.0.113.0/"],
    ["2001:db8::/32"],
    ["203.0.113.9-203.0.113.0"],
    ["1.2.3.4-1.2.3.5-1.2.3.6"],
    ["1.2.3.4-1.2.3.9/32"],
    ["01.2.3.4"],
    ["1.2.3"],
    ["1.2.3.256"],
    ["1.2.3.0/24/25"],
    [""],
  ])("refuses the address %j, which Azure cannot bind", (ip) => {
    expect(code(() => azure.sign({ ...wish, bind: { ip } }))).toBe("UNSUPPORTED_CONSTRAINT");
    expect(code(() => azure.sign({ ...wish, bind: { ip: [ip, "1.2.3.4"] } }))).toBe("UNSUPPORTED_CONSTRAINT");
  });

  it("reports what can bind an unsupported constraint", () => {
    const unbindable: readonly AzureSignRequest["bind"][] = [
      { contentType: "image/png" },
      { contentLength: 9 },
      { contentLength: { max: 9 } },
      { sha256: "0".repeat(64) },
      { headers: { "x-a": "b" } },
      { query: { a: "b" } },
    ];
    for (const bind of unbindable) {
      expect(() => azure.sign({ ...wish, bind })).toThrow(/azureUserDelegationSigner|gateway/);
      expect(code(() => azure.sign({ ...wish, bind }))).toBe("UNSUPPORTED_CONSTRAINT");
    }
    expect(code(() => azure.sign({ ...wish, response: { expires: "x" } }))).toBe("UNSUPPORTED_CONSTRAINT");
  });

  it("signs notBefore, and refuses one after the expiry", () => {
    expect(parameters(azure.sign({ ...wish, notBefore: AT }).url).get("st")).toBe("2026-01-02T03:04:05Z");
    for (const notBefore of [new Date(AT.getTime() + 900_000), new Date(Number.NaN)]) {
      expect(code(() => azure.sign({ ...wish, notBefore }))).toBe("INVALID_INPUT");
    }
  });

  it("leaves end and permissions to a stored policy, and says so", () => {
    const { url, expiresAt, warnings } = azure.sign({ container: "media", blob: "a.txt", identifier: "weekly" });
    expect([...parameters(url).keys()]).toEqual(["sv", "si", "sr", "sig"]);
    expect(expiresAt.toISOString()).toBe("9999-12-31T23:59:59.000Z");
    expect(warnings).toHaveLength(1);
    // Modifying one Date changes no other.
    expiresAt.setTime(0);
    const again = azure.sign({ container: "media", blob: "a.txt", identifier: "weekly" });
    expect(again.expiresAt.toISOString()).toBe("9999-12-31T23:59:59.000Z");
    for (const identifier of ["", "x".repeat(65), "a\nb"]) {
      expect(code(() => azure.sign({ container: "media", blob: "a.txt", identifier }))).toBe("INVALID_INPUT");
    }
  });

  it("gives the same bytes within a stable window", () => {
    const at = (second: number) =>
      azureSigner({
        account: ACCOUNT,
        credentials: CREDENTIALS,
        clock: () => new Date(AT.getTime() - 5000 + second * 1000),
      }).sign({ ...wish, stableWindow: 300 }).url;
    expect(at(59)).toBe(at(0));
    expect(at(60)).not.toBe(at(0));
  });

  it("signs a directory, and refuses prefixes that are not directories", () => {
    const { url, bound } = azure.sign({ container: "media", prefix: "talks/2026/", permissions: "rl", expiresIn: 9 });
    expect(new URL(url).pathname).toBe("/media/talks/2026");
    expect([parameters(url).get("sr"), parameters(url).get("sdd")]).toEqual(["d", "2"]);
    expect(bound).toContain("directory");
    for (const prefix of ["", "/", "/talks", "talks//2026", "talks//"]) {
      expect(
        code(() => azure.sign({ container: "media", prefix, permissions: "r", expiresIn: 9 })),
        prefix,
      ).toBe("INVALID_INPUT");
    }
    expect(code(() => azure.sign({ ...wish, prefix: "talks" } as never))).toBe("INVALID_INPUT");
    expect(code(() => azure.sign({ container: "media", prefix: "a/../b", permissions: "r", expiresIn: 9 }))).toBe(
      "DOT_SEGMENTS",
    );
  });

  it("refuses a name that a URL parser changes, unless asked", () => {
    for (const blob of ["..", "a/../b", "./a", "a/."]) {
      expect(code(() => azure.sign({ ...wish, blob }))).toBe("DOT_SEGMENTS");
      expect(azure.sign({ ...wish, blob, dotSegments: "sign" }).url).toContain(`/media/${blob}?`);
    }
  });

  it("signs a slash for a backslash, as the server sees one, and looks for dot segments behind it", () => {
    expect(azure.sign({ ...wish, blob: "a\\b.txt" }).url).toBe(azure.sign({ ...wish, blob: "a/b.txt" }).url);
    expect(code(() => azure.sign({ ...wish, blob: "a\\..\\b" }))).toBe("DOT_SEGMENTS");
  });

  it("refuses what would make several fields of one", () => {
    for (const text of ["a\nb", "a\u0000", "\u007f", "\u0085"]) {
      expect(code(() => azure.sign({ ...wish, response: { contentType: text } }))).toBe("INVALID_INPUT");
      expect(code(() => azure.sign({ ...wish, encryptionScope: text }))).toBe("INVALID_INPUT");
      expect(code(() => azure.sign({ ...wish, snapshot: text }))).toBe("INVALID_INPUT");
      expect(code(() => delegation.sign({ ...wish, correlationId: text }))).toBe("INVALID_INPUT");
      expect(code(() => delegation.sign({ ...wish, bind: { query: { a: text } } }))).toBe("INVALID_INPUT");
      expect(code(() => delegation.sign({ ...wish, bind: { headers: { a: text } } }))).toBe("INVALID_INPUT");
    }
  });

  it("refuses resources that do not go together, and names that Azure does not have", () => {
    const wrong: readonly object[] = [
      { snapshot: "s", versionId: "v" },
      { blob: undefined, snapshot: "s" },
      { blob: undefined, versionId: "v" },
      { blob: "" },
      { container: "" },
      { container: "" },
      { container: "a".repeat(64) },
      { container: "a--b" },
      { container: "Media" },
      { container: "a--b" },
      { container: "a/b" },
      { container: "x".repeat(64) },
      { protocol: "http" as never },
    ];
    for (const more of wrong)
      expect(
        code(() => azure.sign({ ...wish, ...more } as AzureSignRequest)),
        JSON.stringify(more),
      ).toBe("INVALID_INPUT");
  });

  it("refuses options that cannot be right", () => {
    for (const account of ["", "My", "a b", "x".repeat(25)]) {
      expect(code(() => azureSigner({ account, credentials: CREDENTIALS }))).toBe("INVALID_INPUT");
    }
    for (const endpoint of ["", "myaccount.blob.core.windows.net", "https://h?x", "https://u@h", "https://h//c"]) {
      expect(
        code(() => azureSigner({ account: ACCOUNT, endpoint, credentials: CREDENTIALS })),
        endpoint,
      ).toBe("INVALID_INPUT");
    }
    for (const accountKey of ["", "no base64", "AAE", "AAE=\n", undefined as unknown as string]) {
      expect(code(() => azureSigner({ account: ACCOUNT, credentials: { accountKey } }))).toBe("INVALID_KEY");
    }
  });

  it("says nothing of the key in its errors", () => {
    const accountKey = "c2VjcmV0LXNlY3JldA";
    expect(() => azureSigner({ account: ACCOUNT, credentials: { accountKey } })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining(accountKey) }),
    );
  });

  it("signs many, and a bad one stops nothing", () => {
    const results = [...azure.signMany([wish, { ...wish, permissions: "?" }, wish])];
    expect(results.map((result) => "error" in result)).toEqual([false, true, false]);
  });

  it("uses the current key of a function", () => {
    const keys = [CREDENTIALS.accountKey, "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8="];
    let current = 0;
    const signer = azureSigner({
      account: ACCOUNT,
      credentials: () => ({ accountKey: keys[current] as string }),
      clock,
    });
    const first = signer.sign(wish).url;
    current = 1;
    expect(signer.sign(wish).url).not.toBe(first);
    current = 0;
    expect(signer.sign(wish).url).toBe(first);
  });

  it("keeps the port and the path of an endpoint", () => {
    const endpoint = "http://127.0.0.1:10000/devstoreaccount1";
    const signer = azureSigner({
      account: "devstoreaccount1",
      endpoint: `${endpoint}/`,
      credentials: CREDENTIALS,
      clock,
    });
    expect(signer.sign(wish).url.startsWith(`${endpoint}/media/a.txt?`)).toBe(true);
    // From JavaScript, as the signers of other stores take it.
    const given = { account: "devstoreaccount1", endpoint: new URL(endpoint) as never, credentials: CREDENTIALS };
    expect(azureSigner(given).sign(wish).url.startsWith(`${endpoint}/media/a.txt?`)).toBe(true);
  });
});

describe("the facts of a signed SAS", () => {
  it("returns the URL's own facts, without the fields of a stored policy", () => {
    const { bound } = azure.sign({ container: "media", blob: "a", identifier: "policy" });
    expect(bound).toEqual(["account", "container", "blob", "stored policy"]);
    const whole = azure.sign({
      container: "media",
      blob: "a",
      versionId: "2026-01-01T00:00:00.0000000Z",
      permissions: "r",
      protocol: "https",
      encryptionScope: "scope",
      notBefore: new Date(AT.getTime() + 500),
      response: { cacheControl: "no-store", contentType: "a/b" },
      expiresIn: 60,
    });
    const words = ["permissions", "start", "end", "protocol", "version", "encryption scope", "response"];
    expect(whole.bound).toEqual(expect.arrayContaining(words));
    expect(new Set(whole.bound).size).toBe(whole.bound.length);
    expect(whole.unbound).not.toContain("scheme");
  });

  it("reports the blob or the path below a directory as unbound", () => {
    const wish = { container: "media", permissions: "r", expiresIn: 60 };
    expect(azure.sign({ ...wish, resource: "container" }).unbound).toContain("blob");
    expect(azure.sign({ ...wish, prefix: "talks/" }).unbound).toContain("path below the prefix");
    expect(azure.sign({ ...wish, blob: "a" }).unbound).not.toContain("blob");
    const account = azureAccountSigner({ account: ACCOUNT, credentials: CREDENTIALS, clock: () => AT });
    expect(account.sign({ resourceTypes: "o", permissions: "r", expiresIn: 60 }).unbound).toContain(
      "container and blob",
    );
  });

  it("begins in the second that it was asked for, as with Azure's library: a start of now does not lie ahead", () => {
    const notBefore = new Date(AT.getTime() + 500);
    const { url } = azure.sign({ container: "media", blob: "a", permissions: "r", notBefore, expiresIn: 60 });
    expect(new URL(url).searchParams.get("st")).toBe("2026-01-02T03:04:05Z");
  });
});
