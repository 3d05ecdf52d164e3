/** The writer of a state folder: the name under which its gateway records decisions, and what shows that the name is its own. */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { open } from "node:fs/promises";
import { hostname } from "node:os";
import type { CommitMac, WriterClaim } from "@daypass/gateway/state";
import { CommandError } from "../command.ts";
import { parseSecretJson, readTextIfExists } from "../files.ts";
import { createStateFile } from "../state-folder/files.ts";
import { linkFiles } from "../state-folder/link-files.ts";

/** The content of the file. */
interface Writer {
  readonly id: string;
  readonly nonce: string;
  /** How often the folder has used its name. */
  readonly number: number;
}

/** A new text overwrites the one before, also on a full disk. */
const FILE_BYTES = 120;

/** The writer of every SQLite state. Several folders may have been moved from one to PostgreSQL. */
const SQLITE_WRITER = "main";

const textOf = (writer: Writer): string => JSON.stringify(writer).padEnd(FILE_BYTES);

/** The name of the folder's writer: the same at each start, and another for each folder. Only PostgreSQL has several. */
export async function writerOf(folder: string): Promise<string> {
  const { postgres, writer: path, auditLast } = linkFiles(folder);
  if (!existsSync(postgres)) return SQLITE_WRITER;
  if (!existsSync(path)) {
    // An earlier release wrote no such file. Its folders keep the name of their last commit.
    const last = parseSecretJson((await readTextIfExists(auditLast)) ?? "") as CommitMac | undefined;
    const known = last?.writer === SQLITE_WRITER ? undefined : last?.writer;
    const [id = randomBytes(6).toString("hex"), nonce] = [known, randomBytes(16).toString("base64url")];
    await createStateFile(path, textOf({ id, nonce, number: 0 }));
  }
  return (await readWriter(folder)).id;
}

/** How this process claims the name of the folder's writer. */
export async function writerClaim(folder: string): Promise<WriterClaim> {
  const writer = await readWriter(folder);
  let number = 0;
  return {
    nonce: writer.nonce,
    process: `process ${process.pid} of ${hostname()}`,
    async next() {
      // A command may have used the name of this folder meanwhile.
      number = (await readWriter(folder)).number + 1;
      await overwrite(folder, { ...writer, number });
      return number;
    },
    async refused(other) {
      // Otherwise, a copy that tries often enough has the highest number.
      if ((await readWriter(folder)).number === number) await overwrite(folder, { ...writer, number: number - 1 });
      return new CommandError(
        `${folder} is a copy, or was copied: ${other} has used its writer ${writer.id} since. Stop one of the two gateways. ${NEW_REPLICA}`,
      );
    },
  };
}

const NEW_REPLICA = "To make a folder a new replica, remove its files writer, audit.last and state.run.";

async function overwrite(folder: string, writer: Writer): Promise<void> {
  const file = await open(linkFiles(folder).writer, "r+");
  try {
    await file.write(textOf(writer), 0);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function readWriter(folder: string): Promise<Writer> {
  const { writer: path } = linkFiles(folder);
  const writer = parseSecretJson((await readTextIfExists(path)) ?? "") as Writer | undefined;
  if (writer !== undefined) return writer;
  throw new CommandError(`${path} is missing or damaged. ${NEW_REPLICA}`);
}
