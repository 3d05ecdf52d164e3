import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type S3Credentials, s3Signer } from "daypass/s3";
import { type Cores, freePort, start, stop } from "./process.ts";

/** The program that a user runs, as it ships. */
export const cliPath: string = fileURLToPath(new URL("../../node_modules/@daypass/cli/dist/main.js", import.meta.url));

const unverifiedHook = new URL("unverified/register.js", import.meta.url).href;

export interface CliServer {
  readonly endpoint: string;
  readonly pid: number | undefined;
  readonly url: (key: string, options?: { readonly method?: "GET" | "PUT"; readonly expiresIn?: number }) => string;
  readonly listUrl: (bucket: string, query: Readonly<Record<string, string>>) => string;
  stop(): Promise<void>;
}

export interface CliServerOptions {
  /** The folder that is served; the URLs are for its bucket `b`. */
  readonly root: string;
  /** A folder for keys and the log. */
  readonly state: string;
  readonly cores: Cores;
  /** 0, one process that does all, unless told. */
  readonly workers?: number;
  /** Leaves the step out that verifies. */
  readonly unverified?: boolean;
}

/** Runs `daypass serve`, with its log in a file: every request writes a line. */
export async function startCli({
  root,
  state,
  cores,
  workers = 0,
  unverified = false,
}: CliServerOptions): Promise<CliServer> {
  const log = openSync(`${state}/access.log`, "a");
  const port = await freePort();
  const child = start(
    cores,
    [
      process.execPath,
      ...(unverified ? ["--import", unverifiedHook] : []),
      cliPath,
      "serve",
      root,
      ...["--port", String(port), "--state", state, "--workers", String(workers), "--json", "--show-secret"],
    ],
    { stdio: ["ignore", "pipe", log] },
  );
  closeSync(log);
  const [line] = (await Promise.race([once(child.stdout ?? child, "data"), once(child, "exit").then(() => [])])) as [
    Buffer?,
  ];
  if (line === undefined) throw new Error(`daypass serve did not start: see ${state}/access.log`);
  const said = JSON.parse(line.toString("utf8")) as {
    url: string;
    region: string;
    accessKeyId: string;
    secretAccessKey: string;
  };
  const signer = s3Signer({
    region: said.region,
    endpoint: said.url,
    addressing: "path",
    credentials: said satisfies S3Credentials,
  });
  return {
    endpoint: said.url,
    pid: child.pid,
    url: (key, { method = "GET", expiresIn = 3600 } = {}) => signer.sign({ bucket: "b", key, method, expiresIn }).url,
    listUrl: (bucket, query) =>
      signer.sign({ bucket, resource: "bucket", expiresIn: 3600, bind: { query: { "list-type": "2", ...query } } }).url,
    stop: () => stop(child),
  };
}
