import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";
import { s3Signer } from "daypass/s3";
import { freePort, listening, start, stop } from "./process.ts";

export interface Radosgw {
  readonly pid: number | undefined;
  readonly url: (key: string) => string;
  stop(): Promise<void>;
}

const credentials = {
  accessKeyId: "AKTESTAKTESTAKTEST00",
  secretAccessKey: "SKTESTSKTESTSKTESTSKTESTSKTESTSKTEST0000",
};

/** Ceph's object gateway on core 0, with its SQLite backend, holding the same bytes under the same keys. */
export async function startRadosgw({
  state,
  files,
}: {
  state: string;
  files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
}): Promise<Radosgw> {
  const port = await freePort();
  for (const name of ["run", "log", "data", "db"]) mkdirSync(`${state}/${name}`, { recursive: true });
  const config = `${state}/ceph.conf`;
  writeFileSync(config, configuration(state, port));
  const args = ["-c", config, "-n", "client.rgw", "--no-mon-config"];
  const child = start("0", ["radosgw", ...args, "-f"], { stdio: "ignore" });
  const signer = s3Signer({
    region: "us-east-1",
    endpoint: `http://127.0.0.1:${port}`,
    addressing: "path",
    credentials,
  });
  const send = async (key?: string, body?: Uint8Array<ArrayBuffer>): Promise<void> => {
    const target = key === undefined ? { bucket: "bkt", resource: "bucket" as const } : { bucket: "bkt", key };
    const { url } = signer.sign({ ...target, method: "PUT", expiresIn: 900 });
    const response = await fetch(url, { method: "PUT", body: body ?? null });
    if (!response.ok) throw new Error(`radosgw answered ${response.status} to an upload`);
  };
  try {
    await listening(port);
    const { accessKeyId, secretAccessKey } = credentials;
    const user = ["--uid=u", "--display-name=u", `--access-key=${accessKeyId}`, `--secret-key=${secretAccessKey}`];
    await promisify(execFile)("radosgw-admin", [...args, "user", "create", ...user]);
    await send();
    for (const [key, bytes] of files) await send(key, bytes);
  } catch (error) {
    await stop(child);
    throw error;
  }
  const url = (key: string): string => signer.sign({ bucket: "bkt", key, expiresIn: 3600 }).url;
  return { pid: child.pid, url, stop: () => stop(child) };
}

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
rgw s3 auth use sts = false
rgw sts key = abcdefghijklmnop
rgw enable usage log = false
rgw run sync thread = false
`;
}
