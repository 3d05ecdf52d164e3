import { readFileSync, writeFileSync } from "node:fs";
import {
  BlobSASPermissions,
  BlobServiceClient,
  generateBlobSASQueryParameters,
  StorageSharedKeyCredential,
} from "@azure/storage-blob";
import { azureSigner, azureUserDelegationSigner } from "daypass/azure";
import { describe, expect, test } from "vitest";
import { daypassAzure } from "../oracles/azure-daypass.ts";
import { sdkUrl } from "../oracles/azure-sdk.ts";
import { azureVectors } from "../oracles/azure-vectors.ts";
import { type AzureKind, type AzureWish, randomAzureWish } from "../random/azure-wishes.ts";
import { hasDotSegment } from "../random/keys.ts";
import { runCount, runSeed, seeded } from "../random/seeded.ts";

const KINDS: readonly AzureKind[] = ["service", "account", "user-delegation"];

describe.each(KINDS)("%s SAS of @azure/storage-blob 12.34.0", (kind) => {
  test(`is the same URL, byte for byte, on ${runCount()} random requests`, () => {
    const random = seeded(runSeed());
    let dotted = 0;
    let backslashes = 0;
    for (let left = runCount(); left > 0; left--) {
      // The server makes a slash of each backslash, and the SDK's clients do, too; its bare function does not.
      const asked = randomAzureWish(random, kind);
      const wish = { ...asked, ...(asked.blob === undefined ? {} : { blob: asked.blob.replaceAll("\\", "/") }) };
      if (wish.blob !== asked.blob) backslashes += 1;
      const [path, tokens] = splitUrl(daypassAzure(asked).url, wish);
      // The SDK builds its path with a URL parser, which removes dot segments: its URL is for another blob, if any.
      const isDotted = hasDotSegment(wish.blob ?? "");
      if (isDotted) dotted += 1;
      const [theirPath, theirTokens] = splitUrl(isDotted ? sdkUrl(wish, "x") : sdkUrl(wish), {});
      // The SDK for directories puts `sdd` last; the SDK for blobs puts it in our place.
      if (wish.directory !== undefined) for (const list of [tokens, theirTokens]) list.sort();
      expect(tokens.join("&"), JSON.stringify(wish)).toBe(theirTokens.join("&"));
      if (!isDotted) expect(path, JSON.stringify(wish)).toBe(theirPath);
    }
    console.log(
      `${kind}, seed ${runSeed()}: ${runCount()} equal, but for the path of ${dotted} with dot segments (${backslashes} with a backslash)`,
    );
    expect(dotted).toBeGreaterThan(0);
  });
});

/** Parameters that we put into the URL and the SDK leaves to the caller are taken out. */
function splitUrl(url: string, { query = {} }: Pick<AzureWish, "query">): readonly [path: string, tokens: string[]] {
  const mark = url.indexOf("?");
  const names = Object.keys(query).map(encodeURIComponent);
  const tokens = url.slice(mark + 1).split("&");
  return [url.slice(0, mark), tokens.filter((token) => !names.includes(token.split("=")[0] as string))];
}

test("the library's vectors are what the SDKs sign today", () => {
  const file = new URL("../../packages/daypass/test/vectors/azure/sas.json", import.meta.url);
  const made = {
    source: "@azure/storage-blob 12.34.0; directories: @azure/storage-file-datalake 12.31.0",
    madeBy: "DAYPASS_WRITE_VECTORS=1 npx vitest run test/azure-sdk.test.ts, in conformance/",
    vectors: azureVectors(),
  };
  if (process.env["DAYPASS_WRITE_VECTORS"] === "1") writeFileSync(file, `${JSON.stringify(made, null, 2)}\n`);
  expect(JSON.parse(readFileSync(file, "utf8"))).toEqual(JSON.parse(JSON.stringify(made)));
});

const accountKey = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const account = "myaccount";
const wanted = {
  permissions: BlobSASPermissions.parse("r"),
  expiresOn: new Date("2026-01-02T04:00:00Z"),
  version: "2020-12-06",
};
const clock = (): Date => new Date("2026-01-02T03:00:00Z");
const asked = { container: "media", permissions: "r", expiresIn: 3600 };
const userDelegationKey = {
  ...{ signedObjectId: "o", signedTenantId: "t", signedService: "b", signedVersion: "2020-12-06", value: accountKey },
  ...{ signedStartsOn: new Date("2026-01-01T00:00:00Z"), signedExpiresOn: new Date("2026-01-03T00:00:00Z") },
};

test("the SDK's client signs another blob for a name with dot segments, and Daypass refuses the name", async () => {
  const service = new BlobServiceClient(
    `https://${account}.blob.core.windows.net`,
    new StorageSharedKeyCredential(account, accountKey),
  );
  const sdk = (blob: string) => service.getContainerClient("media").getBlobClient(blob).generateSasUrl(wanted);
  expect(await sdk("uploads/../secret")).toBe(await sdk("secret"));
  const azure = azureSigner({ account, credentials: { accountKey }, version: wanted.version, clock });
  expect(await sdk("secret")).toBe(azure.sign({ ...asked, blob: "secret" }).url);
  expect(() => azure.sign({ ...asked, blob: "uploads/../secret" })).toThrow(
    expect.objectContaining({ code: "DOT_SEGMENTS" }),
  );
});

test.each(["2020-02-10", "2022-11-02", "2026-10-06"])(
  "the SDK for blobs signs a directory of %s as we do",
  (version) => {
    const values = { ...wanted, version, containerName: "media", blobName: "talks/2026", isDirectory: true };
    const theirs = generateBlobSASQueryParameters(
      values,
      new StorageSharedKeyCredential(account, accountKey),
    ).toString();
    const azure = azureSigner({ account, credentials: { accountKey }, version, clock });
    expect(azure.sign({ ...asked, prefix: "talks/2026/" }).url.split("?")[1]).toBe(theirs);

    const credentials = { userDelegationKey };
    const delegated = azureUserDelegationSigner({ account, credentials, version, clock });
    const { url } = delegated.sign({ ...asked, prefix: "talks/2026/" });
    expect(url.split("?")[1]).toBe(generateBlobSASQueryParameters(values, userDelegationKey, account).toString());
  },
);

test("the SDK drops what an older version does not sign, and Daypass refuses it", () => {
  const sdk = (more: object): string =>
    generateBlobSASQueryParameters(
      { containerName: "media", blobName: "a", ...wanted, ...more },
      userDelegationKey,
      account,
    ).toString();
  const plain = sdk({});
  expect(sdk({ delegatedUserObjectId: "u" })).toBe(plain);
  expect(sdk({ requestHeaders: { "x-a": "b" } })).toBe(plain);
  expect(sdk({ requestQueryParameters: { a: "b" } })).toBe(plain);
  // The parameter is in the URL, but the signature covers the URL without it.
  expect(sdk({ identifier: "weekly" }).replace("&si=weekly", "")).toBe(plain);

  const credentials = { userDelegationKey };
  const azure = azureUserDelegationSigner({ account, credentials, version: wanted.version, clock });
  const ours = (more: object) => azure.sign({ ...asked, blob: "a", ...more });
  expect(ours({}).url.endsWith(`?${plain}`)).toBe(true);
  for (const more of [
    { delegatedUserObjectId: "u" },
    { bind: { headers: { "x-a": "b" } } },
    { bind: { query: { a: "b" } } },
  ]) {
    expect(() => ours(more)).toThrow(expect.objectContaining({ code: "INVALID_INPUT" }));
  }
  expect(() => ours({ identifier: "weekly" })).toThrow(expect.objectContaining({ code: "UNSUPPORTED_CONSTRAINT" }));
});
