import { linkSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { basename, join } from "node:path";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { createFile, createStateFile, replaceFile } from "../src/state/files.ts";
import { temporaryFolder } from "./command.ts";

// What is asked of the disk, in its order, and what it answers to a write.
const disk = vi.hoisted(() => ({ calls: [] as string[], fault: undefined as string | undefined }));
vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof import("node:fs/promises")>();
  const nameOf = (path: string): string => basename(path).replace(/\.[0-9a-f]{12}\.tmp$/, ".tmp");
  const watched = (file: FileHandle, name: string): FileHandle =>
    new Proxy(file, {
      get(target, member) {
        const value: unknown = Reflect.get(target, member);
        if (typeof value !== "function") return value;
        return (...given: unknown[]) => {
          if (["writeFile", "sync", "close"].includes(String(member))) disk.calls.push(`${String(member)} ${name}`);
          if (member === "writeFile" && disk.fault !== undefined && name.endsWith(".tmp"))
            return Promise.reject(Object.assign(new Error(disk.fault), { code: disk.fault }));
          return Reflect.apply(value, target, given);
        };
      },
    });
  return {
    ...real,
    open: async (path: string, ...rest: [number | string, number?]) => {
      disk.calls.push(`open ${nameOf(path)}`);
      return watched(await real.open(path, ...rest), nameOf(path));
    },
    ...Object.fromEntries(
      (["rename", "link"] as const).map((name) => [
        name,
        (from: string, to: string) => {
          disk.calls.push(`${name} ${nameOf(from)} ${nameOf(to)}`);
          return real[name](from, to);
        },
      ]),
    ),
  };
});

const held = { expectHeld: async () => {} };
const lost = {
  expectHeld: async () => {
    throw new Error("another process has it");
  },
};

let folder: string;
let path: string;
beforeEach(() => {
  folder = join(temporaryFolder(), "state");
  mkdirSync(folder);
  path = join(folder, "keys.json");
  writeFileSync(path, "the old text\n");
  Object.assign(disk, { calls: [], fault: undefined });
});

const TEMPORARY = ["open keys.json.tmp", "writeFile keys.json.tmp", "sync keys.json.tmp", "close keys.json.tmp"];
const FOLDER = ["open state", "sync state", "close state"];

describe("a file of the state", () => {
  test("is whole on the disk before it has its name, and has its name there before anybody is told", async () => {
    await replaceFile(path, "the new text\n", held);
    expect(disk.calls).toEqual([...TEMPORARY, "rename keys.json.tmp keys.json", ...FOLDER]);
    expect([readFileSync(path, "utf8"), readdirSync(folder)]).toEqual(["the new text\n", ["keys.json"]]);
  });

  test.each([
    ["of the state", createStateFile],
    ["of whoever asks", createFile],
  ])("that is new is so, too, and takes no other one's place: one %s", async (_, create) => {
    const fresh = join(folder, "master.key");
    expect(await create(fresh, "key")).toBe(true);
    const made = TEMPORARY.map((call) => call.replaceAll("keys.json", "master.key"));
    expect(disk.calls).toEqual([...made, "link master.key.tmp master.key", ...FOLDER]);
    expect(await create(fresh, "another")).toBe(false);
    expect([readFileSync(fresh, "utf8"), readdirSync(folder)]).toEqual(["key", ["keys.json", "master.key"]]);
  });

  test("keeps its text where the lock was lost, or the disk fails", async () => {
    await expect(replaceFile(path, "new", lost)).rejects.toThrow("another process has it");
    disk.fault = "EIO";
    await expect(replaceFile(path, "new", held)).rejects.toThrow("EIO");
    disk.fault = "ENOSPC";
    await expect(replaceFile(path, "new", lost)).rejects.toThrow("another process has it");
    expect([readFileSync(path, "utf8"), readdirSync(folder)]).toEqual(["the old text\n", ["keys.json"]]);
    const opened = disk.calls.filter((call) => call.startsWith("open")).length;
    expect(disk.calls.filter((call) => call.startsWith("close"))).toHaveLength(opened);
  });
});

describe("on a full disk", () => {
  beforeEach(() => {
    disk.fault = "ENOSPC";
  });

  test("a shorter text, or one as long, takes the place of the old one, and lies on the disk", async () => {
    for (const text of ["the new text\n", "new"]) {
      disk.calls = [];
      await replaceFile(path, text, held);
      expect(readFileSync(path, "utf8")).toBe(text.padEnd("the old text\n".length));
      expect(disk.calls.slice(-4)).toEqual([
        "open keys.json",
        "writeFile keys.json",
        "sync keys.json",
        "close keys.json",
      ]);
    }
  });

  test("a longer one does not, and none goes where a link leads", async () => {
    await expect(replaceFile(path, "a text that is longer", held)).rejects.toThrow("ENOSPC");
    const [hard, soft] = [join(folder, "hard"), join(folder, "soft")];
    symlinkSync(path, soft);
    await expect(replaceFile(soft, "new", held)).rejects.toThrow("ENOSPC");
    linkSync(path, hard);
    for (const linked of [path, hard]) await expect(replaceFile(linked, "new", held)).rejects.toThrow("ENOSPC");
    expect(readFileSync(path, "utf8")).toBe("the old text\n");
    expect(readdirSync(folder)).toEqual(["hard", "keys.json", "soft"]);
  });
});
