import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { promisify } from "node:util";
import { freePort } from "./free-port.ts";
import { listening } from "./listening.ts";

/** Ceph's object gateway: an S3 server by other authors. */
export interface Radosgw {
  readonly port: number;
  /** For path style. */
  readonly endpoint: string;
  /** For virtual-host style; send requests to `port` of 127.0.0.1 with this Host. */
  readonly virtualEndpoint: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** For its Swift API, at `/swift`: the account, and its keys for TempURLs. */
  readonly swift: { readonly account: string; readonly keys: readonly string[] };
  stop(): Promise<void>;
}

const credentials = {
  accessKeyId: "AKTESTAKTESTAKTEST00",
  secretAccessKey: "SKTESTSKTESTSKTESTSKTESTSKTESTSKTEST0000",
};

const swift = { account: "AUTH_u", keys: ["first key", "second key"] };

/**
 * Starts one process on the SQLite backend (dbstore): no cluster, loopback only, a third of a second. Server and `radosgw-admin` make
 * their tables in one database at the same time, and were seen to wait for each other without end: then another pair is started.
 */
export async function startRadosgw(): Promise<Radosgw> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce();
    } catch (error) {
      if (attempt === 3) throw error;
    }
  }
}

async function startOnce(): Promise<Radosgw> {
  const folder = mkdtempSync(`${tmpdir()}/daypass-radosgw-`);
  const port = await freePort();
  for (const name of ["run", "log", "data", "db"]) mkdirSync(`${folder}/${name}`);
  const config = `${folder}/ceph.conf`;
  writeFileSync(config, configuration(folder, port));
  const args = ["-c", config, "-n", "client.rgw", "--no-mon-config"];
  const child = spawn("radosgw", [...args, "-f"], { stdio: "ignore" });
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await listening(port, { name: "radosgw" });
    const { accessKeyId, secretAccessKey } = credentials;
    const user = ["--uid=u", "--display-name=u", `--access-key=${accessKeyId}`, `--secret-key=${secretAccessKey}`];
    const [first, second] = swift.keys;
    const temporary = [`--temp-url-key=${first}`, `--temp-url-key-2=${second}`];
    await promisify(execFile)("radosgw-admin", [...args, "user", "create", ...user, ...temporary], {
      timeout: 20_000,
      killSignal: "SIGKILL",
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    port,
    endpoint: `http://127.0.0.1:${port}`,
    virtualEndpoint: `http://s3.localhost:${port}`,
    credentials,
    swift,
    stop,
  };
}

// "rgw s3 auth use sts = false": otherwise every refusal of a presigned URL is a plain AccessDenied.
function configuration(folder: string, port: number): string {
  return `[global]
fsid = 11111111-2222-3333-4444-555555555556
auth client required = none
auth cluster required = none
auth service required = none
run dir = ${folder}/run
admin socket = ${folder}/run/$name.$pid.asok
log file = ${folder}/log/$name.log
crash dir = ${folder}/run
[client.rgw]
rgw backend store = dbstore
rgw config store = dbstore
dbstore db dir = ${folder}/db
dbstore config uri = file:${folder}/db/config.db
rgw frontends = beast endpoint=127.0.0.1:${port}
rgw data = ${folder}/data
rgw dns name = s3.localhost
rgw s3 auth use sts = false
rgw sts key = abcdefghijklmnop
rgw enable usage log = false
rgw run sync thread = false
rgw swift account in url = true
`;
}
