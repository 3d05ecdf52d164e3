import { s3Signer } from "daypass/s3";
import { expect, test } from "vitest";
import { findingReader } from "../src/commands/scan/finding.ts";

const SIGNED_AT = Date.parse("2026-01-02T03:04:05Z");

test("a URL that was found has ended at the instant at which it ends", async () => {
  const { url } = s3Signer({
    region: "us-east-1",
    credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" },
    clock: () => new Date(SIGNED_AT),
  }).sign({ bucket: "media", key: "a.txt", expiresIn: 60 });
  const lifeAt = async (time: number) => (await findingReader()(url, new Date(time)))?.life;
  const end = SIGNED_AT + 60_000;
  expect([await lifeAt(end - 1), await lifeAt(end), await lifeAt(end + 1)]).toEqual(["live", "ended", "ended"]);
});
