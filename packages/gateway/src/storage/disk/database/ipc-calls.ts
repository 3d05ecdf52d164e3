/** Calls over a channel between two processes: a question, and its answer or its error. */
import { isStorageError, StorageError, type StorageErrorCode } from "../../contract/storage.ts";
import { translated } from "../errors.ts";

/** One end of a connection between two processes, e.g. of `node:cluster`. Other messages on it are ignored. */
export interface Channel {
  /** Sends one message. It is copied, and arrives in order. */
  send(message: unknown): void;
  /** Called for each message from the other end. */
  onMessage(listener: (message: unknown) => void): void;
  /** Called once when the other end is gone. */
  onClose(listener: () => void): void;
}

interface Envelope {
  /** Tells these messages from all others on the channel. */
  readonly daypass: string;
  /** 0 for what wants no answer. */
  readonly id: number;
}

interface Question<Q> extends Envelope {
  readonly question: Q;
}

interface Answer extends Envelope {
  readonly value?: unknown;
  readonly error?: { readonly code: StorageErrorCode; readonly message: string };
}

export interface Asker<Q> {
  /** Whatever is asked after the other end is gone, or has no answer by then, is `UNAVAILABLE`. */
  ask(question: Q): Promise<unknown>;
  /** Says something that has no answer, if there is somebody left to hear it. */
  tell(question: Q): void;
}

/** The asking end. */
export function asker<Q>(channel: Channel, name: string): Asker<Q> {
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: StorageError) => void }>();
  let lastId = 0;
  let gone = false;
  channel.onMessage((message) => {
    if (!isEnvelope<Answer>(message, `${name}-answer`)) return;
    const asked = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.error === undefined) asked?.resolve(message.value);
    else asked?.reject(new StorageError(message.error.code, message.error.message));
  });
  channel.onClose(() => {
    gone = true;
    for (const asked of waiting.values()) asked.reject(noWriter());
    waiting.clear();
  });
  const send = (id: number, question: Q): void => channel.send({ daypass: name, id, question } satisfies Question<Q>);
  return {
    async ask(question) {
      if (gone) throw noWriter();
      const id = ++lastId;
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        send(id, question);
      });
    },
    tell(question) {
      if (!gone) send(0, question);
    },
  };
}

/** The answering end. */
export function answerer<Q>(channel: Channel, name: string, answer: (question: Q) => Promise<unknown>): void {
  let gone = false;
  const reply = (answered: Omit<Answer, "daypass">): void => {
    if (!gone && answered.id !== 0) channel.send({ ...answered, daypass: `${name}-answer` });
  };
  channel.onClose(() => {
    gone = true;
  });
  channel.onMessage((message) => {
    if (!isEnvelope<Question<Q>>(message, name)) return;
    const { id } = message;
    answer(message.question).then(
      (value) => reply({ id, value }),
      (error: unknown) => {
        const fault = translated(error, "write the index");
        const { code, message: text } = isStorageError(fault) ? fault : noAnswer();
        reply({ id, error: { code, message: text } });
      },
    );
  });
}

function isEnvelope<T extends Envelope>(message: unknown, name: string): message is T {
  return typeof message === "object" && message !== null && Reflect.get(message, "daypass") === name;
}

function noWriter(): StorageError {
  return new StorageError("UNAVAILABLE", "the process that writes the index is gone");
}

function noAnswer(): StorageError {
  return new StorageError("UNAVAILABLE", "the process that writes the index failed");
}
