import { describe, expect, it, vi } from "vitest";
import { type Grant, isDaypassError, type Verifier, type WireRequest } from "../src/index.ts";
import { HEADER_NAMES, HOSTILE, LONG, VENDORS } from "./hostile-values.ts";
import { AT, LIFE, type Subject, subjects } from "./registry.ts";

// Counts the calls of cryptography. An unknown key must not save one. Texts of unequal length are not compared byte by byte.
const calls = vi.hoisted(() => ({ count: 0 }));
vi.mock("node:crypto", async (original) => {
  const real = await original<Record<string, unknown>>();
  const counted = Object.entries(real).map(([name, member]) => [
    name,
    typeof member !== "function" || /^(?:[A-Z]|timingSafeEqual$)/.test(name)
      ? member
      : (...given: unknown[]) => {
          calls.count += 1;
          return (member as (...given: unknown[]) => unknown)(...given);
        },
  ]);
  return Object.fromEntries(counted);
});

const seconds = (count: number): Date => new Date(AT.getTime() + count * 1000);

/** The grant, or the code of the refusal. Any other error fails the test. */
async function outcome(verifier: Verifier<Grant>, request: WireRequest): Promise<Grant | string> {
  try {
    return await verifier.verify(request);
  } catch (error) {
    if (isDaypassError(error)) return error.code;
    throw error;
  }
}

/**
 * What a grant permits. Two spellings of one path are the same target, and the query may have unsigned parameters. A grant for all paths below a
 * prefix names the requested one.
 */
function permitted(grant: Grant, { anyPathBelow }: Subject["example"]): object {
  const { id, keyId, methods, obligations, notBefore, expiresAt } = grant;
  if (anyPathBelow) return { id, keyId, methods, obligations, notBefore, expiresAt };
  const [path = ""] = grant.target.split("?");
  return { ...JSON.parse(JSON.stringify(grant)), target: decodeURIComponent(path) };
}

async function codeOf(verifier: Verifier<Grant>, request: WireRequest): Promise<string> {
  const found = await outcome(verifier, request);
  return typeof found === "string" ? found : "accepted";
}

interface Slot {
  readonly name: string;
  readonly value: string;
  readonly set: (value: string) => WireRequest;
  readonly drop?: () => WireRequest;
  readonly repeat?: () => WireRequest;
}

/** All places of a request that its holder can write in: path, parameters, headers or fields. */
function slots(request: WireRequest, isForm: boolean): readonly Slot[] {
  const { target, headers } = request;
  const [path = "", query = ""] = target.split("?");
  const tokens = query === "" ? [] : query.split("&");
  const withTokens = (list: readonly string[]): WireRequest => ({ ...request, target: `${path}?${list.join("&")}` });
  const withHeaders = (list: WireRequest["headers"]): WireRequest => ({ ...request, headers: list });
  const setPath = (value: string): WireRequest => ({ ...request, target: target.replace(path, () => value) });
  return [
    ...(isForm ? [] : [{ name: "path", value: path, set: setPath }]),
    ...tokens.map((token, at): Slot => {
      const [name = "", ...rest] = token.split("=");
      return {
        name,
        value: rest.join("="),
        set: (value) => withTokens(tokens.with(at, `${name}=${value}`)),
        drop: () => withTokens(tokens.toSpliced(at, 1)),
        repeat: () => withTokens([...tokens, token]),
      };
    }),
    ...headers.map(
      ([name, value], at): Slot => ({
        name,
        value,
        set: (other) => withHeaders(headers.with(at, [name, other])),
        drop: () => withHeaders(headers.toSpliced(at, 1)),
        repeat: () => withHeaders([...headers, [name, value]]),
      }),
    ),
  ];
}

/** The place of the signature, inside its parameter, header, cookie or path. */
function signatureSlot({ example: { signature }, isForm }: Subject, request: WireRequest): Slot {
  for (const slot of isForm ? slots(request, isForm) : []) if (signature.test(slot.name)) return slot;
  const inTarget = signature.exec(request.target)?.[1];
  if (inTarget !== undefined) {
    const set = (value: string): WireRequest => ({ ...request, target: request.target.replace(inTarget, () => value) });
    return { name: "signature", value: inTarget, set };
  }
  for (const slot of slots(request, isForm)) {
    const found = signature.exec(slot.value)?.[1];
    if (found !== undefined)
      return { name: "signature", value: found, set: (value) => slot.set(slot.value.replace(found, () => value)) };
  }
  throw new Error("no signature found");
}

// The probe of capabilities covers the others, which differ in one option.
const differing = subjects.filter(({ example }) => example.probe?.sameAs === undefined);

describe.each(differing)("$name", (subject) => {
  const { example, isForm, row, verifier } = subject;
  const { id, invalid, oneForEachId, right, wrong } = example.keys;
  const request = (): Promise<WireRequest> => subject.request();
  const at = (now: Date): Verifier<Grant> => verifier(right, { clock: () => now });

  it("verifies a signed request and returns the signer's id", async () => {
    const signed = await subject.signed();
    const grant = await verifier(right).verify(await request());
    expect(grant.scheme).toBe(row.id);
    const { id, expiresAt, notBefore } = grant;
    expect(expiresAt).toEqual(seconds(LIFE));
    if ("id" in signed) expect([id, expiresAt]).toEqual([signed.id, signed.expiresAt]);
    const shown = { id, notBefore: notBefore.toJSON(), expiresAt: expiresAt.toJSON() };
    expect(JSON.parse(JSON.stringify(grant))).toMatchObject(shown);
  });

  it("detects its signature and refuses a request without one", async () => {
    const signed = await request();
    expect(verifier(right).detects(signed)).toBe(true);
    const plain = { ...signed, target: "/plain", headers: [] };
    expect(verifier(right).detects(plain)).toBe(false);
    expect(await codeOf(verifier(right), plain)).toBe("NO_SIGNATURE");
  });

  it.skipIf(isForm)("refuses to be made without origins, and an origin that is not configured", async () => {
    for (const origins of [undefined, null, [], ""])
      expect(() => verifier(right, { origins } as object)).toThrow(/^origins is .*Pass a list such as/);
    expect(await codeOf(verifier(right), { ...(await request()), authority: "evil.example.org" })).toBe("WRONG_ORIGIN");
  });

  it("refuses to be made without keys", async () => {
    for (const none of [undefined, null]) {
      const made = async (): Promise<unknown> => verifier(none);
      await expect(made()).rejects.toMatchObject({ code: expect.stringMatching(/^INVALID_(?:KEY|INPUT)$/) });
    }
  });

  it("accepts in the last second, and refuses at the end and with a broken clock", async () => {
    const signed = await request();
    expect(await codeOf(at(seconds(LIFE - 1)), signed)).toBe("accepted");
    expect(await codeOf(at(seconds(LIFE)), signed)).toMatch(/^(?:EXPIRED|CLOCK_SKEW)$/);
    for (const broken of [new Date(Number.NaN), new Date(8.64e15)])
      expect(await codeOf(at(broken), signed)).not.toBe("accepted");
  });

  it.skipIf(example.futureSkew === undefined)("refuses a signing time too far ahead", async () => {
    const skew = example.futureSkew ?? 0;
    expect(await codeOf(at(seconds(-skew)), await request())).toBe("accepted");
    expect(await codeOf(at(seconds(-skew - 1)), await request())).toMatch(/^(?:NOT_YET_VALID|CLOCK_SKEW)$/);
  });

  it.skipIf(isForm)("refuses another method", async () => {
    const signed = await request();
    expect(await codeOf(verifier(right), { ...signed, method: "PUT" })).not.toBe("accepted");
  });

  it.skipIf(oneForEachId)("tries all candidate keys, in any order and from a function", async () => {
    const signed = await request();
    for (const keys of [[wrong, right], [right, wrong], () => [wrong, right], async () => [right, wrong]])
      expect(await codeOf(verifier(keys), signed)).toBe("accepted");
    for (const keys of [[wrong], async () => [wrong, wrong]])
      expect(await codeOf(verifier(keys), signed)).toBe("SIGNATURE_MISMATCH");
  });

  it("does as much work for an unknown key as for a wrong one", async () => {
    const signed = await request();
    const work = async (keys: unknown): Promise<number> => {
      const asked = verifier(keys);
      await outcome(asked, signed);
      calls.count = 0;
      await outcome(asked, signed);
      return calls.count;
    };
    expect(await codeOf(verifier(wrong), signed)).toBe("SIGNATURE_MISMATCH");
    expect(
      await codeOf(
        verifier(() => []),
        signed,
      ),
    ).toBe("UNKNOWN_KEY");
    const mismatch = await work(wrong);
    expect(mismatch).toBeGreaterThan(0);
    expect(await work(() => [])).toBe(mismatch);
    expect(await work(async () => [])).toBe(mismatch);
  });

  it("refuses invalid keys, such as an empty secret", async () => {
    const signed = await request();
    expect(invalid).not.toEqual([]);
    for (const key of invalid) {
      for (const keys of [key, () => key])
        expect(
          await codeOf(
            made(() => verifier(keys)),
            signed,
          ),
          JSON.stringify(key),
        ).not.toBe("accepted");
    }
  });

  it("refuses a request that lacks a part of its signature, has one twice or another spelling", async () => {
    const signed = await request();
    const asked = verifier(right);
    for (const { name, drop, repeat } of slots(signed, isForm)) {
      if (drop !== undefined) expect(await codeOf(asked, drop()), `without ${name}`).not.toBe("accepted");
      if (repeat !== undefined) expect(await codeOf(asked, repeat()), `${name} twice`).not.toBe("accepted");
    }
    const { value, set } = signatureSlot(subject, signed);
    for (const other of [
      ...[value.toUpperCase(), value.toLowerCase(), ` ${value}`, `${value}=`, `${value}%3D`, `%20${value}`],
      ...[`${value}%20`, `${value}+`, `${value}%0a`, `${value}%00`, `${value}0`, value.slice(0, -1), value.slice(1)],
      ...[value + value, `${value},${value}`, `"${value}"`, `0x${value}`, ""],
      // The right byte in UTF-8 or Latin-1, and one more bit.
      String.fromCharCode(value.charCodeAt(0) + 256) + value.slice(1),
    ]) {
      // A cookie's parser removes spaces around a value.
      if (other.trim() === value && signed.headers.some(([name]) => name === "cookie")) continue;
      if (other !== value) expect(await codeOf(asked, set(other)), other).not.toBe("accepted");
    }
  });

  it("refuses hostile values in every place", async () => {
    const signed = await request();
    const asked = verifier(right);
    const found: string[] = [];
    for (const { name, value, set } of slots(signed, isForm)) {
      if (name === "path" && example.anyPathBelow) continue;
      for (const text of HOSTILE) {
        for (const hostile of [text, value + text, text + value]) {
          if (decoded(hostile) === decoded(value)) continue;
          if ((await codeOf(asked, set(hostile))) === "accepted") found.push(`${name}: ${hostile}`);
        }
      }
    }
    expect(found).toEqual([]);
  });

  it("returns the same grant or none when any byte of the target changes", async () => {
    const signed = await request();
    // One verifier for all changes: reading its key takes longer than they do.
    const asked = verifier(right);
    const original = permitted(await asked.verify(signed), example);
    for (let i = 1; i < signed.target.length; i++) {
      for (const bit of [1, 2, 4, 16, 32]) {
        const byte = String.fromCharCode(signed.target.charCodeAt(i) ^ bit);
        const target = signed.target.slice(0, i) + byte + signed.target.slice(i + 1);
        const other = await outcome(asked, { ...signed, target });
        if (typeof other !== "string")
          expect({ ...permitted(other, example), byte: i }).toEqual({ ...original, byte: i });
      }
    }
  }, 60_000);

  it.skipIf(id === undefined)("finds no key by a name that every object has", async () => {
    const signed = await request();
    const naming = slots(signed, isForm).flatMap(({ value, set }) => {
      const spelt = [id as string, encodeURIComponent(id as string)].find((text) => value.includes(text));
      return spelt === undefined ? [] : [(name: string) => set(value.replace(spelt, name))];
    });
    expect(naming).not.toEqual([]);
    for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty"])
      for (const named of naming) expect(await codeOf(verifier(right), named(name))).not.toBe("accepted");
  });

  it.skipIf(example.obliged === undefined)("refuses an obligation that the caller does not enforce", async () => {
    const signed = await subject.request(example.obliged);
    expect(await codeOf(verifier(right), signed)).toBe("accepted");
    expect(await codeOf(verifier(right, { enforces: [] }), signed)).toBe("UNENFORCED_CONSTRAINT");
  });

  // Work that grows with the square of the length takes minutes here, and fails by the timeout.
  it("reads long values in linear time", async () => {
    const signed = await request();
    const asked = verifier(right);
    const places = slots(signed, isForm);
    for (const text of LONG) {
      for (const { value, set } of places) for (const long of [text, value + text]) await outcome(asked, set(long));
      if (isForm) continue;
      const mark = signed.target.includes("?") ? "&" : "?";
      await outcome(asked, { ...signed, target: signed.target + mark + text });
      for (const name of ["cookie", "authorization", "x-amz-meta-a", "x-other"])
        await outcome(asked, { ...signed, headers: [...signed.headers, [name, text]] });
    }
    const many = Array.from({ length: 4000 }, (_, i) => [`x-amz-${i}`, ""] as const);
    await outcome(asked, { ...signed, headers: [...signed.headers, ...many] });
    for (const vendor of VENDORS) {
      const named = HEADER_NAMES.map((name) => [vendor + name, "1"] as const);
      await outcome(asked, { ...signed, headers: [...signed.headers, ...named] });
      for (const { set } of places.filter(({ name }) => /headers$|header-list$/i.test(name))) {
        for (const separator of [";", ","]) {
          const listed = set([...named.map(([header]) => header), "host"].sort().join(separator));
          await outcome(asked, { ...listed, headers: [...listed.headers, ...named] });
        }
      }
    }
    expect(await codeOf(asked, signed)).toBe("accepted");
  }, 60_000);
});

/** A verifier that refuses if its factory throws. */
function made(factory: () => Verifier<Grant>): Verifier<Grant> {
  try {
    return factory();
  } catch (error) {
    return { detects: () => true, verify: () => Promise.reject(error) };
  }
}

/** Spaces and semicolons around a header or cookie, and needless escapes, are spellings of the same value. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text).replace(/^[\s;]+|[\s;]+$/g, "");
  } catch {
    return text;
  }
}
