import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { HeadObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { type TestGateway, testGateway } from "@daypass/gateway/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { needs } from "../../tools/needs.ts";

// Node sends the head in the encoding of the first bytes of a body: the SDK's ü is one byte before a Buffer and two before a string.
const BODIES = [
  ["a string", "text"],
  ["a Buffer", Buffer.from("text")],
] as const;

const PROGRAMS = [
  [
    "s3cmd",
    `s3cmd --config=/dev/null --no-ssl --host=$HOST --host-bucket=$HOST --region=us-east-1 --access_key=$ID --secret_key=$SECRET put --add-header='x-amz-meta-u: grüße' file s3://media/$KEY`,
  ],
  [
    "s3cmd with SigV2",
    `s3cmd --signature-v2 --config=/dev/null --no-ssl --host=$HOST --host-bucket=$HOST --access_key=$ID --secret_key=$SECRET put --add-header='x-amz-meta-u: grüße' file s3://media/$KEY`,
  ],
  [
    "rclone",
    `rclone --config "" --s3-provider Other --s3-endpoint http://$HOST --s3-region us-east-1 --s3-access-key-id $ID --s3-secret-access-key $SECRET copyto -M --metadata-set u=grüße file :s3:media/$KEY`,
  ],
  [
    "curl",
    `curl -fsS --aws-sigv4 aws:amz:us-east-1:s3 --user "$ID:$SECRET" -H 'x-amz-meta-u: grüße' -T file http://$HOST/media/$KEY`,
  ],
] as const;

let gateway: TestGateway;
let s3: S3Client;
let folder: string;

beforeAll(async () => {
  gateway = await testGateway({ files: { "media/.keep": "" } });
  s3 = new S3Client(gateway.clients.awsSdk);
  folder = mkdtempSync(join(tmpdir(), "daypass-metadata-"));
  writeFileSync(join(folder, "file"), "text");
});
afterAll(async () => {
  s3?.destroy();
  await gateway?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** As Amazon gives it back: "encoded as per RFC 2047 to make them mail-safe before returning". */
async function metadata(key: string): Promise<string> {
  const { Metadata = {} } = await s3.send(new HeadObjectCommand({ Bucket: "media", Key: key }));
  const [, words = ""] = /^=\?UTF-8\?B\?(.*)\?=$/.exec(Metadata["u"] ?? "") ?? [];
  return Buffer.from(words, "base64").toString();
}

describe("metadata with letters that are not ASCII", () => {
  test.each(BODIES)("comes from the AWS SDK with %s", async (key, Body) => {
    await s3.send(new PutObjectCommand({ Bucket: "media", Key: key, Body, Metadata: { u: "grüße" } }));
    expect(await metadata(key)).toBe("grüße");
  });

  for (const [name, command] of PROGRAMS) {
    const missing = needs(name.split(" ")[0] ?? "");
    test.skipIf(missing)(`comes from ${name}${missing ?? ""}`, async () => {
      const key = name.replaceAll(" ", "-");
      const { accessKeyId, secretAccessKey } = gateway.accessKey;
      await promisify(execFile)("bash", ["-euo", "pipefail", "-c", command], {
        cwd: folder,
        env: {
          PATH: process.env["PATH"],
          HOME: folder,
          LC_ALL: "C.UTF-8",
          HOST: `127.0.0.1:${gateway.port}`,
          ID: accessKeyId,
          SECRET: secretAccessKey,
          KEY: key,
        },
      });
      expect(await metadata(key)).toBe("grüße");
    });
  }
});
