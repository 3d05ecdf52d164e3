import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import type { TlsPair } from "@daypass/gateway/node";
import { CommandError } from "../../command.ts";
import type { ServeConfig } from "./config.ts";

/** Reads the files of `tls`. What stands in them is not repeated: one of them is a secret. */
export async function tlsFiles(tls: ServeConfig["tls"]): Promise<TlsPair | undefined> {
  if (tls === undefined) return undefined;
  const [cert, key] = await Promise.all([readPem("tls.certFile", tls.certFile), readPem("tls.keyFile", tls.keyFile)]);
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    throw new CommandError(
      `expected a certificate in ${tls.certFile} and its private key in ${tls.keyFile}, both PEM, found files that TLS does not accept (${(error as NodeJS.ErrnoException).code}): correct tls.certFile or tls.keyFile`,
    );
  }
  return { cert, key };
}

function readPem(setting: string, path: string): Promise<string> {
  return readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new CommandError(
      `expected ${setting} at ${path}, found none that can be read (${error.code}): correct the path`,
    );
  });
}
