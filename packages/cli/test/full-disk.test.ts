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

/** The same where the file of the keys was replaced by a link to another one. */
const REVOKE_BY_LINK = `
root=$1; shift
mount -t tmpfs -o size=256k tmpfs "$root"
id=$("$@" create --state "$root/state" --out "$root/secret" --json | sed 's/.*"id":"\\([^"]*\\)".*/\\1/')
mv "$root/state/keys.json" "$root/another"
ln -s ../another "$root/state/keys.json"
cp "$root/another" "$root/before"
cat /dev/zero > "$root/filler" 2> /dev/null || true
"$@" revoke "$id" --state "$root/state" || echo "not revoked"
cmp "$root/before" "$root/another" && echo "left alone"
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
});

describe.skipIf(reason)(`keys on a full disk behind a link${reason ?? ""}`, () => {
  test("are not written over: as root that could be any file", () => {
    const command = [process.execPath, ...nodeArguments, "keys"];
    const script = [...IN_NAMESPACE, REVOKE_BY_LINK, "sh", temporaryFolder(), ...command];
    const { stdout } = spawnSync("unshare", script, {
      env: { PATH: process.env["PATH"], HOME: temporaryFolder() },
      encoding: "utf8",
    });
    expect(stdout).toBe("not revoked\nleft alone\n");
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
