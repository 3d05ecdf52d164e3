import { writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { S3Client } from "@aws-sdk/client-s3";
import {
  createCredentialChain,
  fromContainerMetadata,
  fromEnv,
  fromHttp,
  fromIni,
  fromNodeProviderChain,
  fromProcess,
  fromTemporaryCredentials,
} from "@aws-sdk/credential-providers";
import { type TestGateway, testGateway } from "@daypass/gateway/testing";
import { rotatingCredentials } from "daypass";
import { type S3Credentials, s3Signer, s3Verifier } from "daypass/s3";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { temporaryFolder } from "../servers/temporary.ts";

const SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const folder = temporaryFolder();
const minutes = (count: number): Date => new Date(Math.ceil(Date.now() / 1000) * 1000 + count * 60_000);

/** What signs for a minute with the provider's credentials, and who they are of. */
async function signs(
  provider: () => Promise<S3Credentials>,
): Promise<{ readonly key: S3Credentials; readonly url: string }> {
  const credentials = rotatingCredentials(provider);
  await credentials.ready();
  const key = credentials.current();
  const s3 = s3Signer({ region: "eu-west-1", endpoint: "https://s3.example.com", credentials: credentials.current });
  const { url } = s3.sign({ bucket: "media", key: "a.png", expiresIn: 60 });
  const verifier = s3Verifier({ credentials: key, origins: ["https://s3.example.com"] });
  const grant = await verifier.verify({
    method: "GET",
    target: url.slice("https://s3.example.com".length),
    authority: "s3.example.com",
    headers: [],
  });
  expect(grant.keyId).toBe(key.accessKeyId);
  return { key, url };
}

/** A program that prints credentials for `credential_process` of the shared files; another key each time. */
function program(end: Date): string {
  const path = `${folder.path}/program-${end.getTime()}.mjs`;
  const fields = `Version: 1, SecretAccessKey: ${JSON.stringify(SECRET)}, SessionToken: "token", Expiration: "${end.toISOString()}"`;
  writeFileSync(path, `console.log(JSON.stringify({ AccessKeyId: "ASIA" + process.hrtime.bigint(), ${fields} }));`);
  return `${process.execPath} ${path}`;
}

let files = 0;
// The SDK reads a file once in the life of a process, so each gets another name.
function sharedFiles(profile: string): { readonly filepath: string; readonly configFilepath: string } {
  files += 1;
  const filepath = `${folder.path}/credentials-${files}`;
  const configFilepath = `${folder.path}/config-${files}`;
  writeFileSync(filepath, profile);
  writeFileSync(configFilepath, "");
  return { filepath, configFilepath };
}

afterEach(() => vi.unstubAllEnvs());
afterAll(() => folder.remove());

describe("providers of @aws-sdk/credential-providers 3.1175.0 in rotatingCredentials", () => {
  test("fromEnv, with a session and its end", async () => {
    const end = minutes(30);
    vi.stubEnv("AWS_ACCESS_KEY_ID", "ASIAENVIRONMENT00000");
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", SECRET);
    vi.stubEnv("AWS_SESSION_TOKEN", "token/+=");
    vi.stubEnv("AWS_CREDENTIAL_EXPIRATION", end.toISOString());
    const { key, url } = await signs(fromEnv());
    expect(key).toMatchObject({ accessKeyId: "ASIAENVIRONMENT00000", expiration: end });
    expect(url).toContain("X-Amz-Security-Token=token%2F%2B%3D");
    await expect(
      rotatingCredentials(async () => {
        vi.stubEnv("AWS_ACCESS_KEY_ID", "");
        return fromEnv()();
      }).ready(),
    ).rejects.toThrow(/environment/);
  });

  test("fromIni, with a key that has no end", async () => {
    const profile = `[build]\naws_access_key_id = AKIAINI0000000000000\naws_secret_access_key = ${SECRET}\n`;
    const { key } = await signs(fromIni({ profile: "build", ...sharedFiles(profile) }));
    expect([key.accessKeyId, key.expiration]).toEqual(["AKIAINI0000000000000", undefined]);
  });

  test("fromProcess: a key that nears its end is replaced while the old one still signs", async () => {
    const provider = (end: Date) =>
      fromProcess({ profile: "build", ...sharedFiles(`[build]\ncredential_process = ${program(end)}\n`) });
    const credentials = rotatingCredentials(provider(minutes(4)));
    await credentials.ready();
    const first = credentials.current().accessKeyId;
    expect(credentials.current().accessKeyId).toBe(first);
    await vi.waitFor(() => expect(credentials.current().accessKeyId).not.toBe(first), { timeout: 10_000 });
    const good = rotatingCredentials(provider(minutes(60)));
    await good.ready();
    const second = good.current().accessKeyId;
    await good.ready();
    expect(good.current().accessKeyId).toBe(second);
  });

  test("createCredentialChain and the chain of every Node program", async () => {
    for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]) vi.stubEnv(name, "");
    const shared = sharedFiles(`[chain]\ncredential_process = ${program(minutes(60))}\n`);
    const chain = createCredentialChain(fromEnv(), fromProcess({ profile: "chain", ...shared }));
    expect((await signs(chain)).key.accessKeyId).toMatch(/^ASIA\d+$/);
    const node = fromNodeProviderChain({ profile: "chain", ...shared });
    expect((await signs(node)).key.sessionToken).toBe("token");
  });

  test("the credentials that a client has resolved", async () => {
    const credentials = { accessKeyId: "AKIACLIENT0000000000", secretAccessKey: SECRET };
    const client = new S3Client({ region: "eu-west-1", credentials });
    expect((await signs(client.config.credentials)).key.accessKeyId).toBe("AKIACLIENT0000000000");
  });
});

describe("providers that ask a server", () => {
  let metadata: Server;
  let gateway: TestGateway;
  beforeAll(async () => {
    metadata = createServer((request, response) => {
      const allowed = request.headers.authorization === "letmein";
      response.statusCode = allowed ? 200 : 401;
      const Expiration = minutes(60).toISOString();
      response.end(
        JSON.stringify(
          allowed ? { AccessKeyId: "ASIAROLE", SecretAccessKey: SECRET, Token: "task token", Expiration } : {},
        ),
      );
    });
    await new Promise<void>((resolve) => metadata.listen(0, "127.0.0.1", resolve));
    gateway = await testGateway({
      files: { "media/hello.txt": "hello" },
      gateway: () => ({ sessionSecret: new TextEncoder().encode("a secret of at least thirty-two bytes") }),
    });
  });
  afterAll(async () => {
    metadata?.close();
    await gateway?.close();
  });

  test("the credentials of a container's role", async () => {
    vi.stubEnv(
      "AWS_CONTAINER_CREDENTIALS_FULL_URI",
      `http://127.0.0.1:${(metadata.address() as AddressInfo).port}/role`,
    );
    vi.stubEnv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "letmein");
    for (const provider of [fromHttp(), fromContainerMetadata()]) {
      const { key, url } = await signs(provider);
      expect(key).toMatchObject({ accessKeyId: "ASIAROLE", sessionToken: "task token" });
      expect(url).toContain("X-Amz-Security-Token=task%20token");
    }
  });

  test("AssumeRole, and the server that issued the session takes the URL", async () => {
    const { awsSdk, daypass } = gateway.clients;
    const credentials = rotatingCredentials(
      fromTemporaryCredentials({
        masterCredentials: awsSdk.credentials,
        params: { RoleArn: "arn:aws:iam::000000000000:role/uploader", RoleSessionName: "tests", DurationSeconds: 900 },
        clientConfig: { endpoint: gateway.url, region: awsSdk.region },
      }),
    );
    await credentials.ready();
    const s3 = s3Signer({ ...daypass, credentials: credentials.current });
    const { url, expiresAt } = s3.sign({ bucket: "media", key: "hello.txt", expiresIn: 60 });
    expect(url).toContain("X-Amz-Security-Token=");
    expect(await (await fetch(url)).text()).toBe("hello");
    expect(expiresAt.getTime()).toBeLessThan(credentials.current().expiration?.getTime() ?? 0);
    expect(() => s3.sign({ bucket: "media", key: "hello.txt", expiresIn: 3600 })).toThrow(
      expect.objectContaining({ code: "CREDENTIALS_EXPIRE_FIRST" }),
    );
  });
});
