import { type RotationOptions, rotatingCredentials } from "daypass";
import { azureAccountSigner, azureSigner, azureUserDelegationSigner } from "daypass/azure";
import { cosSigner } from "daypass/cos";
import { gcsHmacSigner, gcsSigner } from "daypass/gcs";
import { gcsFormSigner } from "daypass/gcs/form";
import { gcsV2Signer } from "daypass/gcs/v2";
import { mediaCdnSha1Key, mediaCdnTokenSigner } from "daypass/media-cdn/token";
import { ossSigner } from "daypass/oss";
import { s3Signer } from "daypass/s3";
import { s3FormSigner } from "daypass/s3/form";
import { s3V2Signer } from "daypass/s3/v2";
import { s3V4aSigner } from "daypass/s3/v4a";
import {
  uriSigningEdDsa,
  uriSigningEncryption,
  uriSigningEs256,
  uriSigningRenewer,
  uriSigningRs256,
  uriSigningSigner,
  uriSigningVerifier,
} from "daypass/uri-signing";
import { describe, expect, it } from "vitest";

const START = new Date("2026-11-24T12:00:00Z");
const HOUR = 3_600_000;
const code = (sign: () => unknown): unknown => {
  try {
    sign();
    return undefined;
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
};

/** A provider of credentials that live for an hour, with a clock to move on and a switch to fail. */
function cloud(options: RotationOptions = {}) {
  const state = { now: START, calls: 0, fails: false };
  const clock = () => state.now;
  const provider = async () => {
    state.calls += 1;
    if (state.fails) throw new Error("no network");
    const expiration = new Date(state.now.getTime() + HOUR);
    return {
      accessKeyId: `ASIA${state.calls}`,
      secretAccessKey: `secret ${state.calls}`,
      sessionToken: `token ${state.calls}`,
      expiration,
    };
  };
  const pass = (minutes: number): void => {
    state.now = new Date(state.now.getTime() + minutes * 60_000);
  };
  return { state, clock, pass, provider, credentials: rotatingCredentials(provider, { clock, ...options }) };
}

/** What is under way without a wait comes to its end. In the words of every runtime: `setImmediate` is Node's. */
const settled = () => new Promise<void>((resolve) => setTimeout(resolve));

describe("rotatingCredentials", () => {
  it("has no credentials before ready, and asks the provider once for all waiters", async () => {
    const { credentials, state } = cloud();
    expect(code(credentials.current)).toBe("CREDENTIALS_NOT_READY");
    await Promise.all([credentials.ready(), credentials.ready(), credentials.ready()]);
    await credentials.ready();
    expect([credentials.current().accessKeyId, state.calls]).toEqual(["ASIA1", 1]);
  });

  it("rejects ready with the provider's error, and tries again on the next call", async () => {
    const { credentials, state } = cloud();
    state.fails = true;
    await expect(credentials.ready()).rejects.toThrow("no network");
    state.fails = false;
    await credentials.ready();
    expect(credentials.current().accessKeyId).toBe("ASIA2");
  });

  it("treats a provider without credentials as failed", async () => {
    for (const given of [undefined, null, "AKIDEXAMPLE"]) {
      const rotating = rotatingCredentials(async () => given as never);
      await expect(rotating.ready()).rejects.toMatchObject({ code: "INVALID_KEY" });
      expect(code(rotating.current)).toBe("CREDENTIALS_NOT_READY");
    }
  });

  // JSON has no dates. Without this check signers would use expired credentials.
  it("refuses an expiration that is not a Date", async () => {
    for (const expiration of ["2026-11-24T13:00:00Z", new Date(Number.NaN), 1_795_525_200, null]) {
      const given = { accessKeyId: "ASIA", secretAccessKey: "s", expiration: expiration as Date };
      const rotating = rotatingCredentials(async () => given);
      await expect(rotating.ready()).rejects.toMatchObject({ code: "INVALID_KEY" });
      expect(code(rotating.current)).toBe("CREDENTIALS_NOT_READY");
    }
  });

  it("fetches new credentials in the background five minutes before they expire, and not earlier", async () => {
    const { credentials, state, pass } = cloud();
    await credentials.ready();
    pass(54);
    credentials.current();
    expect(state.calls).toBe(1);
    pass(1);
    expect(credentials.current().accessKeyId).toBe("ASIA1");
    expect(credentials.current().accessKeyId).toBe("ASIA1");
    await Promise.resolve();
    await credentials.ready();
    expect([credentials.current().accessKeyId, state.calls]).toEqual(["ASIA2", 2]);
  });

  it("keeps the old credentials while the provider fails, reports the error, and signs nothing after they expire", async () => {
    const errors: unknown[] = [];
    const { credentials, state, pass, clock } = cloud({ onError: (error) => errors.push(error) });
    await credentials.ready();
    const s3 = s3Signer({ region: "eu-west-1", credentials: credentials.current, clock });
    state.fails = true;
    pass(57);
    expect(s3.sign({ bucket: "media", key: "a", expiresIn: 120 }).url).toContain("ASIA1");
    expect(code(() => s3.sign({ bucket: "media", key: "a", expiresIn: 600 }))).toBe("CREDENTIALS_EXPIRE_FIRST");
    pass(5);
    expect(code(() => s3.sign({ bucket: "media", key: "a", expiresIn: 1 }))).toBe("CREDENTIALS_EXPIRE_FIRST");
    await expect(credentials.ready()).rejects.toThrow("no network");
    expect(errors.map(String)).toContain("Error: no network");
  });

  it("retries a failing provider after 1, 2, 4, 8, 16 and then every 30 seconds", async () => {
    const errors: unknown[] = [];
    const { credentials, state, pass } = cloud({ onError: (error) => errors.push(error) });
    await credentials.ready();
    state.fails = true;
    pass(56);
    const askedAt: number[] = [];
    for (let second = 0; second <= 100; second++) {
      const before = state.calls;
      for (let i = 0; i < 50; i++) expect(credentials.current().accessKeyId).toBe("ASIA1");
      await settled();
      if (state.calls > before) askedAt.push(second);
      expect(state.calls - before).toBeLessThanOrEqual(1);
      pass(1 / 60);
    }
    expect(askedAt).toEqual([0, 1, 3, 7, 15, 31, 61, 91]);
    expect(errors).toHaveLength(askedAt.length);

    state.fails = false;
    pass(0.5);
    credentials.current();
    await settled();
    const helped = state.calls;
    expect(credentials.current().accessKeyId).toBe(`ASIA${helped}`);
    // After a success the next failure is retried after a second.
    state.fails = true;
    pass(58);
    for (const [minutes, calls] of [
      [0, 1],
      [0.9 / 60, 1],
      [0.1 / 60, 2],
      [1 / 60, 2],
      [1 / 60, 3],
    ] as const) {
      pass(minutes);
      credentials.current();
      await settled();
      expect(state.calls - helped).toBe(calls);
    }
  });

  it("waits if the provider returns the same credentials, and asks at once when the clock was set back", async () => {
    const state = { now: START, calls: 0 };
    const expiration = new Date(START.getTime() + 240_000);
    const provider = async () => ({ accessKeyId: `ASIA${++state.calls}`, secretAccessKey: "s", expiration });
    const credentials = rotatingCredentials(provider, { clock: () => state.now });
    const after = async (seconds: number): Promise<number> => {
      state.now = new Date(state.now.getTime() + seconds * 1000);
      for (let i = 0; i < 10; i++) credentials.current();
      await settled();
      return state.calls;
    };
    await credentials.ready();
    expect([await after(0), await after(0), await after(1), await after(1), await after(1)]).toEqual([2, 2, 3, 3, 4]);
    expect(await after(-60)).toBe(5);
  });

  it("treats a provider that throws as failed: ready rejects, and valid credentials still sign", async () => {
    let fails = true;
    const expiration = new Date(START.getTime() + 240_000);
    const errors: unknown[] = [];
    const credentials = rotatingCredentials(
      () => {
        if (fails) throw new Error("no file");
        return Promise.resolve({ accessKeyId: "ASIA", secretAccessKey: "s", expiration });
      },
      { clock: () => START, onError: (error) => errors.push(error) },
    );
    await expect(credentials.ready()).rejects.toThrow("no file");
    fails = false;
    await credentials.ready();
    fails = true;
    expect(credentials.current().accessKeyId).toBe("ASIA");
    await settled();
    expect(errors.map(String)).toEqual(["Error: no file"]);
  });

  it("never asks again for credentials without an expiration", async () => {
    let calls = 0;
    const provider = async () => ({ accessKeyId: "AKID", secretAccessKey: `secret ${++calls}`, expiration: undefined });
    const credentials = rotatingCredentials(provider, { clock: () => new Date(8.64e15) });
    await credentials.ready();
    for (let i = 0; i < 3; i++) expect(credentials.current().secretAccessKey).toBe("secret 1");
    expect(calls).toBe(1);
  });

  it("signs with the newest key in every cloud", async () => {
    const { provider, credentials, state, pass, clock } = cloud({ refreshBefore: 1800 });
    const alibaba = rotatingCredentials(
      async () => {
        const { secretAccessKey: accessKeySecret, sessionToken: securityToken, ...rest } = await provider();
        return { ...rest, accessKeySecret, securityToken };
      },
      { clock, refreshBefore: 1800 },
    );
    const tencent = rotatingCredentials(
      async () => {
        const { accessKeyId: secretId, secretAccessKey: secretKey, ...rest } = await provider();
        return { ...rest, secretId, secretKey };
      },
      { clock, refreshBefore: 1800 },
    );
    const s3 = { region: "eu-west-1", credentials: credentials.current, clock };
    const request = { bucket: "media", key: "a", expiresIn: 60 };
    const signers = [
      async () => s3Signer(s3).sign(request).url,
      async () => JSON.stringify(s3FormSigner(s3).sign(request).fields),
      async () => (await s3V4aSigner(s3).sign(request)).url,
      async () => ossSigner({ region: "cn-hangzhou", credentials: alibaba.current, clock }).sign(request).url,
      async () =>
        cosSigner({ region: "ap-guangzhou", credentials: tencent.current, clock }).sign({
          ...request,
          bucket: "media-1250000000",
        }).url,
    ];
    const keyIds = async () => Promise.all(signers.map(async (sign) => Number(/ASIA(\d+)/.exec(await sign())?.[1])));
    await Promise.all([credentials, alibaba, tencent].map((each) => each.ready()));
    expect(Math.max(...(await keyIds()))).toBe(3);
    pass(40);
    await Promise.all([credentials, alibaba, tencent].map((each) => each.ready()));
    expect(state.calls).toBe(6);
    expect(Math.min(...(await keyIds()))).toBe(4);
  });
});

// Environment variables that are not set have a type, and no value.
const missing = undefined as never;

it.each<readonly [string, () => unknown]>([
  ["s3Signer", () => s3Signer({ region: "eu-west-1", credentials: missing })],
  [
    "s3Signer with a function",
    () => s3Signer({ region: "eu-west-1", credentials: () => missing }).sign({ bucket: "b", key: "k", expiresIn: 60 }),
  ],
  ["s3V2Signer", () => s3V2Signer({ region: "eu-west-1", credentials: missing })],
  ["s3V4aSigner", () => s3V4aSigner({ region: "eu-west-1", credentials: missing })],
  ["s3FormSigner", () => s3FormSigner({ region: "eu-west-1", credentials: missing })],
  ["ossSigner", () => ossSigner({ region: "cn-hangzhou", credentials: missing })],
  ["cosSigner", () => cosSigner({ region: "ap-guangzhou", credentials: missing })],
  ["azureSigner", () => azureSigner({ account: "a", credentials: missing })],
  ["azureAccountSigner", () => azureAccountSigner({ account: "a", credentials: missing })],
  ["azureUserDelegationSigner", () => azureUserDelegationSigner({ account: "a", credentials: {} as never })],
  ["gcsSigner", () => gcsSigner({ credentials: missing })],
  ["gcsHmacSigner", () => gcsHmacSigner({ credentials: missing })],
  ["gcsV2Signer", () => gcsV2Signer({ credentials: missing })],
  ["gcsFormSigner", () => gcsFormSigner({ credentials: missing })],
  ["uriSigningSigner", () => uriSigningSigner({ issuer: "csp", key: missing })],
  ["uriSigningVerifier", () => uriSigningVerifier({ keySets: [{ keys: [missing] }], origins: ["https://a.example"] })],
  ["uriSigningRenewer", () => uriSigningRenewer({ renewalKeys: missing })],
  ["uriSigningEncryption", () => uriSigningEncryption(missing)],
  ["uriSigningEs256", () => uriSigningEs256(missing)],
  ["uriSigningEdDsa", () => uriSigningEdDsa(missing)],
  ["uriSigningRs256", () => uriSigningRs256(missing)],
  ["mediaCdnTokenSigner", () => mediaCdnTokenSigner({ key: missing })],
  ["mediaCdnSha1Key", () => mediaCdnSha1Key(missing)],
])("%s says that its credentials are missing", (_name, make) => {
  expect(code(make)).toBe("INVALID_KEY");
});

it("signs with the right key after credentials whose token cannot be encoded", () => {
  const good = { accessKeyId: "AKID1", secretAccessKey: "one" };
  const bad = { accessKeyId: "AKID2", secretAccessKey: "two", sessionToken: String.fromCharCode(0xd800) };
  let current: typeof good = good;
  const signer = s3Signer({ region: "eu-west-1", credentials: () => current, clock: () => START });
  const sign = () => signer.sign({ bucket: "b", key: "k", expiresIn: 60 });
  const { url } = sign();
  current = bad;
  expect(code(sign)).toBe("INVALID_INPUT");
  current = good;
  expect(sign().url).toBe(url);
});
