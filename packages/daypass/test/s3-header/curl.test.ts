import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import type { WireRequest } from "daypass";
import { s3HeaderVerifier } from "daypass/s3/header";
import { describe, expect, it } from "vitest";

const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
const run = promisify(execFile);
const version = await run("curl", ["--version"]).then(
  ({ stdout }) => /^curl (\d+)\.(\d+)/.exec(stdout)?.slice(1).map(Number) ?? [0, 0],
  () => [0, 0],
);
// curl signs S3's payload hash since 7.87 and spaces in the path rightly since 8.3.
const [major = 0, minor = 0] = version;
const isUsable = major > 8 || (major === 8 && minor >= 3);

/** Sends one request with curl and returns it as it arrived on the socket. */
async function capture(path: string, ...args: string[]): Promise<WireRequest> {
  const received: WireRequest[] = [];
  const server = createServer((request, response) => {
    const { method = "", url: target = "", rawHeaders } = request;
    const headers = rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [[name, rawHeaders[i + 1] ?? ""] as const] : []));
    received.push({ method, target, authority: request.headers.host ?? "", headers });
    request.resume().on("end", () => response.end());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  try {
    const { accessKeyId, secretAccessKey } = credentials;
    // The secret by standard input, as a user would keep it out of the process list.
    const curl = run("curl", [
      "--silent",
      "--show-error",
      "--aws-sigv4",
      "aws:amz:us-east-1:s3",
      "--config",
      "-",
      ...args,
      `http://127.0.0.1:${port}${path}`,
    ]);
    curl.child.stdin?.end(`user = "${accessKeyId}:${secretAccessKey}"\n`);
    await curl;
  } finally {
    server.close();
  }
  const [request] = received;
  if (request === undefined) throw new Error("curl sent nothing");
  return request;
}

const verifierFor = ({ authority }: WireRequest) =>
  s3HeaderVerifier({ credentials, origins: [`http://${authority}`], enforces: ["body-sha256"] });

describe.skipIf(!isUsable)("requests of curl --aws-sigv4, captured on a socket", () => {
  it.each([
    ["a download", "/media/a.txt", []],
    ["a key with encoded characters", "/media/a%20b%2Bc/%C3%A9.txt", []],
    ["a listing", "/media?list-type=2&prefix=a%2Fb", []],
    ["an upload", "/media/a.txt", ["-X", "PUT", "--data-binary", "hello"]],
    [
      "an upload with a type and metadata",
      "/media/a.txt",
      ["-X", "PUT", "-d", "x", "-H", "content-type: text/plain", "-H", "x-amz-meta-a: b"],
    ],
    ["a deletion", "/media/a.txt", ["-X", "DELETE"]],
  ] as const)("accepts %s", async (_, path, args) => {
    const request = await capture(path, ...args);
    const grant = await verifierFor(request).verify(request);
    expect(grant).toMatchObject({ bucket: "media", methods: [request.method], scheme: "s3/header" });
    const other = { ...request, target: `${request.target}x` };
    await expect(verifierFor(request).verify(other)).rejects.toMatchObject({ code: "SIGNATURE_MISMATCH" });
  });
});
