import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as node from "../../src/crypto/node.ts";
import * as portable from "../../src/crypto/portable.ts";

const text = fc.string({ unit: "grapheme", maxLength: 300 });
const key = fc.uint8Array({ maxLength: 200 });
const bytes = (view: Uint8Array): readonly number[] => [...view];

describe("the two builds of #crypto", () => {
  it("export the same names", () => {
    expect(Object.keys(portable).sort()).toEqual(Object.keys(node).sort());
  });

  it("hash alike", () => {
    fc.assert(
      fc.property(text, key, (message, data) => {
        expect(portable.sha256Hex(message)).toBe(node.sha256Hex(message));
        expect(portable.sha256Hex(data)).toBe(node.sha256Hex(data));
        expect(bytes(portable.sha256(data))).toEqual(bytes(node.sha256(data)));
      }),
    );
  });

  it("hash a stream alike, wherever it is cut", () => {
    fc.assert(
      fc.property(fc.array(key, { maxLength: 5 }), (pieces) => {
        const [a, b] = [portable.sha256Stream(), node.sha256Stream()];
        for (const piece of pieces) {
          a.update(piece);
          b.update(piece);
        }
        expect(a.hex()).toBe(b.hex());
      }),
    );
  });

  it("authenticate alike, with keys around the block size and with a key used again", () => {
    fc.assert(
      fc.property(key, fc.array(text, { minLength: 1, maxLength: 4 }), (secret, messages) => {
        const [a, b] = [portable.hmacSha256(secret), node.hmacSha256(secret)];
        for (const message of messages) {
          expect(a.hex(message)).toBe(b.hex(message));
          expect(a.base64url(message)).toBe(b.base64url(message));
          expect(bytes(portable.hmacSha256Once(secret, message))).toEqual(bytes(node.hmacSha256Once(secret, message)));
          expect(node.hmacSha256Once(secret, message)).toEqual(Buffer.from(b.hex(message), "hex"));
          expect(bytes(portable.hmacSha1(secret, message))).toEqual(bytes(node.hmacSha1(secret, message)));
        }
      }),
    );
  });

  it("return the same MAC for a message changed in place and for a new message", () => {
    const ascii = fc.string({ unit: "binary-ascii", minLength: 4, maxLength: 200 });
    fc.assert(
      fc.property(key, ascii, fc.nat(), (secret, message, seed) => {
        const at = seed % (message.length - 3);
        const changed = `${message.slice(0, at)}abcd${message.slice(at + 4)}`;
        for (const { hmacFrame, hmacSha256 } of [portable, node]) {
          const frame = hmacFrame(secret, message);
          expect(frame.hex()).toBe(hmacSha256(secret).hex(message));
          frame.write(at, "abcd");
          expect(frame.hex()).toBe(hmacSha256(secret).hex(changed));
        }
      }),
    );
  });

  it("sign with Ed25519 alike and verify each other's signatures", async () => {
    const seed = fc.uint8Array({ minLength: 32, maxLength: 32 });
    const { createPrivateKey, createPublicKey } = await import("node:crypto");
    const pkcs8 = (raw: Uint8Array): Buffer =>
      Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), raw]);
    await fc.assert(
      fc.asyncProperty(seed, text, async (raw, message) => {
        const der = createPublicKey(createPrivateKey({ key: pkcs8(raw), format: "der", type: "pkcs8" }));
        const publicRaw = der.export({ format: "der", type: "spki" }).subarray(-32);
        const signature = await node.ed25519PrivateKey(raw).sign(message);
        expect(bytes(await portable.ed25519PrivateKey(raw).sign(message))).toEqual(bytes(signature));
        expect(await portable.ed25519PublicKey(publicRaw).verify(message, signature)).toBe(true);
        expect(await node.ed25519PublicKey(publicRaw).verify(`${message}.`, signature)).toBe(false);
        expect(await portable.ed25519PublicKey(publicRaw).verify(`${message}.`, signature)).toBe(false);
      }),
      { numRuns: 20 },
    );
  });
});
