import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type AuditFault,
  publicKeys,
  type Receipt,
  readReceipt,
  receiptPage,
  verifyAudit,
} from "@daypass/gateway/audit";
import type { AdminAnswer, AdminClient } from "../../admin/admin-client.ts";
import { ADMIN_OPTIONS, linkState, withAdmin } from "../../admin/admin-options.ts";
import { mapped, parseArguments, wholeNumber, word } from "../../arguments.ts";
import { type Command, CommandError, type Context, type ExitStatus, print, UsageError } from "../../command.ts";
import { readTextFile } from "../../files.ts";
import { createFile } from "../../state-folder/files.ts";
import { linkFiles } from "../../state-folder/link-files.ts";
import { NEW_FILE } from "../../state-folder/secret-output.ts";
import { stateFolder } from "../../state-folder/state-folder.ts";
import { auditMacKey } from "../../state-owner/audit-mac.ts";
import { rotateAuditKey } from "./rotate.ts";

const HELP = `daypass audit verify                       verify the audit of a gateway
daypass audit verify FILE                  verify an export; - reads standard input
daypass audit verify --receipt FILE        verify a receipt, without a gateway
daypass audit export                       print all records with their heads
daypass audit export --heads               print the heads only: keep them on another machine
daypass audit export --receipt NUMBER      print the receipt of a record; --html as a page to print
daypass audit tail                         print the latest records
daypass audit accept-restore               sign on after a restore or a failover: on the machine of the gateway
daypass audit rotate                       make another key that signs, and announce it to all replicas
daypass audit rotate --key FILE            announce the public key of FILE, for another audit.keyFile

  --key FILE            public keys that may have signed (default: audit.pub in the state folder)
  --heads-file FILE     heads that left the machine: finds a tail that was cut since
  --writer NAME         the writer of the record; needed if several have a record of this number
  --out FILE            write the receipt to this new file, if there is one
  --lines N             how many records tail prints, 20 by default
  --follow              print records as they are made
  --link ID             only records of a link
  --state DIR           the gateway's state, or the folder it serves (default: DAYPASS_STATE, else ./.daypass)
  --admin URL           the admin API of a gateway elsewhere, with a token of the scope audit:read in DAYPASS_ADMIN_TOKEN
  --json                print reports and records as JSON

Exit status of verify: 0 if everything is as it was signed, 1 if not.`;

const OPTIONS = {
  heads: { type: "boolean" },
  receipt: { type: "string" },
  html: { type: "boolean" },
  out: { type: "string" },
  key: { type: "string" },
  "heads-file": { type: "string" },
  writer: { type: "string" },
  lines: { type: "string" },
  follow: { type: "boolean" },
  link: { type: "string" },
  ...ADMIN_OPTIONS,
} as const;

type Values = ReturnType<typeof parseArguments<typeof OPTIONS>>["values"];

interface Call {
  readonly values: Values;
  readonly context: Context;
  readonly file: string | undefined;
}

const ACTIONS: Readonly<Record<string, (call: Call) => Promise<ExitStatus>>> = {
  verify: (call) => (call.values.receipt === undefined ? verify(call) : verifyReceipt(call, call.values.receipt)),
  export: exportAudit,
  "accept-restore": (call) => withAdmin(call.values, call.context, (client) => acceptRestore(client, call)),
  rotate: async ({ values, context: { env, stdout } }) => {
    const folder = linkState(values.state, env);
    await print(stdout, await rotateAuditKey({ folder, env, keyFile: values.key }));
    return 0;
  },
  tail: (call) => withAdmin(call.values, call.context, (client) => tail(client, call)),
};

export const auditCommand: Command = {
  help: HELP,
  async run(args, context) {
    const { values, positionals } = parseArguments(args, OPTIONS);
    const [action = "", file, ...more] = positionals;
    word("the action", action, Object.keys(ACTIONS));
    if (more.length > 0 || (file !== undefined && action !== "verify"))
      throw new UsageError(`audit ${action} takes no ${action === "verify" ? "second file" : "argument"}`);
    return (await ACTIONS[action]?.({ values, context, file })) ?? 2;
  },
};

interface PublicKeys {
  readonly pem: string;
  readonly keys: ReturnType<typeof publicKeys>;
}

async function keysOf({ values, context }: Call): Promise<PublicKeys> {
  const path = values.key ?? linkFiles(stateFolder(values.state, context.env)).auditPublicKey;
  const pem = await readTextFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new CommandError(`the public key ${path} cannot be read (${error.code}). Name one with --key.`);
  });
  try {
    return { pem, keys: publicKeys(pem) };
  } catch (error) {
    throw new CommandError(`${path} holds no Ed25519 public key in PEM form: ${(error as Error).message}`);
  }
}

/** Opens the file when its lines are read: an interface that waits for its reader loses them. */
async function* fileLines(path: string, stdin: Readable): AsyncGenerator<string> {
  yield* createInterface({ input: path === "-" ? stdin : createReadStream(path), crlfDelay: 0 });
}

async function verify(call: Call): Promise<ExitStatus> {
  const { values, context, file } = call;
  const { stdin, stdout } = context;
  const { keys } = await keysOf(call);
  const exportedHeads = mapped(values["heads-file"], (path) => fileLines(path, stdin));
  const verifyLines = (lines: AsyncIterable<string>, macKey?: Uint8Array) =>
    verifyAudit(lines, { keys, exportedHeads, macKey });
  const report =
    file === undefined
      ? await withAdmin(values, context, async (client) => {
          const isHere = values.admin === undefined;
          const folder = isHere ? linkState(values.state, context.env) : "";
          const macKey = isHere ? await auditMacKey(folder, context.env, { create: false }) : undefined;
          return verifyLines(client.lines("GET /audit/export", {}), macKey);
        })
      : await verifyLines(fileLines(file, stdin));
  const { sealed, unsealed, heads, faults } = report;
  const isSound = faults.length === 0;
  if (values.json === true) await print(stdout, JSON.stringify(report));
  else {
    for (const fault of faults) await print(stdout, faultText(fault));
    const tail = unsealed === 0 ? "" : `, ${unsealed} records have no head yet`;
    await print(stdout, `${isSound ? "as signed" : "NOT as signed"}: ${sealed} records under ${heads} heads${tail}`);
  }
  return isSound ? 0 : 1;
}

async function acceptRestore(client: AdminClient, { values, context }: Call): Promise<ExitStatus> {
  const { body } = await client.call("POST /audit/accept-restore", {});
  await print(context.stdout, values.json === true ? JSON.stringify(body) : `accepted: ${body.accepted}`);
  return 0;
}

function faultText({ kind, writer, first, last, detail }: AuditFault): string {
  const range = first === undefined ? last : last === undefined || last === first ? first : `${first} to ${last}`;
  return `${kind}: ${writer}${range === undefined ? "" : ` ${range}`}: ${detail}`;
}

async function verifyReceipt(call: Call, path: string): Promise<ExitStatus> {
  const { values, context } = call;
  const receipt = await readReceiptFile(path);
  const head = readReceipt(receipt, (await keysOf(call)).keys);
  const text =
    head === undefined
      ? "the receipt does not hold: its record, path or head was changed, or another key signed it"
      : `signed as record ${receipt.sequence} of ${head.writer}, ${head.time}\n${receipt.record}`;
  const result = {
    holds: head !== undefined,
    writer: head?.writer,
    sequence: receipt.sequence,
    record: receipt.record,
  };
  await print(context.stdout, values.json === true ? JSON.stringify(result) : text);
  return head === undefined ? 1 : 0;
}

async function readReceiptFile(path: string): Promise<Receipt> {
  try {
    const receipt = JSON.parse(await readTextFile(path)) as Receipt | null;
    if (receipt === null || typeof receipt !== "object") throw new SyntaxError("no object");
    return receipt;
  } catch (error) {
    throw new CommandError(`${path} is no receipt that can be read: ${(error as Error).message}`);
  }
}

async function exportAudit(call: Call): Promise<ExitStatus> {
  const { values, context } = call;
  const { receipt, heads, html, out } = values;
  if (receipt !== undefined) {
    const text = await withAdmin(values, context, (client) => receiptText(client, call, receipt));
    // A redirection would leave an empty file if there is no receipt yet.
    if (out === undefined) await print(context.stdout, text);
    else if (!(await createFile(out, `${text}\n`)))
      throw new CommandError(`--out names ${out}, which exists. ${NEW_FILE}`);
    return 0;
  }
  if (html === true || out !== undefined)
    throw new UsageError("--html and --out print a receipt. Add --receipt NUMBER");
  await withAdmin(values, context, async (client) => {
    for await (const line of client.lines("GET /audit/export", { query: { heads: heads ? "true" : "false" } }))
      await print(context.stdout, line);
  });
  return 0;
}

async function receiptText(client: AdminClient, call: Call, text: string): Promise<string> {
  const sequence = wholeNumber("--receipt", text, { min: 1, max: Number.MAX_SAFE_INTEGER });
  const writer = call.values.writer ?? (await writerOfRecord(client, sequence));
  const { body } = await client.call("GET /audit/receipts/{writer}/{sequence}", { params: { writer, sequence } });
  if (call.values.html !== true) return JSON.stringify(body);
  const { pem, keys } = await keysOf(call);
  const head = readReceipt(body, keys);
  if (head === undefined) throw new CommandError("the receipt does not hold: no key of --key signed its head");
  return receiptPage(body, { head, publicKey: pem });
}

async function writerOfRecord(client: AdminClient, sequence: number): Promise<string> {
  const { body } = await client.call("GET /audit/writers", {});
  const [writer, ...more] = body.items.filter(({ last }) => last >= sequence).map((one) => one.writer);
  if (writer === undefined)
    throw new CommandError(`there is no record ${sequence}. List the latest with daypass audit tail`);
  if (more.length > 0) {
    const names = [writer, ...more].join(", ");
    throw new UsageError(`several writers have a record ${sequence}: ${names}. Name one with --writer`);
  }
  return writer;
}

type TailRecord = AdminAnswer<"GET /audit/records">["items"][number];

const PAGE = 1000;

async function tail(client: AdminClient, { values, context }: Call): Promise<ExitStatus> {
  const lines = wholeNumber("--lines", values.lines ?? "20", { min: 0, max: 1_000_000 });
  const after = new Map<string, number>();
  const read = async (): Promise<TailRecord[]> => {
    const found: TailRecord[] = [];
    const { body } = await client.call("GET /audit/writers", {});
    for (const { writer, last } of body.items) {
      // A link's records may be anywhere.
      let from = after.get(writer) ?? (values.link === undefined ? Math.max(0, last - lines) : 0);
      while (from < last) {
        const query = { writer, after: from, limit: PAGE };
        const page = (await client.call("GET /audit/records", { query })).body.items;
        found.push(
          ...page.filter(({ record }) => values.link === undefined || JSON.parse(record).link === values.link),
        );
        from = page.at(-1)?.sequence ?? last;
      }
      after.set(writer, from);
    }
    // The first member of a record is its time.
    return found.sort((a, b) => (a.record < b.record ? -1 : 1));
  };
  const show = async (records: readonly TailRecord[]): Promise<void> => {
    for (const one of records)
      await print(context.stdout, values.json === true ? JSON.stringify(one) : recordText(one));
  };
  const first = await read();
  await show(lines === 0 ? [] : first.slice(-lines));
  while (values.follow === true && context.stdout.writable) {
    await sleep(1000);
    await show(await read());
  }
  return 0;
}

function recordText({ writer, sequence, record }: TailRecord): string {
  const { time, action, result, by, link, recipient, target, bytes, address, subject, detail } = JSON.parse(record);
  const size = bytes === undefined ? undefined : `${bytes} bytes`;
  const facts = [`by ${by}`, link && `link ${link}`, recipient, target, size, address, subject, detail];
  return [time, `${writer}/${sequence}`, action, result, ...facts].filter(Boolean).join("  ");
}
