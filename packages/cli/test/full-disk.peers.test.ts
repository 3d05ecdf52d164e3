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
exec "$@" "$root" --port 0 --json --show-url --workers "$workers"
`;

/** `made FILE` creates a key and prints its id. */
const MADE = `
root=$1; shift
keys() { action=$1; shift; "$0" "$SCRIPT" keys "$action" "$@" --state "$root/state"; }
made() { keys create --out "$root/$1" --json | sed 's/.*"id":"\\([^"]*\\)".*/\\1/'; }
`;

/** Makes two keys, fills the file system to the last byte, and revokes them. */
const REVOKE = `${MADE}
mount -t tmpfs -o size=256k tmpfs "$root"
first=$(made first); second=$(made second)
cat /dev/zero > "$root/filler" 2> /dev/null || true
keys create --show-secret || echo "no room for another"
keys rotate "$first" --show-secret || echo "no room for another"
keys revoke "$first"; keys revoke "$second"
keys list
ls "$root/state"
`;

/** The same with a hard link to the key file or to the spare file. */
const LINKED = `${MADE}
name=$1; link=$2
mount -t tmpfs -o size=256k tmpfs "$root"
id=$(made secret)
mv "$root/state/$name" "$root/other"; cp "$root/other" "$root/before"
ln $link "$root/other" "$root/state/$name"
cat /dev/zero > "$root/filler" 2> /dev/null || true
keys revoke "$id" > /dev/null || echo refused
cmp "$root/other" "$root/before" && echo untouched
`;

/** Changes keys whose file is mounted alone, as containers mount single files. */
const MOUNTED = `${MADE}
id=$(made secret)
cp "$root/state/keys.json" "$root/before"
mount --bind "$root/state/keys.json" "$root/state/keys.json"
for action in create "rotate $id" "revoke $id"; do
  case $action in revoke*) ;; *) action="$action --show-secret" ;; esac
  keys $action || echo refused
done
cmp "$root/state/keys.json" "$root/before" && echo untouched
ls "$root/state"
`;

/** Creates a link, fills the file system to the last byte, revokes the link and a URL, and serves both again. */
const LINKS = String.raw`
root=$1; command=$SCRIPT; state="$root/.daypass"
daypass() { "$0" "$command" "$@"; }
get() { "$0" -e 'fetch(process.argv[1]).then(async (r) => console.log(r.status, (await r.text()).split("\n")[0]))' "$1"; }
field() { sed "s/.*\"$1\":\"\\([^\"]*\\)\".*/\\1/"; }
mount -t tmpfs -o size=48m tmpfs "$root"
mkdir "$root/media"; echo hello > "$root/media/hello.txt"
mkfifo "$root/said" "$root/again"
"$0" "$command" serve "$root" --port 0 --json --show-url > "$root/said" 2> /dev/null & gateway=$!
trap 'kill $gateway || true' EXIT
said=$(head -n 1 "$root/said")
url=$(echo "$said" | field presignedUrl); origin=$(echo "$said" | field url)
link=$(daypass links create media/hello.txt --json --state "$state")
get "$url"; get "$(echo "$link" | field url)"
cat /dev/zero > "$root/filler" 2> /dev/null || true
daypass links create media/hello.txt --state "$state" 2>&1 || true
get "$origin/-/readyz?links"
daypass revoke "$url" --state "$state" > /dev/null
daypass links revoke "$(echo "$link" | field id)" --state "$state" > /dev/null
get "$url"; get "$(echo "$link" | field url)"
kill $gateway; wait $gateway || true
cat /dev/zero > "$root/more" 2> /dev/null || true
"$0" "$command" serve "$root" --port "$(echo "$origin" | sed "s/.*://")" --json --show-url > "$root/again" 2> "$HOME/log" & gateway=$!
head -n 1 "$root/again" > /dev/null; cat "$HOME/log" >&2
get "$url"; get "$(echo "$link" | field url)"
`;

const inNamespace = (script: string, ...more: readonly string[]) =>
  spawnSync("unshare", [...IN_NAMESPACE, script, process.execPath, temporaryFolder(), ...more], {
    env: { PATH: process.env["PATH"], HOME: temporaryFolder(), SCRIPT: nodeArguments[0] },
    encoding: "utf8",
  });

describe.skipIf(reason)(`keys on a full disk${reason ?? ""}`, () => {
  test("revokes all keys, and leaves no file of a key that cannot be created", () => {
    const { status, stdout, stderr } = inNamespace(REVOKE);
    expect([status, stderr]).toEqual([0, expect.stringContaining("ENOSPC")]);
    expect(stdout).toMatch(
      /^(no room for another\n){2}(revoked DP\w+\n){2}.*\n(DP\w+ .* revoked .*\n){2}keys\.json\nkeys\.json\.spare\nmaster\.key\n$/,
    );
  });

  test.each([
    ["keys.json", "-s", "refused\nuntouched\n"],
    ["keys.json", "", "untouched\n"],
    ["keys.json.spare", "-s", "refused\nuntouched\n"],
    ["keys.json.spare", "", "refused\nuntouched\n"],
  ])("are written into no other file (in the place of %s, ln %s)", (name, link, said) => {
    expect(inNamespace(LINKED, name, link).stdout).toBe(said);
  });

  test("rejects changes if the key file is a mount point", () => {
    const { stdout, stderr } = inNamespace(MOUNTED);
    expect(stdout).toBe(`${"refused\n".repeat(3)}untouched\nkeys.json\nkeys.json.spare\nmaster.key\n`);
    expect(
      stderr.match(/ is a mount point \(EBUSY\), so nothing was changed\. Mount its folder instead\n/g),
    ).toHaveLength(3);
  });
});

describe.skipIf(reason)(`serve on a full disk${reason ?? ""}`, () => {
  test("revokes links and URLs, reports links as not ready, and keeps the revocations over a restart", () => {
    const { stdout, stderr } = inNamespace(LINKS);
    expect(stderr).toBe("");
    expect(stdout.split("\n")).toEqual([
      "200 hello",
      "200 hello",
      expect.stringContaining("the disk of the state is full"),
      "503 state full: at most revocations are stored",
      expect.stringMatching(/^403 /),
      expect.stringMatching(/^410 /),
      expect.stringMatching(/^403 /),
      expect.stringMatching(/^410 /),
      "",
    ]);
  });

  test.each(["0", "2"])(
    "serves objects, and refuses uploads larger than the reserved space (%s workers)",
    async (workers) => {
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
      const put = async () => (await fetch(url, { method: "PUT", body: Buffer.alloc(1024 * 1024) })).status;
      expect(await Promise.all([put(), put(), put(), put()])).toEqual(Array(4).fill(507));
      const closed = once(child, "close");
      child.kill("SIGTERM");
      expect((await closed)[0], log).toBe(0);
    },
  );
});
