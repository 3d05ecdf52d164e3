import { describe, expect, it, vi } from "vitest";
import { type Grant, isDaypassError, type Verifier, type WireRequest } from "../src/index.ts";
import { cpuMilliseconds } from "./cpu-time.ts";
import { AT, type EveryVerifier, everyVerifier, LIFE } from "./every-verifier.ts";

// How often a verifier asks for cryptography: what an unknown key must not save.
const calls = vi.hoisted(() => ({ count: 0 }));
vi.mock("node:crypto", async (original) => {
  const real = await original<Record<string, unknown>>();
  const counted = Object.entries(real).map(([name, member]) => [
    name,
    typeof member !== "function" || /^[A-Z]/.test(name)
      ? member
      : (...given: unknown[]) => {
          calls.count += 1;
          return (member as (...given: unknown[]) => unknown)(...given);
        },
  ]);
  return Object.fromEntries(counted);
});

const seconds = (count: number): Date => new Date(AT.getTime() + count * 1000);

type Outcome = { readonly grant: Grant } | { readonly code: string };

/** A grant or a refusal; any other error fails the test. */
async function outcome(verifier: Verifier<Grant>, request: WireRequest): Promise<Outcome> {
  try {
    return { grant: await verifier.verify(request) };
  } catch (error) {
    if (isDaypassError(error)) return { code: error.code };
    throw error;
  }
}

async function codeOf(verifier: Verifier<Grant>, request: WireRequest): Promise<string> {
  const found = await outcome(verifier, request);
  return "code" in found ? found.code : "accepted";
}

interface Slot {
  readonly name: string;
  readonly value: string;
  readonly set: (value: string) => WireRequest;
  readonly drop?: () => WireRequest;
  readonly repeat?: () => WireRequest;
}

/** All places of a request that its holder can write in: path, parameters, headers or fields. */
function slots(request: WireRequest, form = false): readonly Slot[] {
  const { target, headers } = request;
  const [path = "", query = ""] = target.split("?");
  const tokens = query === "" ? [] : query.split("&");
  const withTokens = (list: readonly string[]): WireRequest => ({ ...request, target: `${path}?${list.join("&")}` });
  const withHeaders = (list: WireRequest["headers"]): WireRequest => ({ ...request, headers: list });
  return [
    ...(form
      ? []
      : [
          {
            name: "path",
            value: path,
            set: (value: string) => ({ ...request, target: target.replace(path, () => value) }),
          },
        ]),
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

/** Where the signature stands, and how it is replaced. */
function signatureSlot({ signature, form }: EveryVerifier, request: WireRequest): Slot {
  for (const slot of form ? slots(request, form) : []) if (signature.test(slot.name)) return slot;
  const inTarget = signature.exec(request.target)?.[1];
  if (inTarget !== undefined) {
    const set = (value: string): WireRequest => ({ ...request, target: request.target.replace(inTarget, () => value) });
    return { name: "signature", value: inTarget, set };
  }
  for (const slot of slots(request)) {
    const found = signature.exec(slot.value)?.[1];
    if (found !== undefined) {
      return { name: "signature", value: found, set: (value) => slot.set(slot.value.replace(found, () => value)) };
    }
  }
  throw new Error("no signature found");
}

const HOSTILE: readonly string[] = [
  ...["", " ", "0", "-1", "-0", "00", "1e9", "1e400", "0x10", "NaN", "Infinity", "null", "undefined", "none", "[]"],
  ...["9".repeat(11), "9".repeat(400), "8640000000001", "253402300800", "99999999T999999Z", "20260231T000000Z"],
  ...["__proto__", "constructor", "hasOwnProperty", "prototype", "valueOf", "[object Object]"],
  ...["\0", "%00", "%", "%%", "%z", "%zz", "%ff", "%c3%28", "%ed%a0%80", "%f4%90%80%80", "%c0%af", "\ud800", "\udfff"],
  ...[
    "é",
    "🚀",
    "\r\n",
    "%0d%0a",
    "\u2028",
    "\ufeff",
    "*",
    "..",
    "/",
    "//",
    "~",
    "~~",
    ";",
    ",",
    "=",
    "==",
    ".",
    "...",
  ],
  ...["bnVsbA", "e30", "W10", "e30.e30.e30", "e30.e30.", "eyJhbGciOiJub25lIn0.e30.", "{}", '{"a":'],
];

const KIB = 1024;
// Just below what a verifier reads at all, and far above.
const LONG: readonly string[] = [30 * KIB, 1024 * KIB].flatMap((length) => [
  ...["A", "0", "f", "/", "%", "+", "&", "=", ";", ",", ".", "~", ":", "*", "?", "-", " ", '"', "[", "é"].map((unit) =>
    unit.repeat(length),
  ),
  ...[
    "%41",
    "%2e",
    "%25",
    "/.",
    "/..",
    "a=",
    "a&",
    "&a=1",
    "a,",
    "a;",
    "*a",
    "a b",
    "__",
    "[1]",
    "(a+)",
    "Ij",
    "W1tb",
  ].map((unit) => unit.repeat(length / unit.length)),
  Array.from({ length: length / 8 }, (_, i) => `&p${i}=1`)
    .join("")
    .slice(0, length),
  Array.from({ length: length / 8 }, (_, i) => `;h${i}`)
    .join("")
    .slice(0, length),
]);

// About as many headers as Node reads.
const COUNTED: readonly string[] = Array.from({ length: 990 }, (_, i) => (i + 10_000).toString(36));
const VENDORS = ["", "x-amz-", "x-amz-meta-", "x-goog-", "x-oss-", "x-cos-", "x-ms-"] as const;

/**
 * The fastest of some, in milliseconds of this process: others take their share of the machine. What is quick at once needs no
 * other turn, and what is too slow gets more of them, since what grows too fast is slow in each.
 */
async function quickest(verifier: Verifier<Grant>, request: WireRequest): Promise<number> {
  const begin = performance.now();
  await outcome(verifier, request);
  const passed = performance.now() - begin;
  // Its threads cannot have taken 3 ms of processors in so little time. To ask for their own took longer than most requests.
  if (passed <= 0.5) return passed;
  let best = Number.POSITIVE_INFINITY;
  for (let turn = 0; best > 3 && turn < (best > 5 ? 50 : 10); turn++) {
    best = Math.min(best, await cpuMilliseconds(() => outcome(verifier, request)));
  }
  return best;
}

describe.each(everyVerifier)("$name fails closed", (row) => {
  const { right, wrong, empty, keyId, verifier } = row;

  it("accepts what it should, so that the refusals below mean something", async () => {
    expect(await codeOf(verifier(right), await row.request())).toBe("accepted");
  });

  it("needs origins, and says so", () => {
    // A form has none: its policy is not for a host.
    if (row.form) return;
    for (const origins of [undefined, null, [], ""]) {
      expect(() => verifier(right, { origins } as object)).toThrow(/^expected origins as one or more/);
    }
  });

  it("needs keys, and says so", async () => {
    for (const none of [undefined, null]) {
      // What is missing is told in front of the first request, and not by refusing each of them.
      const made = async (): Promise<unknown> => verifier(none);
      await expect(made()).rejects.toMatchObject({ code: expect.stringMatching(/^INVALID_(?:KEY|INPUT)$/) });
    }
  });

  it("ends at its very instant, and with a clock that is broken or far off", async () => {
    const request = await row.request();
    const at = (now: Date) => codeOf(verifier(right, { clock: () => now }), request);
    expect(await at(seconds(LIFE - 1))).toBe("accepted");
    expect(await at(seconds(LIFE))).not.toBe("accepted");
    expect(await at(new Date(Number.NaN))).not.toBe("accepted");
    expect(await at(new Date(8.64e15))).not.toBe("accepted");
  });

  it("tries all candidate keys, in any order and from a function", async () => {
    // A kid of the library's own scheme is the name of one key.
    if (row.name === "url") return;
    const request = await row.request();
    for (const keys of [[wrong, right], [right, wrong], () => [wrong, right], async () => [right, wrong]]) {
      expect(await codeOf(verifier(keys), request)).toBe("accepted");
    }
    expect(await codeOf(verifier([wrong]), request)).toBe("SIGNATURE_MISMATCH");
    expect(
      await codeOf(
        verifier(async () => [wrong, wrong]),
        request,
      ),
    ).toBe("SIGNATURE_MISMATCH");
  });

  it("does as much work for a key that nobody knows as for one that does not fit", async () => {
    const request = await row.request();
    const work = async (keys: unknown): Promise<number> => {
      const asked = verifier(keys);
      await outcome(asked, request);
      calls.count = 0;
      await outcome(asked, request);
      return calls.count;
    };
    const none = verifier(() => []);
    expect(await codeOf(none, request)).toBe("UNKNOWN_KEY");
    const mismatch = await work(wrong);
    expect(mismatch).toBeGreaterThan(0);
    expect(await work(() => [])).toBe(mismatch);
    expect(await work(async () => [])).toBe(mismatch);
  });

  it("refuses secrets and ids that are empty", async () => {
    const request = await row.request();
    expect(empty).not.toEqual([]);
    for (const key of empty) {
      for (const keys of [key, () => key]) {
        expect(await codeOf(await made(() => verifier(keys)), request), JSON.stringify(key)).not.toBe("accepted");
      }
    }
  });

  it("refuses a request that lacks a part of its signature, or has one twice", async () => {
    const request = await row.request();
    for (const { name, drop, repeat } of slots(request, row.form)) {
      if (drop !== undefined) expect(await codeOf(verifier(right), drop()), `without ${name}`).not.toBe("accepted");
      if (repeat !== undefined) expect(await codeOf(verifier(right), repeat()), `${name} twice`).not.toBe("accepted");
    }
  });

  it("knows one spelling of a signature", async () => {
    const request = await row.request();
    const { value, set } = signatureSlot(row, request);
    for (const other of [
      ...[value.toUpperCase(), value.toLowerCase(), ` ${value}`, `${value}=`, `${value}%3D`, `%20${value}`],
      ...[`${value}%20`, `${value}+`, `${value}%0a`, `${value}%00`, `${value}0`, value.slice(0, -1), value.slice(1)],
      ...[value + value, `${value},${value}`, `"${value}"`, `0x${value}`],
    ]) {
      // Spaces around a cookie are nobody's.
      if (other.trim() === value && request.headers.some(([name]) => name === "cookie")) continue;
      if (other !== value) expect(await codeOf(verifier(right), set(other)), other).not.toBe("accepted");
    }
  });

  it("refuses values that nobody means, anywhere", async () => {
    const request = await row.request();
    const found: string[] = [];
    for (const { name, value, set } of slots(request, row.form)) {
      if (name === "path" && row.below) continue;
      for (const text of HOSTILE) {
        for (const hostile of [text, value + text, text + value]) {
          if (decoded(hostile) === decoded(value)) continue;
          if ((await codeOf(verifier(right), set(hostile))) === "accepted") found.push(`${name}: ${hostile}`);
        }
      }
    }
    expect(found).toEqual([]);
  });

  it("knows no key by a name that every object has", async () => {
    if (keyId === undefined) return;
    const request = await row.request();
    const naming = slots(request, row.form).flatMap(({ value, set }) => {
      const spelt = [keyId, encodeURIComponent(keyId)].find((text) => value.includes(text));
      return spelt === undefined ? [] : [(name: string) => set(value.replace(spelt, name))];
    });
    expect(naming).not.toEqual([]);
    for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
      for (const named of naming) expect(await codeOf(verifier(right), named(name))).not.toBe("accepted");
    }
  });

  it("refuses what nobody enforces", async () => {
    if (row.obliged === undefined) return;
    const request = await row.obliged();
    expect(await codeOf(verifier(right), request)).toBe("accepted");
    expect(await codeOf(verifier(right, { enforces: [] }), request)).toBe("UNENFORCED_CONSTRAINT");
  });

  it("is done within 5 ms with whatever is long", async () => {
    const request = await row.request();
    const asked = verifier(right);
    const slow: string[] = [];
    let worst = { ms: 0, what: "" };
    const time = async (what: string, changed: WireRequest): Promise<void> => {
      const ms = await quickest(asked, changed);
      if (ms > worst.ms) worst = { ms, what };
      if (ms > 5) slow.push(`${what}: ${ms.toFixed(1)} ms`);
    };
    for (const { name, value, set } of slots(request, row.form)) {
      for (const text of LONG) {
        const what = `${name}, ${text.slice(0, 12)} × ${text.length}`;
        await time(what, set(text));
        await time(`${what}, behind its value`, set(value + text));
      }
    }
    const last = row.form ? [] : LONG;
    for (const text of last) {
      const mark = request.target.includes("?") ? "&" : "?";
      await time(`query, ${text.slice(0, 12)} × ${text.length}`, { ...request, target: request.target + mark + text });
      for (const name of ["cookie", "authorization", "x-amz-meta-a", "x-other"]) {
        await time(`header ${name}, ${text.slice(0, 12)} × ${text.length}`, {
          ...request,
          headers: [...request.headers, [name, text]],
        });
      }
    }
    const many = Array.from({ length: 4000 }, (_, i) => [`x-amz-${i}`, ""] as const);
    await time("4000 headers", { ...request, headers: [...request.headers, ...many] });
    for (const vendor of VENDORS) {
      const named = COUNTED.map((name) => [vendor + name, "1"] as const);
      await time(`headers ${vendor}*`, { ...request, headers: [...request.headers, ...named] });
      for (const { name, set } of slots(request, row.form).filter((slot) => /headers$|header-list$/i.test(slot.name))) {
        for (const separator of [";", ","]) {
          const list = [...named.map(([header]) => header), "host"].sort().join(separator);
          const listed = set(list);
          await time(`${name}, which names ${vendor}*`, { ...listed, headers: [...listed.headers, ...named] });
        }
      }
    }
    process.stdout.write(`${row.name}: at most ${worst.ms.toFixed(2)} ms (${worst.what})\n`);
    expect(slow).toEqual([]);
    // Of so many requests it has not lost what it accepts.
    expect(await codeOf(asked, request)).toBe("accepted");
  }, 120_000);
});

/** A verifier that refuses where its factory does. */
async function made(factory: () => Verifier<Grant>): Promise<Verifier<Grant>> {
  try {
    return factory();
  } catch (error) {
    return { detects: () => true, verify: () => Promise.reject(error) };
  }
}

/** Spaces and semicolons around a header or cookie, and escapes of what needs none, are spellings of the same. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text).replace(/^[\s;]+|[\s;]+$/g, "");
  } catch {
    return text;
  }
}
