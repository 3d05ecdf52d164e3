import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { promisify } from "node:util";
import { freePort } from "../../tools/free-port.ts";
import { listening } from "../../tools/listening.ts";
import { temporaryFolder } from "./temporary.ts";

/** Microsoft's emulator of Azure Storage: the one server at hand that verifies a SAS. */
export interface Azurite {
  /** Ends in the account's name. */
  readonly endpoint: string;
  readonly account: string;
  readonly accountKey: string;
  stop(): Promise<void>;
}

// Azurite's documentation publishes them: every emulator has this account.
const account = "devstoreaccount1";
const accountKey = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/** Starts one on loopback. With `tls` it speaks https and takes tokens, without which it lends no user delegation keys. */
export async function startAzurite(options: { readonly tls: boolean }): Promise<Azurite> {
  const folder = temporaryFolder();
  const port = await freePort();
  const tls = options.tls ? await selfSigned(folder.path) : [];
  const program = createRequire(import.meta.url).resolve("azurite/dist/src/blob/main.js");
  const args = ["--blobHost", "127.0.0.1", "--blobPort", String(port), "--location", folder.path, "--silent"];
  // Azure's client, which sets up the one without TLS, says in a header that it is newer than Azurite is.
  const rest = ["--disableTelemetry", ...(options.tls ? tls : ["--skipApiVersionCheck"])];
  const child = spawn(process.execPath, [program, ...args, ...rest], { stdio: "ignore" });
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    folder.remove();
  };
  try {
    await listening(port, { name: "azurite" });
  } catch (error) {
    await stop();
    throw error;
  }
  return { endpoint: `${options.tls ? "https" : "http"}://127.0.0.1:${port}/${account}`, account, accountKey, stop };
}

async function selfSigned(folder: string): Promise<readonly string[]> {
  const [cert, key] = [`${folder}/cert.pem`, `${folder}/key.pem`];
  const subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
  const files = ["-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert];
  await promisify(execFile)("openssl", ["req", "-x509", "-days", "2", ...files, ...subject]);
  return ["--oauth", "basic", "--cert", cert, "--key", key];
}
