import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { s3Signer } from "daypass/s3";
import { describe, expect, onTestFinished, test } from "vitest";
import { IN_NAMESPACE, needsMounts } from "../../../tools/mounts.ts";
import { nodeArguments, temporaryFolder } from "./command.ts";

const reason = needsMounts();

/** Serves once, to have keys and an index; fills the file system to the last byte; serves again. */
const SCRIPT = `
root=$1; workers=$2; shift 2
mount -t tmpfs -o size=16m tmpfs "$root"
mkdir "$root/media"; echo hello > "$root/media/hello.txt"
mkfifo "$root/said"
"$@" "$root" --port 0 --json --show-secret > "$root/said" & first=$!
head -n 1 "$root/said"
kill $first; wait $first || true
rm "$root/said"
cat /dev/zero > "$root/.filler" 2> /dev/null || true
exec "$@" "$root" --port 0 --json --workers "$workers"
`;

/** Makes a key, fills the file system to the last byte, and revokes the key. */
const REVOKE = `
root=$1; shift
mount -t tmpfs -o size=256k tmpfs "$root"
id=$("$@" create --state "$root/state" --out "$root/secret" --json | sed 's/.*"id":"\\([^"]*\\)".*/\\1/')
cat /dev/zero > "$root/filler" 2> /dev/null || true
"$@" create --state "$root/state" --show-secret || echo "no room for another"
"$@" revoke "$id" --state "$root/state"
"$@" list --state "$root/state"
ls "$root/state"
`;

/** The same where the file of keys is another's: its owner has put a link in its place. */
const LINKED = `
root=$1; link=$2; shift 2
mount -t tmpfs -o size=256k tmpfs "$root"
id=$("$@" create --state "$root/state" --out "$root/secret" --json | sed 's/.*"id":"\\([^"]*\\)".*/\\1/')
mv "$root/state/keys.json" "$root/other"; cp "$root/other" "$root/before"
ln $link "$root/other" "$root/state/keys.json"
cat /dev/zero > "$root/filler" 2> /dev/null || true
"$@" revoke "$id" --state "$root/state" || echo refused
cmp "$root/other" "$root/before" && echo untouched
`;

describe.skipIf(reason)(`keys on a full disk${reason ?? ""}`, () => {
  test("are revoked, and leave nothing behind where they cannot be made", () => {
    const command = [process.execPath, ...nodeArguments, "keys"];
    const script = [...IN_NAMESPACE, REVOKE, "sh", temporaryFolder(), ...command];
    const { status, stdout, stderr } = spawnSync("unshare", script, {
      env: { PATH: process.env["PATH"], HOME: temporaryFolder() },
      encoding: "utf8",
    });
    expect([status, stderr]).toEqual([0, expect.stringContaining("ENOSPC")]);
    expect(stdout).toMatch(/^no room for another\nrevoked DP\w+\n.*\nDP\w+ .* revoked .*\nkeys\.json\nmaster\.key\n$/);
  });

  test.each(["-s", ""])("are written into no other file (ln %s)", (link) => {
    const command = [process.execPath, ...nodeArguments, "keys"];
    const script = [...IN_NAMESPACE, LINKED, "sh", temporaryFolder(), link, ...command];
    const { stdout, stderr } = spawnSync("unshare", script, {
      env: { PATH: process.env["PATH"], HOME: temporaryFolder() },
      encoding: "utf8",
    });
    expect([stdout, stderr]).toEqual(["refused\nuntouched\n", expect.stringContaining("ENOSPC")]);
  });
});

describe.skipIf(reason)(`serve on a full disk${reason ?? ""}`, () => {
  test.each(["0", "2"])("serves what is there, stores nothing, and says so once (%s workers)", async (workers) => {
    const root = temporaryFolder();
    const command = [process.execPath, ...nodeArguments, "serve"];
    const child = spawn("unshare", [...IN_NAMESPACE, SCRIPT, "sh", root, workers, ...command], {
      env: { PATH: process.env["PATH"], HOME: temporaryFolder() },
    });
    onTestFinished(() => void child.kill("SIGTERM"));
    let log = "";
    child.stderr.on("data", (chunk: Buffer) => {
      log += chunk;
    });
    const said: string[] = [];
    createInterface({ input: child.stdout }).on("line", (line) => said.push(line));
    await expect.poll(() => said.length, { timeout: 20_000 }).toBe(2);
    const [first, second] = said.map((line) => JSON.parse(line));
    const get = async () => (await fetch(second.presignedUrl)).text();
    expect(await Promise.all([get(), get(), get(), get()])).toEqual(Array(4).fill("hello\n"));
    const { accessKeyId, secretAccessKey } = first;
    const signer = s3Signer({
      region: "us-east-1",
      endpoint: second.s3Endpoint,
      credentials: { accessKeyId, secretAccessKey },
    });
    const { url } = signer.sign({ method: "PUT", bucket: "media", key: "new.txt", expiresIn: 60 });
    const put = async () => (await fetch(url, { method: "PUT", body: "new" })).status;
    expect(await Promise.all([put(), put(), put(), put()])).toEqual(Array(4).fill(507));
    const times = () => log.split("found no room on the disk").length - 1;
    await expect.poll(times).toBe(1);
    const closed = once(child, "close");
    child.kill("SIGTERM");
    expect([(await closed)[0], times()]).toEqual([0, 1]);
  });
});
