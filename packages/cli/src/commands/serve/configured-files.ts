/** The files that a configuration names: the TLS certificate and the public keys of other signers. */
import { readFile } from "node:fs/promises";
import { checkTlsPair, type TlsPair } from "@daypass/gateway/node";
import { isDaypassError } from "daypass";
import { isObject } from "daypass/schemes";
import { publishedKeySet, type UrlKey } from "daypass/url";
import { CommandError } from "../../command.ts";
import { parseSecretJson, readError, readTextFile } from "../../files.ts";
import type { ServeConfig } from "./config-schema.ts";

/** Reads the files of `tls`. Errors never contain their content, because one of them is a secret. */
export async function tlsFiles(tls: ServeConfig["tls"]): Promise<TlsPair | undefined> {
  if (tls === undefined) return undefined;
  const [cert, key] = await Promise.all([readPem("tls.certFile", tls.certFile), readPem("tls.keyFile", tls.keyFile)]);
  try {
    checkTlsPair({ cert, key });
  } catch (error) {
    const reason = isDaypassError(error)
      ? error.message
      : `TLS reads no pair of PEM files in them (${(error as NodeJS.ErrnoException).code})`;
    throw new CommandError(
      `tls.certFile ${tls.certFile} and tls.keyFile ${tls.keyFile} cannot be used: ${reason}. Correct tls.certFile or tls.keyFile.`,
    );
  }
  return { cert, key };
}

function readPem(setting: string, path: string): Promise<string> {
  return readFile(path, "utf8").catch((error: unknown) => {
    throw readError(setting, path, error);
  });
}

/** Reads `urlKeySetFile`. */
export function keySetText(path: string): Promise<string> {
  return readTextFile(path).catch((error: unknown) => {
    throw readError("urlKeySetFile", path, error);
  });
}

/**
 * The keys of `urlKeySetFile`. Refuses the whole file if one key breaks a rule of docs/spec/daypass-url.md §8: the first request with it would
 * fail, or two verifiers would read the set differently. Errors contain no part of a key except its kid.
 *
 * @param set the path and the content of the file
 * @param stored ids of all keys in the state folder, including revoked ones, so that the file cannot reuse the id of a revoked key
 */
export function publicKeys(
  { path, text }: { readonly path: string | undefined; readonly text: string | undefined },
  stored: ReadonlySet<string>,
): readonly UrlKey[] {
  if (text === undefined) return [];
  const value = parseSecretJson(text);
  const keys = isObject(value) ? value["keys"] : undefined;
  if (!Array.isArray(keys))
    throw new CommandError(`urlKeySetFile names ${path}, which is not a JWK set. Write {"keys":[…]}`);
  const kids = new Set<string>();
  for (const [i, key] of (keys as readonly UrlKey[]).entries()) {
    const fault = keyFault(key) ?? kidFault(key.kid, kids, stored);
    if (fault !== undefined) {
      throw new CommandError(`keys[${i}] of ${path} cannot be used: ${fault}`);
    }
    kids.add(key.kid);
  }
  return keys;
}

function keyFault(key: UrlKey): string | undefined {
  if (!isObject(key)) return "it is not a JSON Web Key. Correct or remove it";
  try {
    publishedKeySet([key]);
    return undefined;
  } catch (error) {
    if (isDaypassError(error)) return error.message;
    throw error;
  }
}

function kidFault(kid: string, others: ReadonlySet<string>, stored: ReadonlySet<string>): string | undefined {
  if (others.has(kid)) return `its kid ${kid} occurs twice. Remove one of the keys`;
  return stored.has(kid) ? `a stored key has its kid ${kid}, see daypass keys list. Choose another kid` : undefined;
}
