import { s3Signer } from "daypass/s3";
import { s3FormSigner } from "daypass/s3/form";
import { s3V2Signer } from "daypass/s3/v2";
import { describe, expect, it } from "vitest";
import type { AccessEvent, S3AccessKey } from "../../src/index.ts";
import { testGateway } from "../../src/testing/index.ts";
import { byAnswer, type Reply, refusalOf, s3Code, s3Field, send, useGateway } from "./clients.ts";
import { headerSignature } from "./header-signature.ts";
import { ASSUME, callSts, credentialsIn, type SessionCredentials, type StsCall } from "./sts-call.ts";

const main: S3AccessKey = { accessKeyId: "AKIDMAIN", secretAccessKey: "main-secret" };
const scoped: S3AccessKey = {
  accessKeyId: "AKIDSCOPED",
  secretAccessKey: "scoped-secret",
  scope: { buckets: ["media"], prefix: "teams", methods: ["GET", "PUT", "POST"] },
};
const keys = new Map<string, S3AccessKey | readonly S3AccessKey[]>([main, scoped].map((key) => [key.accessKeyId, key]));
let now = new Date();
const gateway = useGateway({
  files: { "media/hello.txt": "hello", "media/teams/red/a.txt": "red", "other/b.txt": "b" },
  gateway: () => ({ keys: { s3: (id) => keys.get(id) }, sessionSecret: Buffer.alloc(32, 7), clock: () => now }),
});

const sts = (
  parameters: Readonly<Record<string, string>>,
  key: S3AccessKey = main,
  change: Partial<StsCall> = {},
): Promise<Reply> => callSts(gateway, parameters, { key, at: now, ...change });

async function session(parameters: Readonly<Record<string, string>> = ASSUME, key = main): Promise<SessionCredentials> {
  const reply = await sts(parameters, key);
  expect([reply.status, reply.headers["content-type"]]).toEqual([200, "text/xml"]);
  return credentialsIn(reply);
}

type Credentials = SessionCredentials;

async function get(
  credentials: Credentials,
  key = "hello.txt",
  { bucket = "media", method = "GET" } = {},
): Promise<string> {
  const signer = s3Signer({
    region: "us-east-1",
    endpoint: gateway.url,
    credentials,
    clock: () => now,
    credentialExpiry: "clamp",
  });
  const reply = await fetch(signer.sign({ bucket, key, method, expiresIn: 60 }).url, { method });
  const text = await reply.text();
  return `${reply.status} ${reply.ok ? text : s3Code(text)}`.trim();
}

const answerOf = (status: number, text: string): string => `${status} ${status < 300 ? text : s3Code(text)}`.trim();

async function getByHeader(credentials: Credentials): Promise<string> {
  const headers = headerSignature({
    method: "GET",
    path: "/media/hello.txt",
    host: `127.0.0.1:${gateway.port}`,
    key: credentials,
    at: now,
    headers: credentials.sessionToken === undefined ? {} : { "x-amz-security-token": credentials.sessionToken },
  });
  const reply = await send(gateway, { target: "/media/hello.txt", headers });
  return answerOf(reply.status, reply.body.toString());
}

async function getByV2(credentials: Credentials): Promise<string> {
  const v2 = s3V2Signer({ region: "us-east-1", endpoint: gateway.url, credentials, clock: () => now });
  const reply = await fetch(v2.sign({ bucket: "media", key: "hello.txt", expiresIn: 60 }).url);
  return answerOf(reply.status, await reply.text());
}

async function postForm(credentials: Credentials): Promise<string> {
  const signer = s3FormSigner({ region: "us-east-1", endpoint: gateway.url, credentials, clock: () => now });
  const form = signer.sign({ bucket: "media", key: "form.txt", expiresIn: 60 });
  const data = new FormData();
  for (const [name, value] of Object.entries(form.fields)) data.append(name, value);
  data.append("file", new Blob(["x"]), "x.txt");
  const reply = await fetch(form.url, { method: "POST", body: data });
  return answerOf(reply.status, await reply.text());
}

const policy = (resource: string, action: unknown = "s3:GetObject") =>
  JSON.stringify({ Version: "2012-10-17", Statement: { Effect: "Allow", Action: action, Resource: resource } });

describe("credentials of a session", () => {
  it("grants a session the access of its key, by AssumeRole and GetSessionToken", async () => {
    for (const parameters of [ASSUME, { Action: "GetSessionToken" }]) {
      const credentials = await session(parameters);
      expect(credentials.accessKeyId).toMatch(/^ASIA[A-Z2-7]{16}$/);
      expect(credentials.secretAccessKey).toMatch(/^[\w-]{40}$/);
      expect(await get(credentials)).toBe("200 hello");
    }
  });

  it("accepts session credentials in header signatures and SigV2", async () => {
    const credentials = await session();
    expect(await getByHeader(credentials)).toBe("200 hello");
    expect(await getByV2(credentials)).toBe("200 hello");
  });

  it.each([
    ["AssumeRole", ASSUME, 3600],
    ["GetSessionToken", { Action: "GetSessionToken" }, 12 * 3600],
  ])("issues %s credentials with AWS's default lifetime", async (_, parameters, life) => {
    const { expiration } = await session(parameters);
    expect(expiration.getTime()).toBe(Math.floor(now.getTime() / 1000 + life) * 1000);
  });

  it("refuses session credentials after their expiration", async () => {
    const before = now;
    const credentials = await session({ ...ASSUME, DurationSeconds: "900" });
    expect(credentials.expiration.getTime() - now.getTime()).toBeLessThanOrEqual(900_000);
    const signer = s3Signer({
      region: "us-east-1",
      endpoint: gateway.url,
      credentials: { ...credentials, expiration: undefined },
      clock: () => now,
    });
    const { url } = signer.sign({ bucket: "media", key: "hello.txt", expiresIn: 3600 });
    now = new Date(now.getTime() + 901_000);
    const reply = await fetch(url);
    expect([reply.status, s3Code(await reply.text())]).toEqual([400, "ExpiredToken"]);
    // The gateway does not follow a clock back; everything after this happens later.
    expect(now.getTime()).toBeGreaterThan(before.getTime());
  });

  it("refuses session credentials without their token or with another token", async () => {
    const credentials = await session();
    const other = await session();
    const changed = credentials.sessionToken.replace(/^./, (letter) => (letter === "W" ? "X" : "W"));
    const lasting = { accessKeyId: main.accessKeyId, secretAccessKey: main.secretAccessKey };
    const tokens = [other.sessionToken, changed, "bogus", "a+b/c=", `${credentials.sessionToken}A`];
    for (const sessionToken of tokens) {
      for (const how of [get, getByHeader, getByV2, postForm]) {
        expect([how.name, await how({ ...credentials, sessionToken })]).toEqual([how.name, "400 InvalidToken"]);
        // A permanent key has no token, so any token with it is wrong.
        expect([how.name, await how({ ...credentials, ...lasting, sessionToken })]).toEqual([
          how.name,
          "400 InvalidToken",
        ]);
      }
    }
    const { sessionToken: _, ...bare } = credentials;
    for (const how of [get, getByHeader, getByV2, postForm]) {
      expect([how.name, await how(bare as Credentials)]).toEqual([how.name, "403 InvalidAccessKeyId"]);
    }
    expect(await get({ ...credentials, secretAccessKey: other.secretAccessKey })).toBe("403 SignatureDoesNotMatch");
  });

  it("limits a session to the scope of its key and its policy", async () => {
    const wide = await session(ASSUME, scoped);
    expect(await get(wide, "teams/red/a.txt")).toBe("200 red");
    expect(await get(wide, "hello.txt")).toBe("403 AccessDenied");
    const narrow = await session({ ...ASSUME, Policy: policy("arn:aws:s3:::media/teams/red/*") });
    expect(await get(narrow, "teams/red/a.txt")).toBe("200 red");
    expect(await get(narrow, "hello.txt")).toBe("403 AccessDenied");
    expect(await get(narrow, "b.txt", { bucket: "other" })).toBe("403 AccessDenied");
    expect(await get(narrow, "teams/red/a.txt", { method: "DELETE" })).toBe("403 AccessDenied");
  });

  it("refuses a session whose key was removed", async () => {
    const temporary = { accessKeyId: "AKIDTEMP", secretAccessKey: "temporary" };
    keys.set(temporary.accessKeyId, temporary);
    const credentials = await session(ASSUME, temporary);
    expect(await get(credentials)).toBe("200 hello");
    keys.delete(temporary.accessKeyId);
    expect(await get(credentials)).toBe("403 InvalidAccessKeyId");
  });

  it("limits a session to the earliest end among keys with the same id", async () => {
    const id = "AKIDENDING";
    const ending = (secretAccessKey: string, minutes: number) => ({
      accessKeyId: id,
      secretAccessKey,
      scope: { until: new Date(now.getTime() + minutes * 60_000 - now.getMilliseconds()) },
    });
    const [late, early] = [ending("late", 50), ending("early", 20)] as const;
    keys.set(id, [late, early]);
    for (const key of [late, early]) expect((await session(ASSUME, key)).expiration).toEqual(early.scope.until);
    keys.delete(id);
  });

  it("refuses a session after its key's secret was replaced, not while both are valid", async () => {
    const id = "AKIDROTATED";
    const [old, young] = ["old-secret", "young-secret"].map((secretAccessKey) => ({
      accessKeyId: id,
      secretAccessKey,
    }));
    if (old === undefined || young === undefined) throw new Error("unreachable");
    keys.set(id, old);
    const ofOld = await session(ASSUME, old);
    expect(ofOld.sessionToken).not.toContain(Buffer.from(old.secretAccessKey).toString("base64url"));
    expect(Buffer.from(ofOld.sessionToken, "base64url").toString("latin1")).not.toContain(old.secretAccessKey);
    expect(await get(ofOld)).toBe("200 hello");
    keys.set(id, [young, old]);
    const ofBoth = [await session(ASSUME, old), await session(ASSUME, young)] as const;
    expect([await get(ofOld), await get(ofBoth[0]), await get(ofBoth[1])]).toEqual(Array(3).fill("200 hello"));
    keys.set(id, young);
    // Asked for by the old secret while both were good: it must not live on under the new one.
    expect([await get(ofOld), await get(ofBoth[0])]).toEqual(Array(2).fill("400 InvalidToken"));
    expect(await get(ofBoth[1])).toBe("200 hello");
    keys.delete(id);
    expect(await get(ofBoth[1])).toBe("403 InvalidAccessKeyId");
  });

  it("refuses headers and forms of a session after its key's secret was replaced", async () => {
    const id = "AKIDREPLACED";
    keys.set(id, { accessKeyId: id, secretAccessKey: "first" });
    const credentials = await session(ASSUME, { accessKeyId: id, secretAccessKey: "first" });
    expect([await getByHeader(credentials), await postForm(credentials)]).toEqual(["200 hello", "204"]);
    keys.set(id, { accessKeyId: id, secretAccessKey: "second" });
    const ended = "400 InvalidToken";
    expect([await getByHeader(credentials), await postForm(credentials)]).toEqual([ended, ended]);
  });

  it("logs the parent key of a session, also for refused requests", async () => {
    const credentials = await session(ASSUME, scoped);
    const loggedOf = async (key: string) => {
      const count = gateway.events.length;
      await get(credentials, key);
      await expect.poll(() => gateway.events.length).toBe(count + 1);
      const { keyId, parentKeyId, code } = gateway.events[count] as AccessEvent;
      return [keyId, parentKeyId, code];
    };
    expect(await loggedOf("teams/red/a.txt")).toEqual([credentials.accessKeyId, "AKIDSCOPED", undefined]);
    expect(await loggedOf("hello.txt")).toEqual([credentials.accessKeyId, "AKIDSCOPED", "KEY_SCOPE"]);
    const asked = gateway.events.find(({ scheme, url }) => url === "/" && scheme === "s3/header");
    expect([asked?.keyId, asked?.parentKeyId]).toEqual(["AKIDMAIN", undefined]);
  });

  it("refuses to issue a session to a session", async () => {
    const credentials = await session();
    const reply = await sts(ASSUME, credentials, { token: credentials.sessionToken });
    expect([reply.status, s3Field(reply.body, "Code")]).toEqual([403, "InvalidClientTokenId"]);
  });
});

describe("a call of the Security Token Service", () => {
  const wrongForm = "Action=GetSessionToken&Version=2011-06-15";
  const assume = (more: Readonly<Record<string, string>>) => () => sts({ ...ASSUME, ...more });
  const form = (bytes: string) => () => sts({}, main, { form: Buffer.from(bytes, "latin1") });
  const refused = byAnswer({
    "403 SignatureDoesNotMatch": {
      "with a wrong secret": () => sts(ASSUME, { ...main, secretAccessKey: "wrong" }),
      "whose form was changed after signing": () => sts(ASSUME, main, { body: wrongForm }),
    },
    "403 InvalidClientTokenId": { "of an unknown key": () => sts(ASSUME, { ...main, accessKeyId: "AKIDNOBODY" }) },
    "400 MaxMessageLengthExceeded": { "with a form that is too long": assume({ Policy: "x".repeat(20_000) }) },
    "400 XAmzContentSHA256Mismatch": {
      "whose form is not that of the hash that was sent and signed": () =>
        sts(ASSUME, main, { told: true, body: wrongForm }),
    },
    "400 InvalidAction": {
      "for another action": () => sts({ Action: "GetCallerIdentity" }),
      "of another version": assume({ Version: "2010-05-08" }),
      "by another method": () => sts(ASSUME, main, { method: "PUT" }),
      "at another path": () => sts(ASSUME, main, { target: "/sts" }),
      "that is no form": () => sts(ASSUME, main, { type: "application/x-www-form-urlencoded2" }),
    },
    "400 ValidationError": {
      "with two actions": form("Version=2011-06-15&Action=GetSessionToken&Action=GetSessionToken"),
      "with a parameter that nothing acts on": assume({ SerialNumber: "1" }),
      "for too long": assume({ DurationSeconds: "999999" }),
      "for too short": assume({ DurationSeconds: "60" }),
      "for a time in another spelling": assume({ DurationSeconds: "9e2" }),
      "for a time with a sign": assume({ DurationSeconds: "+900" }),
      "for a time and more": assume({ DurationSeconds: "900 " }),
      "in another encoding than UTF-8": form("Action=\xff"),
      "that ends within a character": form("Action=\xe2\x82"),
      "without a role": () => sts({ Action: "AssumeRole", RoleSessionName: "test" }),
      "with more than a role": assume({ RoleArn: `${ASSUME.RoleArn}\n` }),
      "with a role in a text": assume({ RoleArn: ` ${ASSUME.RoleArn}` }),
      "with a name that begins with none": assume({ RoleSessionName: "<ab" }),
      "with a name that ends in none": assume({ RoleSessionName: "ab>" }),
    },
    "400 MalformedPolicyDocument": {
      "with a policy that denies": assume({ Policy: policy("*").replace("Allow", "Deny") }),
      "with a policy that has a condition": assume({
        Policy: policy("*").replace('"Resource"', '"Condition":{},"Resource"'),
      }),
      "with a policy for another service": assume({ Policy: policy("*", "ec2:*") }),
    },
  });
  it.each(refused)("a call %s is refused as %s", async (_, answer, call) => {
    const reply = await call();
    expect(refusalOf(reply)).toBe(answer);
    expect(reply.body.toString()).not.toContain(main.secretAccessKey);
  });

  it("answers AssumeRole in the form of AWS, with the assumed role", async () => {
    const requestId = expect.stringMatching(/^[0-9A-Z]{16}$/);
    const answer = async (parameters: Readonly<Record<string, string>>, change: Partial<StsCall> = {}) => {
      const { status, body } = await sts(parameters, main, change);
      const fields = ["AssumedRoleId", "Arn", "Type", "RequestId"].map((name) => s3Field(body, name));
      return [status, /^<[^?>]+>/m.exec(body.toString().replace(/^<\?.*?\?>\s*/, ""))?.[0], ...fields];
    };
    const namespace = 'xmlns="https://sts.amazonaws.com/doc/2011-06-15/"';
    expect(await answer({ ...ASSUME, DurationSeconds: "43200" }, { told: true })).toEqual([
      200,
      `<AssumeRoleResponse ${namespace}>`,
      expect.stringMatching(/^ASIA[A-Z2-7]{16}:test$/),
      "arn:aws:sts::000000000000:assumed-role/app/test",
      undefined,
      requestId,
    ]);
    const session = [200, `<GetSessionTokenResponse ${namespace}>`, undefined, undefined, undefined, requestId];
    expect(await answer({ Action: "GetSessionToken", DurationSeconds: "129600" })).toEqual(session);
    const refused = [400, `<ErrorResponse ${namespace}>`, undefined, undefined, "Sender", requestId];
    expect(await answer({ ...ASSUME, DurationSeconds: "43201" })).toEqual(refused);
  });

  it("refuses calls of the Security Token Service without a session secret", async () => {
    const plain = await testGateway({
      gateway: () => ({ keys: { s3: (id) => keys.get(id) }, sessionSecret: undefined }),
    });
    try {
      const headers = headerSignature({ method: "POST", path: "/", host: `127.0.0.1:${plain.port}`, key: main });
      const other = { ...headers, authorization: headers["authorization"]?.replace("/s3/", "/sts/") ?? "" };
      const reply = await send(plain, { method: "POST", target: "/", headers: other, body: "" });
      expect([reply.status, s3Code(reply.body)]).toEqual([400, "AuthorizationHeaderMalformed"]);
    } finally {
      await plain.close();
    }
  });
});

describe("a key with limits of time", () => {
  const limited = async (scope: S3AccessKey["scope"]): Promise<string> => {
    const key = { accessKeyId: "AKIDLIMITED", secretAccessKey: "limited-secret", scope };
    keys.set(key.accessKeyId, key);
    const signer = s3Signer({ region: "us-east-1", endpoint: gateway.url, credentials: key, clock: () => now });
    const reply = await fetch(signer.sign({ bucket: "media", key: "hello.txt", expiresIn: 60 }).url);
    keys.delete(key.accessKeyId);
    return answerOf(reply.status, await reply.text());
  };

  it("refuses grants of a key from its `until` on", async () => {
    expect(await limited({ until: now })).toBe("403 AccessDenied");
    expect(await limited({ until: new Date(now.getTime() + 1) })).toBe("200 hello");
  });

  it("refuses URLs that live longer than the key's `maxLife`", async () => {
    expect(await limited({ maxLife: 60 })).toBe("200 hello");
    expect(await limited({ maxLife: 59 })).toBe("403 AccessDenied");
  });
});
