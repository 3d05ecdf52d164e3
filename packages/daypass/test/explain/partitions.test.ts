import { explain, explainForm } from "daypass/explain";
import { s3Signer } from "daypass/s3";
import { s3FormSigner } from "daypass/s3/form";
import { describe, expect, it } from "vitest";
import { credentials } from "./raw-requests.ts";

const keys = [credentials];

describe.each([
  ["eu-west-1", "amazonaws.com", "eu-central-1"],
  ["cn-north-1", "amazonaws.com.cn", "cn-northwest-1"],
  ["eusc-de-east-1", "amazonaws.eu", "eusc-de-west-1"],
])("explain for a URL of %s at %s", (region, domain, other) => {
  const signer = s3Signer({ region, credentials });
  const { url } = signer.sign({ bucket: "media", key: "up/a.txt", expiresIn: 900 });

  it("returns the bucket of the host", async () => {
    expect(new URL(url).host).toBe(`media.s3.${region}.${domain}`);
    expect((await explain(url, { keys })).grants.resource).toBe("object up/a.txt in bucket media");
  });

  it("returns REGION for another region, and HOST for another spelling", async () => {
    const moved = await explain(url.replace(`s3.${region}`, `s3.${other}`));
    expect(moved.cause).toMatchObject({ code: "REGION", sentence: expect.stringContaining(other) });
    const { cause } = await explain(url.replace(`s3.${region}`, `s3-${region}`), { keys });
    expect(cause).toMatchObject({ code: "HOST", sentence: expect.stringContaining(`media.s3.${region}.${domain}`) });
  });

  it("returns BUCKET for a form at another host", async () => {
    const form = s3FormSigner({ region, credentials }).sign({ bucket: "media", key: "a.txt", expiresIn: 900 });
    for (const [host, what] of [
      [`other.s3.${region}.${domain}`, "other"],
      [`s3.${region}.${domain}`, "no bucket"],
    ]) {
      const { cause } = await explainForm(form, { sent: { url: `https://${host}/` } });
      expect(cause).toMatchObject({ code: "BUCKET", sentence: expect.stringContaining(`is posted to ${what}`) });
    }
  });
});
