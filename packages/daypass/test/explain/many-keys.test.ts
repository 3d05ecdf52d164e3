import { type ExplainKey, explain } from "daypass/explain";
import { nginxSigner } from "daypass/nginx";
import { s3Signer } from "daypass/s3";
import { describe, expect, it } from "vitest";
import { credentials } from "./raw-requests.ts";

const clock = () => new Date("2026-11-24T12:00:00Z");
const soon = () => new Date("2026-11-24T12:05:00Z");
const { url } = s3Signer({ region: "eu-west-1", credentials, clock }).sign({
  bucket: "media",
  key: "a",
  expiresIn: 900,
});
const others = Array.from({ length: 49 }, (_, i) => ({ ...credentials, secretAccessKey: `${i} ${i} ${i}` }));
const causeOf = async (of: string, keys: readonly ExplainKey[]) => (await explain(of, { clock: soon, keys })).cause;

describe("explain with many keys of one id", () => {
  it("tries each key unchanged, damaged, and with one change", async () => {
    expect(await causeOf(url, [...others, credentials])).toBeUndefined();
    const damaged = { ...credentials, secretAccessKey: `${credentials.secretAccessKey} ` };
    const { url: wrong } = s3Signer({ region: "eu-west-1", credentials: damaged, clock }).sign({
      ...{ bucket: "media", key: "a", expiresIn: 900 },
    });
    expect(await causeOf(wrong, [...others, credentials])).toMatchObject({
      code: "WRONG_SECRET",
      sentence: expect.stringContaining("a space at its end"),
    });
    expect(await causeOf(`${url}&utm_source=x`, [...others, credentials])).toMatchObject({ code: "QUERY" });
  });

  it("tries each key with each method before all changes of one", async () => {
    const { url: put } = s3Signer({ region: "eu-west-1", credentials, clock }).sign({
      ...{ bucket: "media", key: "a", method: "DELETE", expiresIn: 900 },
    });
    expect(await causeOf(`${put}&utm_source=x`, [...others, credentials])).toMatchObject({ code: "QUERY" });
    expect((await causeOf(put, others))?.evidence.join(" ")).toContain("Not every change was tried");
    expect((await causeOf(put, others.slice(0, 1)))?.evidence.join(" ")).not.toContain("Not every change");
  });

  it("limits the tries of all keys together", async () => {
    const nginx = nginxSigner({ secret: "right", clock }).sign({ url: "https://e.example/a/b", expiresIn: 900 }).url;
    const secrets = others.map((_, i) => ({ scheme: "nginx", secret: `${i} ${i}` }) as const);
    for (const [of, keys] of [
      [url, others],
      [nginx, secrets],
    ] as const) {
      const { cause, hypotheses } = await explain(of, { clock: soon, keys });
      expect(cause?.code).toBe("WRONG_SECRET");
      // The hypotheses count the tries with the first key.
      const tried = hypotheses?.reduce((sum, { tried }) => sum + tried, 0) ?? 0;
      expect(tried).toBeLessThan(1000);
    }
  });
});
