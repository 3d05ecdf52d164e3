import { s3FormSigner } from "daypass/s3/form";
import { s3FormV2Signer } from "daypass/s3/form/v2";
import { describe, expect, it } from "vitest";
import { s3Code, sendS3, useGateway } from "../e2e/clients.ts";

const shortLived = { accessKeyId: "AKIDSHORT", secretAccessKey: "short", scope: { maxLife: 3600 } };
const gateway = useGateway({
  files: { "media/hello.txt": "hello" },
  gateway: () => ({
    keys: { s3: (id) => [gateway.accessKey, shortLived].find(({ accessKeyId }) => accessKeyId === id) },
  }),
});

type Fields = Readonly<Record<string, string>>;

/** Posts the fields of a form that leaves the values of `open` to its sender. */
function post(key: string, open: Fields, fileName?: string): Promise<string> {
  const form = s3FormSigner({ region: "us-east-1", endpoint: gateway.url, credentials: gateway.accessKey }).sign({
    bucket: "media",
    key,
    expiresIn: 60,
    conditions: Object.keys(open).map((name) => ["starts-with", `$${name}`, ""]),
  });
  return send(form.url, { ...form.fields, ...open }, fileName);
}

/** Byte for byte: no browser would write some of these. */
async function send(url: string, fields: Fields, fileName = "a"): Promise<string> {
  const part = (disposition: string, value: string): string =>
    `--B\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n${value}\r\n`;
  const parts = Object.entries(fields).map(([name, value]) => part(`name="${name}"`, value));
  const reply = await fetch(url, {
    method: "POST",
    headers: { "content-type": "multipart/form-data; boundary=B" },
    body: `${parts.join("")}${part(`name="file"; filename="${fileName}"`, "content")}--B--\r\n`,
  });
  return `${reply.status} ${s3Code(await reply.text()) ?? ""}`.trim();
}

describe("the sender of a form", () => {
  it.each(["text/plain\r\nX-Evil: 1", "text/html\n", "a\0b", "t€xt/html", "\x7f"])(
    "cannot plant an object that nobody can download by the type %j",
    async (type) => {
      for (const name of ["Content-Type", "Cache-Control", "Content-Disposition"]) {
        expect([name, await post("planted", { [name]: type })]).toEqual([name, "400 InvalidArgument"]);
      }
      expect((await sendS3(gateway, { key: "planted" })).status).toBe(404);
    },
  );

  // biome-ignore-start lint/suspicious/noTemplateCurlyInString: S3's own spelling
  it("makes no megabytes of 20 KB by the name of the file, which each ${filename} stands for", async () => {
    const places = (count: number): Fields => ({ "x-amz-meta-a": "${filename}".repeat(count) });
    expect(await post("names", places(10), "short.txt")).toBe("204");
    expect(await post("names", places(1000), "n".repeat(1000))).toBe("400 MaxPostPreDataLengthExceeded");
    // A long name alone uses little memory.
    expect(await post("names", { "x-amz-meta-a": "none" }, "n".repeat(1000))).toBe("204");
  });
  // biome-ignore-end lint/suspicious/noTemplateCurlyInString: S3's own spelling

  it("has no more time than the key may give, and a form in SigV2 does not tell since when", async () => {
    for (const make of [s3FormSigner, s3FormV2Signer]) {
      const signer = make({ region: "us-east-1", endpoint: gateway.url, credentials: shortLived });
      const sent = ({ expiresIn }: { readonly expiresIn: number }): Promise<string> => {
        const { url, fields } = signer.sign({ bucket: "media", key: "late", expiresIn });
        return send(url, fields);
      };
      expect([make.name, await sent({ expiresIn: 3500 })]).toEqual([make.name, "204"]);
      expect([make.name, await sent({ expiresIn: 3700 })]).toEqual([make.name, "403 AccessDenied"]);
    }
  });

  it("refuses bytes that do not match the Content-MD5 or SHA-256 in the policy", async () => {
    const signer = s3FormSigner({ region: "us-east-1", endpoint: gateway.url, credentials: gateway.accessKey });
    for (const [name, right, wrong, code] of [
      ["Content-MD5", "mgNkuembtIDdJeHwKEyFVQ==", "1B2M2Y8AsgTpgAmY7PhCfg==", "400 BadDigest"],
      ["x-amz-checksum-crc32", "/sUwqQ==", "AAAAAQ==", "400 BadDigest"],
      [
        "x-amz-content-sha256",
        "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73",
        "0".repeat(64),
        "400 XAmzContentSHA256Mismatch",
      ],
    ] as const) {
      const sent = (value: string): Promise<string> => {
        const { url, fields } = signer.sign({
          bucket: "media",
          key: "bound",
          expiresIn: 60,
          fields: { [name]: value },
        });
        return send(url, fields);
      };
      expect([name, await sent(wrong)]).toEqual([name, code]);
      expect([name, await sent(right)]).toEqual([name, "204"]);
    }
  });
});
