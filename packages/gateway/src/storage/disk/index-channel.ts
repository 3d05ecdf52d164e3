/**
 * The index writer of another process, over any channel that carries JSON: workers hold a claim in the primary as if it were
 * their own.
 */

import { isStorageError, type ObjectRef, StorageError, type StorageErrorCode } from "../storage.ts";
import { translated } from "./faults.ts";
import type { Claim, ClaimIntent, ClaimOutcome, IndexWriter, NamesIndexWriter } from "./index-contract.ts";

/** One end of a connection between two processes, e.g. of `node:cluster`. Other traffic on it is left alone. */
export interface Channel {
  send(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
  /** Called once when the other end is gone. */
  onClose(listener: () => void): void;
}

type Question =
  | { readonly kind: "claim"; readonly ref: ObjectRef; readonly intent: ClaimIntent }
  | { readonly kind: "finish"; readonly outcome: ClaimOutcome }
  | { readonly kind: "folder"; readonly path: string }
  | { readonly kind: "names"; readonly call: NamesCall };

/** What a worker has done by the owner of the index: a method with its parameters. */
type NamesCall = {
  [M in keyof NamesIndexWriter]: { readonly method: M; readonly parameters: Parameters<NamesIndexWriter[M]> };
}[keyof NamesIndexWriter];

interface Answer {
  readonly error?: { readonly code: StorageErrorCode; readonly message: string };
}

/** `id` names a question; a claim is finished under the id with which it was asked for. */
type Envelope<T> = T & { readonly daypass: string; readonly id: number };

const QUESTION = "disk-index";
const ANSWER = "disk-index-answer";

/** The worker's end. */
export function ipcIndexWriter(channel: Channel): IndexWriter {
  const waiting = new Map<number, { resolve: () => void; reject: (error: StorageError) => void }>();
  let lastId = 0;
  let gone = false;

  channel.onMessage((message) => {
    if (!isEnvelope<Answer>(message, ANSWER)) return;
    const asked = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.error === undefined) asked?.resolve();
    else asked?.reject(new StorageError(message.error.code, message.error.message));
  });
  channel.onClose(() => {
    gone = true;
    for (const asked of waiting.values()) asked.reject(noWriter());
    waiting.clear();
  });

  function send(id: number, question: Question): void {
    channel.send({ ...question, daypass: QUESTION, id } satisfies Envelope<Question>);
  }

  async function ask(question: Question): Promise<number> {
    if (gone) throw noWriter();
    const id = ++lastId;
    await new Promise<void>((resolve, reject) => {
      waiting.set(id, { resolve, reject });
      send(id, question);
    });
    return id;
  }

  async function call(asked: NamesCall): Promise<void> {
    await ask({ kind: "names", call: asked });
  }

  return {
    async claim(ref, intent) {
      const id = await ask({ kind: "claim", ref, intent });
      return {
        finish(outcome) {
          if (!gone) send(id, { kind: "finish", outcome });
        },
      };
    },
    async addFolder(path) {
      await ask({ kind: "folder", path });
    },
    refresh: (...parameters) => call({ method: "refresh", parameters }),
    forget: (...parameters) => call({ method: "forget", parameters }),
    createBucket: (...parameters) => call({ method: "createBucket", parameters }),
    removeBucket: (...parameters) => call({ method: "removeBucket", parameters }),
    setForBucket: (...parameters) => call({ method: "setForBucket", parameters }),
  };
}

/** The primary's end. Claims of a worker that dies become free; what it left on disk is for the next start to sweep. */
export function serveIndexWriter(channel: Channel, writer: IndexWriter): void {
  const held = new Map<number, Claim>();
  let gone = false;

  channel.onMessage((message) => {
    if (isEnvelope<Question>(message, QUESTION)) void answer(message);
  });
  channel.onClose(() => {
    gone = true;
    for (const claim of held.values()) claim.finish("unknown");
    held.clear();
  });

  async function answer(question: Envelope<Question>): Promise<void> {
    const { id } = question;
    if (question.kind === "finish") {
      held.get(id)?.finish(question.outcome);
      held.delete(id);
      return;
    }
    try {
      if (question.kind === "folder") await writer.addFolder(question.path);
      else if (question.kind === "names") await perform(writer, question.call);
      else await claim(id, question.ref, question.intent);
      reply(id, {});
    } catch (error) {
      const fault = translated(error, "write the index");
      const { code, message } = isStorageError(fault) ? fault : noAnswer();
      reply(id, { error: { code, message } });
    }
  }

  async function claim(id: number, ref: ObjectRef, intent: ClaimIntent): Promise<void> {
    const granted = await writer.claim(ref, intent);
    if (gone) granted.finish("unknown");
    else held.set(id, granted);
  }

  function reply(id: number, answered: Answer): void {
    if (!gone) channel.send({ ...answered, daypass: ANSWER, id } satisfies Envelope<Answer>);
  }
}

function perform(writer: NamesIndexWriter, { method, parameters }: NamesCall): Promise<void> {
  const called = writer[method] as (...values: NamesCall["parameters"]) => Promise<void>;
  return called(...parameters);
}

function isEnvelope<T>(message: unknown, kind: string): message is Envelope<T> {
  return typeof message === "object" && message !== null && Reflect.get(message, "daypass") === kind;
}

function noWriter(): StorageError {
  return new StorageError("UNAVAILABLE", "the process that writes the index is gone");
}

function noAnswer(): StorageError {
  return new StorageError("UNAVAILABLE", "the process that writes the index failed");
}
