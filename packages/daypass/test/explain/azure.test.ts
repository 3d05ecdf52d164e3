import { azureSigner } from "daypass/azure";
import { describe, expect, it } from "vitest";
import { ACCOUNT, CREDENTIALS, DELEGATION_KEY } from "../azure/fixture.ts";
import { askingAt } from "./asking.ts";
import { account, at, azure, delegation, key, now, wish, withPlus, wrongUrl } from "./azure-urls.ts";

const { ask, trapsOf } = askingAt(now);

describe("explain for a SAS", () => {
  it("returns grants, bindings, open parts and expiry", async () => {
    const { url } = azure.sign({
      ...wish,
      protocol: "https",
      bind: { ip: "203.0.113.9" },
      response: { contentType: "text/plain" },
    });
    const explanation = await ask(url);
    expect(explanation).toMatchObject({
      scheme: "azure",
      summary:
        "An Azure service SAS (sv 2022-11-02) for blob talks/a b.txt in container media in account myaccount, permissions r, valid until 2026-01-02T04:04:05.000Z.",
      signedBy: ACCOUNT,
      grants: { methods: ["GET", "HEAD", "POST"] },
      endsAt: new Date("2026-01-02T04:04:05Z"),
      mayEndEarlier: "when the account key that signed it is regenerated",
      mustSend: [],
      cause: undefined,
      stringToSign: undefined,
    });
    expect(explanation.binds).toEqual([
      "account",
      "container",
      "blob",
      "permissions",
      "end",
      "client address",
      "protocol",
      "headers of the answer",
    ]);
    expect(explanation.leavesOpen).toEqual(
      expect.arrayContaining(["method, within the permissions", "every header", "body"]),
    );
    expect(explanation.traps.map(({ name }) => name)).toEqual(["address-in-azure"]);
  });

  it("returns no expiry for a stored policy", async () => {
    const { endsAt, summary, mayEndEarlier, grants } = await ask(
      azure.sign({ container: "media", blob: "a", identifier: "weekly" }).url,
    );
    expect(endsAt).toBeUndefined();
    expect(summary).toContain("until its stored policy ends");
    expect(mayEndEarlier).toContain("the URL alone does not show when it really expires");
    expect(grants.methods).toBeUndefined();
  });

  it("returns the resource of each kind", async () => {
    const resource = async (url: string) => (await ask(url)).grants.resource;
    const time = "2026-01-01T00:00:00.1234567Z";
    expect(await resource(account.sign({ ...wish, resourceTypes: "o" }).url)).toMatch(
      /^every resource of account myaccount/,
    );
    expect(
      await resource(azure.sign({ container: "media", resource: "container", permissions: "rl", expiresIn: 9 }).url),
    ).toMatch(/^container media .* every blob/);
    expect(
      await resource(azure.sign({ container: "media", prefix: "a/b", permissions: "r", expiresIn: 9 }).url),
    ).toMatch(/directory 2 deep/);
    expect(await resource(azure.sign({ ...wish, snapshot: time }).url)).toContain(`snapshot ${time} of`);
    expect(await resource(azure.sign({ ...wish, versionId: time }).url)).toContain(`version ${time} of`);
    const bound = await ask(
      delegation.sign({ ...wish, permissions: "cw", bind: { contentType: "a/b", query: { tenant: "x" } } }).url,
    );
    expect(bound.signedBy).toBe(DELEGATION_KEY.signedObjectId);
    expect(bound.binds).toEqual(expect.arrayContaining(["header content-type", "parameter tenant"]));
    expect(bound.mustSend).toEqual([{ name: "x-ms-blob-type", value: "BlockBlob" }, { name: "content-type" }]);
    expect(bound.startsAt).toEqual(new Date(DELEGATION_KEY.signedStartsOn));
  });

  it("returns the expiry of the user delegation key", async () => {
    const url = delegation.sign(wish).url.replace(/se=[^&]*/, "se=2026-02-01");
    expect((await ask(url)).endsAt).toEqual(new Date(DELEGATION_KEY.signedExpiresOn));
  });

  it("reads Azurite's paths, which begin with the account", async () => {
    const endpoint = "http://127.0.0.1:10000/devstoreaccount1";
    const { url } = azureSigner({ account: "devstoreaccount1", endpoint, credentials: CREDENTIALS, ...at }).sign(wish);
    expect((await ask(url, { keys: [key] })).stringToSign).toContain("/blob/devstoreaccount1/media/talks/a b.txt");
  });
});

describe("explain for a SAS with traps", () => {
  const long = { ...wish, expiresIn: 700_000 };
  it.each([
    ["account-sas", account.sign({ ...wish, resourceTypes: "o" }).url],
    ["stored-policy", azure.sign({ container: "media", blob: "a", identifier: "weekly" }).url],
    ["no-protocol", azure.sign(wish).url],
    ["start-now", azure.sign({ ...wish, notBefore: new Date("2026-01-02T03:29:00Z") }).url],
    ["time-without-zone", wrongUrl({ fields: { se: "2026-01-02T04:04:05" } })],
    ["address-in-azure", azure.sign({ ...wish, bind: { ip: "203.0.113.9" } }).url],
    ["long-life", azure.sign(long).url],
    [
      "new-version",
      azureSigner({ account: ACCOUNT, credentials: CREDENTIALS, version: "2026-04-06", ...at }).sign(wish).url,
    ],
    ["create-only", azure.sign({ ...wish, permissions: "c" }).url],
    ["upload-needs-type", azure.sign({ ...wish, permissions: "w" }).url],
    [
      "list-needs-parameters",
      azure.sign({ container: "media", resource: "container", permissions: "l", expiresIn: 9 }).url,
    ],
    ["directory", azure.sign({ container: "media", prefix: "a", permissions: "r", expiresIn: 9 }).url],
    ["plus-in-signature", withPlus((signature) => signature.replaceAll("=", "%3D").replaceAll("/", "%2F"))],
    ["signature-encoded-twice", wrongUrl({ spell: (signature) => encodeURIComponent(encodeURIComponent(signature)) })],
    ["user-token", delegation.sign({ ...wish, delegatedUserObjectId: "u" }).url],
    ["http", azure.sign(wish).url.replace("https", "http")],
  ])("returns the trap %s", async (name, url) => {
    expect(await trapsOf(url)).toContain(name);
    expect(await trapsOf(azure.sign({ ...wish, protocol: "https" }).url)).toEqual([]);
  });
});
