import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type TestGateway, testGateway } from "../../src/testing/index.ts";
import { callBucket, contentMd5 } from "../e2e/bucket-client.ts";
import { s3Code } from "../e2e/clients.ts";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await testGateway({ files: { "media/a.txt": "a" } });
});
afterAll(() => gateway.close());

describe("a body that is cheap to send and dear to read", () => {
  // An end of quadratic time took 17 minutes of the one thread for these 1 MB.
  it("has no spaces in the end of an element that take the square of their number", async () => {
    const body = `<Delete></Delete${" ".repeat(1_000_000)}x>`;
    const started = performance.now();
    const reply = await callBucket(gateway, { method: "POST", query: { delete: "" }, body, headers: contentMd5(body) });
    expect([reply.status, s3Code(reply.body)]).toEqual([400, "MalformedXML"]);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});
