import { s3Signer } from "daypass/s3";
import { s3V2Signer } from "daypass/s3/v2";
import { urlSigner } from "daypass/url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AccessEvent } from "../../src/index.ts";
import { requestLine } from "../../src/node/log.ts";
import { type TestGateway, testGateway } from "../../src/testing/index.ts";
import { FORM_GATEWAY, formCalls } from "./form-posts.ts";
import { headerSignature } from "./header-signature.ts";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await testGateway(FORM_GATEWAY);
});
afterAll(() => gateway.close());

const { signForm, post } = formCalls(() => gateway);
const anHourAgo = () => new Date(Date.now() - 3_600_000);
const lastEvent = async (work: Promise<unknown>) => {
  const before = gateway.events.length;
  await work;
  await expect.poll(() => gateway.events.length).toBeGreaterThan(before);
  return gateway.events.at(-1);
};
const signed = (clock = () => new Date()) =>
  s3Signer({ ...gateway.clients.daypass, clock }).sign({ bucket: "media", key: "hello.txt", expiresIn: 60 });
const withHeader = (payload: string, at = new Date()) => {
  const { port, accessKey: key } = gateway;
  const headers = headerSignature({ method: "PUT", path: "/media/x", host: `127.0.0.1:${port}`, key, payload, at });
  return fetch(`${gateway.url}/media/x`, { method: "PUT", body: "x", headers });
};

describe("the event of a request that is refused although its signature matches names the signer", () => {
  const cases: readonly [string, string, () => Promise<unknown>][] = [
    ["EXPIRED", "s3", () => fetch(signed(anHourAgo).url)],
    ["CLOCK_SKEW", "s3/header", () => withHeader("UNSIGNED-PAYLOAD", anHourAgo())],
    [
      "EXPIRED",
      "url",
      () => {
        const signer = urlSigner({ key: gateway.urlKey, clock: anHourAgo });
        return fetch(signer.sign({ url: `${gateway.url}/media/hello.txt`, expiresIn: 60 }).url);
      },
    ],
    ["POLICY_EXPIRED", "s3/form", () => post(signForm({}, anHourAgo))],
    ["POLICY_NOT_MET", "s3/form", () => post(signForm(), { change: (fields) => ({ ...fields, extra: "1" }) })],
  ];
  it.each(cases)("%s of %s", async (code, scheme, send) => {
    const event = await lastEvent(send());
    expect(event).toMatchObject({ code, scheme });
    expect([event?.keyId, event?.grantId?.length]).toEqual([
      scheme === "url" ? gateway.urlKey.kid : gateway.accessKey.accessKeyId,
      22,
    ]);
  });

  it("with the id that the signer knows", async () => {
    const { url, id } = signed(anHourAgo);
    expect((await lastEvent(fetch(url)))?.grantId).toBe(id);
  });
});

it("names no signer in the event of a request whose signature does not match", async () => {
  for (const url of [signed().url, signed(anHourAgo).url]) {
    const event = await lastEvent(fetch(gateway.tamper(url)));
    expect([event?.scheme, event?.keyId, event?.grantId]).toEqual([undefined, undefined, undefined]);
  }
});

it("gives the reason of a refusal in words, which S3's answer does not", async () => {
  const v2 = s3V2Signer({ ...gateway.clients.daypass, region: "us-east-1" });
  const { url } = v2.sign({ bucket: "media", key: "hello.txt", expiresIn: 60 });
  const refused = async (target: string) => {
    const event = await lastEvent(fetch(target));
    const line = JSON.parse(requestLine(event as AccessEvent));
    return [line.requestId === event?.requestId, line.status, line.code, line.reason];
  };
  const unsigned = 'SigV2 does not sign the parameter "a". Leave it out, or list it in allowUnsigned';
  expect(await refused(`${url}&a=b`)).toEqual([true, 403, "UNSIGNED_PARAMETER", unsigned]);
  const expired = await refused(signed(anHourAgo).url);
  expect(expired[3]).toMatch(/^the URL expired at 20/);
  expect((await lastEvent(fetch(signed().url)))?.reason).toBeUndefined();
});

it("leaves a signature out of the reason of a refusal", async () => {
  const { url } = s3V2Signer({ ...gateway.clients.daypass, region: "us-east-1" }).sign({
    ...{ bucket: "media", key: "hello.txt", expiresIn: 60 },
  });
  const event = await lastEvent(fetch(`${url}&x%26Signature%3Ds3cr3t=1`));
  expect(event?.code).toBe("UNSIGNED_PARAMETER");
  expect(requestLine(event as AccessEvent)).not.toContain("s3cr3t");
});

it("has path, bucket and key of a request, without its query", async () => {
  const event = await lastEvent(fetch(signed().url));
  expect(event).toMatchObject({ path: "/media/hello.txt", bucket: "media", key: "hello.txt" });
  expect(JSON.parse(JSON.stringify(event))).toMatchObject({ path: "/media/hello.txt", key: "hello.txt" });
});

it("reports no error for a payload mode that the gateway does not support", async () => {
  const event = await lastEvent(withHeader("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"));
  expect(event).toMatchObject({ status: 501, code: "UNSUPPORTED_PAYLOAD", error: undefined });
});
