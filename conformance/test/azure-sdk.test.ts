import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { daypassAzure } from "../oracles/azure-daypass.ts";
import { sdkUrl } from "../oracles/azure-sdk.ts";
import { azureVectors } from "../oracles/azure-vectors.ts";
import { type AzureKind, type AzureWish, randomAzureWish } from "../random/azure-wishes.ts";
import { hasDotSegment } from "../random/keys.ts";
import { runCount, runSeed, seeded } from "../random/seeded.ts";

const KINDS: readonly AzureKind[] = ["service", "account", "user-delegation"];

describe.each(KINDS)("%s SAS of @azure/storage-blob 12.32.0", (kind) => {
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
      // The SDK for directories puts `sdd` last; newer ones for blobs have it where we have it.
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
    source: "@azure/storage-blob 12.32.0; directories: @azure/storage-file-datalake 12.29.0",
    madeBy: "DAYPASS_WRITE_VECTORS=1 npx vitest run test/azure-sdk.test.ts, in conformance/",
    vectors: azureVectors(),
  };
  if (process.env["DAYPASS_WRITE_VECTORS"] === "1") writeFileSync(file, `${JSON.stringify(made, null, 2)}\n`);
  expect(JSON.parse(readFileSync(file, "utf8"))).toEqual(JSON.parse(JSON.stringify(made)));
});
