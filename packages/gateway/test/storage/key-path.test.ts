import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { anyText } from "../../../../tools/any-text.ts";
import { contentTypeOf } from "../../src/http/content-type.ts";
import { errnoOf, translated } from "../../src/storage/disk/errors.ts";
import {
  hashedPath,
  isBucketName,
  isStorableKey,
  plainPath,
  runOfTemp,
  tempName,
} from "../../src/storage/disk/objects/key-path.ts";

const plain = { foldsNames: false, flat: false };
const folding = { foldsNames: true, flat: false };

describe("the path of a key", () => {
  it("is the key below the bucket's folder", () => {
    expect(plainPath("/root/b", "a/b c/d.txt", plain)).toBe("/root/b/a/b c/d.txt");
    expect(plainPath("/root/b", "...", plain)).toBe("/root/b/...");
    expect(plainPath("/root/b", ".hidden/..x", plain)).toBe("/root/b/.hidden/..x");
  });

  it.each([
    "a//b",
    "/a",
    "a/",
    "/",
    ".",
    "..",
    "a/../b",
    "./a",
    "a\\b",
    "a\nb",
    "a\x7f",
    ".daypass",
    "a/.daypass-x",
    "x".repeat(256),
  ])("does not exist for %j", (key) => {
    expect(plainPath("/root/b", key, plain)).toBeUndefined();
  });

  it("counts the bytes of a name, not its characters", () => {
    expect(plainPath("/root/b", "\u00e9".repeat(127), plain)).toBeDefined();
    expect(plainPath("/root/b", "\u00e9".repeat(128), plain)).toBeUndefined();
    expect(plainPath("/root/b", "d/".repeat(2050).slice(0, -1), plain)).toBeUndefined();
  });

  it.each(["con", "NUL.txt", "com1", "LPT9.x", "a:b", "what?", "ends.", "ends ", "a/aux/b"])(
    "does not exist for %j if the file system folds names",
    (key) => {
      expect(plainPath("/root/b", key, plain)).toBeDefined();
      expect(plainPath("/root/b", key, folding)).toBeUndefined();
    },
  );

  it("has no folder in the bucket of loose files", () => {
    expect(plainPath("/root", "a.txt", { foldsNames: false, flat: true })).toBe("/root/a.txt");
    expect(plainPath("/root", "b/a.txt", { foldsNames: false, flat: true })).toBeUndefined();
  });

  it("stays below its folder for any key, and a hashed path in the gateway's own folder", () => {
    const segment = fc.oneof(fc.constantFrom("..", ".", "", "a", ".daypass", "\\", "\0"), anyText());
    fc.assert(
      fc.property(fc.array(segment, { minLength: 1 }), (segments) => {
        const key = segments.join("/");
        const path = plainPath("/root/b", key, plain);
        // `join` collapses dots and doubled slashes. The kernel would open another path.
        if (path !== undefined) expect([join(path), path.startsWith("/root/b/")]).toEqual([path, true]);
        expect(hashedPath("/root", "b", key)).toMatch(/^\/root\/\.daypass\/objects\/[0-9a-f]{2}\/[0-9a-f]{62}$/);
      }),
    );
  });

  it("separates bucket and key in the hash", () => {
    expect(hashedPath("/root", "a", "b/c")).not.toBe(hashedPath("/root", "a/b", "c"));
  });

  it.each(["", ".", "..", ".git", ".daypass", "a/b", "a\\b", "a\0", "\ud800", "x".repeat(256)])(
    "rejects the bucket name %j",
    (name) => {
      expect(isBucketName(name)).toBe(false);
    },
  );

  it.each(["media", "My Files", "b\u00fccher", "a.b-c"])("accepts the bucket name %j", (name) => {
    expect(isBucketName(name)).toBe(true);
  });

  it.each(["", "a\0", "\udc00"])("rejects the key %j", (key) => {
    expect(isStorableKey(key)).toBe(false);
  });
});

describe("temp names", () => {
  it("contain the run that they belong to", () => {
    expect(runOfTemp(tempName("00ff", "ab12"))).toBe("00ff");
    expect(runOfTemp("a.tmp")).toBeUndefined();
    expect(runOfTemp(".daypass-x.tmp")).toBeUndefined();
  });

  it("are the path of no key", () => {
    expect(plainPath("/root/b", tempName("00", "11"), plain)).toBeUndefined();
    expect(plainPath("/root/b", `folder/${tempName("00", "11")}`, plain)).toBeUndefined();
  });
});

describe("types by extension", () => {
  it.each([
    ["a.png", "image/png"],
    ["a/b.TXT", "text/plain; charset=utf-8"],
    ["a.pdf", "application/pdf"],
    ["video.mp4", "video/mp4"],
    ["a.tar.gz", "application/gzip"],
    ["png", "binary/octet-stream"],
    ["a.b/png", "binary/octet-stream"],
    ["a.unknownextension", "binary/octet-stream"],
  ])("of %j is %s", (key, type) => {
    expect(contentTypeOf(key)).toBe(type);
  });
});

describe("errors of the system", () => {
  it.each([
    ["ENOSPC", "DISK_FULL"],
    ["EDQUOT", "DISK_FULL"],
    ["EFBIG", "TOO_LARGE"],
    ["ENAMETOOLONG", "KEY_NOT_STORABLE"],
    ["EACCES", "STORAGE_DENIED"],
    ["EPERM", "STORAGE_DENIED"],
    ["EIO", "UNAVAILABLE"],
  ])("translates %s to %s without the path in its text", (code, expected) => {
    const fault = Object.assign(new Error("open '/srv/secret'"), { code, syscall: "open" });
    const error = translated(fault, "open the object");
    expect(error).toMatchObject({ code: expected, cause: fault });
    expect(String(error)).not.toContain("/srv");
  });

  it("translates SQLite's full disk to DISK_FULL", () => {
    expect(translated(Object.assign(new Error("full"), { errcode: 13 }), "write")).toMatchObject({ code: "DISK_FULL" });
    expect(translated(Object.assign(new Error("busy"), { errcode: 5 }), "write")).toMatchObject({
      code: "UNAVAILABLE",
    });
  });

  it("passes every other error unchanged", () => {
    const error = new TypeError("a mistake");
    expect(translated(error, "write")).toBe(error);
    expect(translated("text", "write")).toBe("text");
    expect(errnoOf("text")).toBeUndefined();
  });
});
