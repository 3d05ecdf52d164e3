import { describe, expect, it } from "vitest";
import {
  type ErrorCode,
  type Grant,
  isDaypassError,
  type SignedRequest,
  type Verifier,
  type WireRequest,
} from "../src/index.ts";

/** What a scheme hands to the suite that all schemes share. */
export interface SchemeContract {
  /** Identifier of the scheme, as its grants carry it. */
  readonly scheme: string;
  /** Signs one fixed resource for `expiresIn` seconds from `at`. */
  sign(request: {
    readonly at: Date;
    readonly expiresIn: number;
    readonly method: string;
  }): SignedRequest | Promise<SignedRequest>;
  /** A verifier for that resource; `foreign` gives one that knows the key id but holds another secret. */
  verifier(options: { readonly now: Date; readonly key: "right" | "foreign" | "unknown" }): Verifier;
  /** Every parameter without which a URL must be refused. */
  readonly required: readonly string[];
  readonly signatureParameter: string;
  readonly timeParameter: string;
  /** Where the values of both stand inside their parameters, the first group of each, if they do not fill them. */
  readonly signaturePattern?: RegExp | undefined;
  readonly timePattern?: RegExp | undefined;
  /** `false` where nothing in the URL says which key has signed, so that none is unknown. */
  readonly namesKey?: boolean | undefined;
  /** How far ahead of the clock a signing time may lie, in seconds; `undefined` where the scheme has no start. */
  readonly futureSkew: number | undefined;
  /** A method that the URL is not for when it was signed for `GET`. */
  readonly otherMethod: string;
}

const AT = new Date("2026-01-02T03:04:05Z");
const LIFE = 900;
const seconds = (count: number): Date => new Date(AT.getTime() + count * 1000);

/** Runs the suite. A new scheme makes one call. */
export function testScheme(contract: SchemeContract): void {
  const signed = async (method = "GET"): Promise<WireRequest> =>
    wireRequest(await contract.sign({ at: AT, expiresIn: LIFE, method }));
  const verify = (request: WireRequest, now = AT, key: "right" | "foreign" | "unknown" = "right"): Promise<Grant> =>
    contract.verifier({ now, key }).verify(request);

  describe(`scheme contract: ${contract.scheme}`, () => {
    it("verifies what it signed, with the same id on both sides", async () => {
      const link = await contract.sign({ at: AT, expiresIn: LIFE, method: "GET" });
      const grant = await verify(wireRequest(link));
      expect(grant.scheme).toBe(contract.scheme);
      expect(grant.id).toBe(link.id);
      expect(grant.methods).toContain("GET");
      expect(grant.expiresAt).toEqual(link.expiresAt);
      expect(link.expiresAt).toEqual(seconds(LIFE));
    });

    it("gives a grant that JSON shows whole", async () => {
      const grant = await verify(await signed());
      const { id, notBefore, expiresAt } = grant;
      const shown = { id, notBefore: notBefore.toJSON(), expiresAt: expiresAt.toJSON() };
      expect(JSON.parse(JSON.stringify(grant))).toMatchObject(shown);
    });

    it("is detected by its own verifier, and an unsigned request is not", async () => {
      const request = await signed();
      const verifier = contract.verifier({ now: AT, key: "right" });
      expect(verifier.detects(request)).toBe(true);
      expect(verifier.detects({ ...request, target: "/plain" })).toBe(false);
      await expectRefusal(verifier.verify({ ...request, target: "/plain" }), "NO_SIGNATURE");
    });

    it("is valid in its last second and not at the instant it ends", async () => {
      const request = await signed();
      await expect(verify(request, seconds(LIFE - 1))).resolves.toBeDefined();
      await expectRefusal(verify(request, seconds(LIFE)), "EXPIRED");
    });

    it("is refused before it begins", async () => {
      if (contract.futureSkew === undefined) return;
      const request = await signed();
      await expect(verify(request, seconds(-contract.futureSkew))).resolves.toBeDefined();
      await expectRefusal(verify(request, seconds(-contract.futureSkew - 1)), "NOT_YET_VALID");
    });

    it("fails closed when the clock is broken", async () => {
      await expectRefusal(verify(await signed(), new Date(Number.NaN)));
    });

    it("tells a foreign secret from an unknown key", async () => {
      const request = await signed();
      await expectRefusal(verify(request, AT, "foreign"), "SIGNATURE_MISMATCH");
      if (contract.namesKey !== false) await expectRefusal(verify(request, AT, "unknown"), "UNKNOWN_KEY");
    });

    it("refuses another method", async () => {
      await expectRefusal(verify({ ...(await signed()), method: contract.otherMethod }));
    });

    it.each(contract.required)("refuses a URL without %s", async (name) => {
      const request = await signed();
      const tokens = queryOf(request).filter((token) => !token.startsWith(`${name}=`));
      expect(tokens.length).toBeLessThan(queryOf(request).length);
      await expectRefusal(verify(withQuery(request, tokens)));
    });

    it.each(contract.required)("refuses a URL with %s twice", async (name) => {
      const request = await signed();
      const token = queryOf(request).find((candidate) => candidate.startsWith(`${name}=`)) as string;
      await expectRefusal(verify(withQuery(request, [...queryOf(request), token])));
    });

    const noTimes = [
      "99999999T999999Z",
      "20260231T000000Z",
      "20260100T000000Z",
      "20261301T000000Z",
      "20260101T240000Z",
    ];

    it.each(["", "NaN", "0", "-1", "1e9", ...noTimes, "2026-01-02T03:04:05Z", "[]"])(
      "refuses the time parameter %j",
      async (value) => {
        const request = await signed();
        await expectRefusal(verify(replaced(request, contract.timeParameter, value, contract.timePattern)));
      },
    );

    it("accepts one spelling of the signature only", async () => {
      const request = await signed();
      const { signatureParameter, signaturePattern } = contract;
      const token = queryOf(request).find((candidate) => candidate.startsWith(`${signatureParameter}=`)) as string;
      const whole = token.slice(token.indexOf("=") + 1);
      const value = signaturePattern?.exec(whole)?.[1] ?? whole;
      for (const other of [
        value.toUpperCase(),
        `${value}=`,
        `${value}0`,
        value.slice(0, -1),
        ` ${value}`,
        `%20${value}`,
        // The right byte, and one more.
        String.fromCharCode(value.charCodeAt(0) + 256) + value.slice(1),
        "",
      ]) {
        if (other === value) continue;
        await expectRefusal(verify(replaced(request, signatureParameter, other, signaturePattern)));
      }
    });

    it("never gives another grant when any byte of the target changes", async () => {
      const request = await signed();
      // One for all changes: reading its key would take longer than they do.
      const verifier = contract.verifier({ now: AT, key: "right" });
      const grant = await verifier.verify(request);
      for (let i = 1; i < request.target.length; i++) {
        for (const bit of [1, 2, 4, 16, 32]) {
          const byte = String.fromCharCode(request.target.charCodeAt(i) ^ bit);
          const target = request.target.slice(0, i) + byte + request.target.slice(i + 1);
          const other = await outcome(verifier.verify({ ...request, target }));
          if (other !== undefined) expect({ target, id: other.id }).toEqual({ target, id: grant.id });
        }
      }
    });

    it("refuses a Host that is not configured", async () => {
      await expectRefusal(verify({ ...(await signed()), authority: "evil.example.com" }), "WRONG_ORIGIN");
    });
  });
}

/** The wire request that a holder of a signed request sends. Splits by text, as a URL parser would change the target. */
export function wireRequest(link: SignedRequest): WireRequest {
  const [, authority, target] = /^https?:\/\/([^/]+)(\/.*)$/.exec(link.url) as unknown as [string, string, string];
  return {
    method: link.method,
    target,
    authority,
    headers: Object.entries(link.headers),
    remoteAddress: "203.0.113.9",
  };
}

/** Expects a `DaypassError`, with this code if one is given. */
export async function expectRefusal(promise: Promise<unknown>, code?: ErrorCode): Promise<void> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(isDaypassError(error), `expected a refusal, got ${String(error)}`).toBe(true);
  if (code !== undefined) expect((error as { code?: unknown }).code).toBe(code);
}

async function outcome(promise: Promise<Grant>): Promise<Grant | undefined> {
  try {
    return await promise;
  } catch (error) {
    expect(isDaypassError(error), String(error)).toBe(true);
    return undefined;
  }
}

function queryOf(request: WireRequest): readonly string[] {
  return request.target.slice(request.target.indexOf("?") + 1).split("&");
}

function withQuery(request: WireRequest, tokens: readonly string[]): WireRequest {
  return { ...request, target: `${request.target.slice(0, request.target.indexOf("?"))}?${tokens.join("&")}` };
}

/** The request with another value in a parameter, or in the part of it that the first group of a pattern finds. */
function replaced(request: WireRequest, name: string, value: string, pattern?: RegExp): WireRequest {
  const tokens = queryOf(request).map((token) => {
    if (!token.startsWith(`${name}=`)) return token;
    const whole = token.slice(name.length + 1);
    const part = pattern?.exec(whole)?.[1];
    return `${name}=${part === undefined ? value : whole.replace(part, () => value)}`;
  });
  return withQuery(request, tokens);
}
