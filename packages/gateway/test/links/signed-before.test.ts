import { s3Signer } from "daypass/s3";
import { s3V2Signer } from "daypass/s3/v2";
import { urlSigner } from "daypass/url";
import { expect, it } from "vitest";
import { linkBench, URL_KEY } from "./link-bench.ts";

const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" };
const bench = linkBench(() => ({
  url: [URL_KEY],
  s3: (id) => (id === credentials.accessKeyId ? credentials : undefined),
}));

it("refuses URLs that a key signed before an instant, in every dialect that signs a date", async () => {
  const object = { bucket: "media", key: "film.mp4", expiresIn: 600 };
  const sign = (): Record<string, string> => {
    const { url: endpoint, clock } = bench;
    const options = { endpoint, region: "us-east-1", addressing: "path", credentials, clock } as const;
    return {
      s3: s3Signer(options).sign(object).url,
      url: urlSigner({ key: URL_KEY, clock }).sign({ url: `${endpoint}/media/film.mp4`, expiresIn: 600 }).url,
      // A URL of version 2 contains no date.
      "s3/v2": s3V2Signer(options).sign(object).url,
    };
  };
  const statuses = async (urls: Record<string, string>): Promise<Record<string, number>> =>
    Object.fromEntries(
      await Promise.all(Object.entries(urls).map(async ([id, url]) => [id, (await fetch(url)).status] as const)),
    );
  const early = sign();
  expect(await statuses(early)).toEqual({ s3: 200, url: 200, "s3/v2": 200 });
  bench.now += 10_000;
  const before = bench.now;
  const changes = [credentials.accessKeyId, URL_KEY.kid].map((id, i) => {
    const selector = { kind: "signed-before", id, before } as const;
    return { revision: i + 1, selector };
  });
  bench.links.apply(changes);
  expect(await statuses(early)).toEqual({ s3: 403, url: 403, "s3/v2": 200 });
  expect(await statuses(sign())).toEqual({ s3: 200, url: 200, "s3/v2": 200 });
});
