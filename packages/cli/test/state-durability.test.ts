import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { basename, join } from "node:path";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { createFile, createStateFile } from "../src/state-folder/files.ts";
import { replaceFile } from "../src/state-folder/replace-file.ts";
import { temporaryFolder } from "./command.ts";

// The calls in order, and the fault of the next write.
const disk = vi.hoisted(() => ({ calls: [] as string[], fault: undefined as string | undefined, takesNothing: false }));
vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof import("node:fs/promises")>();
  const nameOf = (path: string): string => basename(path).replace(/\.[0-9a-f]{12}\.tmp$/, ".tmp");
  const watched = (file: FileHandle, name: string, isNew: boolean): FileHandle =>
    new Proxy(file, {
      get(target, member) {
        const value: unknown = Reflect.get(target, member);
        if (typeof value !== "function") return value;
        return (...given: unknown[]) => {
          if (["writeFile", "sync", "close"].includes(String(member))) disk.calls.push(`${String(member)} ${name}`);
          const isRefused = member === "writeFile" && disk.fault !== undefined && (isNew || disk.takesNothing);
          if (!isRefused) return Reflect.apply(value, target, given);
          const refusal = Object.assign(new Error(disk.fault), { code: disk.fault });
          // A failed write in place may have written a part.
          const some = isNew ? undefined : Reflect.apply(value, target, [String(given[0]).slice(0, 2)]);
          return Promise.resolve(some).then(() => Promise.reject(refusal));
        };
      },
    });
  return {
    ...real,
    open: async (path: string, ...rest: [number | string, number?]) => {
      disk.calls.push(`open ${nameOf(path)}`);
      return watched(await real.open(path, ...rest), nameOf(path), rest[0] === "wx");
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
  Object.assign(disk, { calls: [], fault: undefined, takesNothing: false });
});

const TEMPORARY = ["open keys.json.tmp", "writeFile keys.json.tmp", "sync keys.json.tmp", "close keys.json.tmp"];
const FOLDER = ["open state", "sync state", "close state"];

describe("replaceFile() and createFile()", () => {
  test("flushes the text before the rename, and the folder before it resolves", async () => {
    await replaceFile(path, "the new text\n", held);
    const spare = [...TEMPORARY, "rename keys.json.tmp keys.json.spare"];
    expect(disk.calls).toEqual([...TEMPORARY, "rename keys.json.tmp keys.json", ...FOLDER, ...spare]);
    expect([readFileSync(path, "utf8"), readdirSync(folder)]).toEqual([
      "the new text\n",
      ["keys.json", "keys.json.spare"],
    ]);
  });

  test.each([
    ["createStateFile()", createStateFile],
    ["createFile()", createFile],
  ])("flushes a new file before the link, and keeps an existing file: %s", async (_, create) => {
    const fresh = join(folder, "master.key");
    expect(await create(fresh, "key")).toBe(true);
    const made = TEMPORARY.map((call) => call.replaceAll("keys.json", "master.key"));
    expect(disk.calls).toEqual([...made, "link master.key.tmp master.key", ...FOLDER]);
    expect(await create(fresh, "another")).toBe(false);
    expect([readFileSync(fresh, "utf8"), readdirSync(folder)]).toEqual(["key", ["keys.json", "master.key"]]);
  });

  test("keeps the old text if the lock was lost or the disk fails", async () => {
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

describe("replaceFile() on a full disk", () => {
  let spare: string;
  beforeEach(async () => {
    spare = `${path}.spare`;
    await replaceFile(path, "the old text\n", held);
    Object.assign(disk, { calls: [], fault: "ENOSPC" });
  });

  const expectUntouched = (): void => {
    expect(readFileSync(path, "utf8")).toBe("the old text\n");
    expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  };

  test("writes the text into the spare file, and erases the old file as the next spare", async () => {
    for (const text of ["the new text\n", "new", "and another\n"]) {
      disk.calls = [];
      await replaceFile(path, text, held);
      expect(disk.calls).toEqual([
        // The disk is full.
        ...["open keys.json.tmp", "writeFile keys.json.tmp", "close keys.json.tmp"],
        ...["rename keys.json.spare keys.json.tmp", ...TEMPORARY],
        ...["link keys.json keys.json.tmp", "rename keys.json.tmp keys.json", ...FOLDER],
        ...["open keys.json.tmp", "writeFile keys.json.tmp", "sync keys.json.tmp", "close keys.json.tmp"],
        "rename keys.json.tmp keys.json.spare",
      ]);
      expect(readFileSync(path, "utf8").trimEnd()).toBe(text.trimEnd());
      expect([readFileSync(spare, "utf8").trim(), readdirSync(folder)]).toEqual(["", ["keys.json", "keys.json.spare"]]);
    }
  });

  test("keeps the old text if the lock was lost, the text is longer, or the spare file is too small", async () => {
    await expect(replaceFile(path, "new", lost)).rejects.toThrow("another process has it");
    expectUntouched();
    await expect(replaceFile(path, "a text that is longer\n", held)).rejects.toThrow("ENOSPC");
    expectUntouched();
    truncateSync(spare, 2);
    await expect(replaceFile(path, "new", held)).rejects.toThrow("ENOSPC");
    expectUntouched();
    rmSync(spare, { force: true });
    await expect(replaceFile(path, "new", held)).rejects.toThrow("nothing was changed");
    expectUntouched();
  });

  test("does not write through a link in place of the spare file", async () => {
    const other = join(folder, "other");
    writeFileSync(other, " ".repeat(4096));
    for (const link of [linkSync, symlinkSync]) {
      rmSync(spare, { force: true });
      link(other, spare);
      await expect(replaceFile(path, "new", held)).rejects.toThrow("ENOSPC");
      expectUntouched();
      expect(readFileSync(other, "utf8")).toBe(" ".repeat(4096));
    }
  });

  test("removes a spare file with a part of the text", async () => {
    disk.takesNothing = true;
    await expect(replaceFile(path, "new", held)).rejects.toThrow("nothing was changed");
    expectUntouched();
    expect(readdirSync(folder)).toEqual(["keys.json"]);
  });

  test("reports missing space for a new file", async () => {
    rmSync(path);
    await expect(replaceFile(path, "new", held)).rejects.toThrow("there is no room beside");
  });

  test.skipIf(process.platform === "win32")("sets mode 0600 and the owner of the old file", async () => {
    const { uid } = statSync(path);
    const isRoot = process.getuid?.() === 0;
    const owner = isRoot ? 65_534 : uid;
    if (isRoot) chownSync(path, owner, owner);
    chmodSync(spare, 0o644);
    await replaceFile(path, "new", held);
    const { mode, uid: after } = statSync(path);
    expect([(mode & 0o777).toString(8), after]).toEqual(["600", owner]);
  });
});

describe("the spare file", () => {
  const bytes = (): number => lstatSync(`${path}.spare`).size;

  test("reserves space in bytes, not characters", async () => {
    await replaceFile(path, "ü".repeat(4000), held);
    expect(bytes()).toBe(8192);
  });

  test.each([
    ["symbolic", symlinkSync],
    ["hard", linkSync],
  ])("replaces a %s link by a new spare file", async (_, link) => {
    const other = join(folder, "other");
    writeFileSync(other, " ".repeat(8192));
    link(other, `${path}.spare`);
    await replaceFile(path, "new", held);
    expect([bytes(), statSync(other).size]).toEqual([4096, 8192]);
  });

  test("keeps the temporary file of another process if the spare file cannot be created", async () => {
    mkdirSync(`${path}.spare`);
    const theirs = `${basename(path)}.0123456789ab.tmp`;
    writeFileSync(join(folder, theirs), "");
    await replaceFile(path, "new".repeat(4000), held);
    expect(readdirSync(folder)).toEqual(["keys.json", theirs, "keys.json.spare"].sort());
  });
});
