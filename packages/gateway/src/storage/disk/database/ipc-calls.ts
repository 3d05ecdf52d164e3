/** Calls over a channel between two processes or threads: a request, and its value or its error. */
import { isStorageError, StorageError, type StorageErrorCode } from "../../contract/storage.ts";
import { translated, unavailable } from "../errors.ts";

/** One end of a connection between two processes, e.g. of `node:cluster`. Other messages on it are ignored. */
export interface Channel {
  /** Sends one message. It is copied, and arrives in order. */
  send(message: unknown): void;
  /** Called for each message from the other end. */
  onMessage(listener: (message: unknown) => void): void;
  /** Called once when the other end is gone. */
  onClose(listener: () => void): void;
}

interface Message {
  /** Distinguishes these messages from others on the channel. */
  readonly daypass: typeof CALL | typeof ANSWER;
  /** 0 for a request without an answer. */
  readonly id: number;
  readonly request?: unknown;
  readonly value?: unknown;
  readonly error?: { readonly code: StorageErrorCode; readonly message: string; readonly cause?: string };
}

const CALL = "call";
const ANSWER = "answer";

export interface Caller<Request> {
  /** Rejects with `UNAVAILABLE` if the other end is gone, or goes before it answers. */
  ask(request: Request): Promise<unknown>;
  /** Sends a request without an answer. Does nothing if the other end is gone. */
  tell(request: Request): void;
}

/** The calling end. `gone` is the error if the other end is gone. */
export function caller<Request>(channel: Channel, gone: string): Caller<Request> {
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: StorageError) => void }>();
  let lastId = 0;
  let isGone = false;
  channel.onMessage((message) => {
    if (!isMessage(message, ANSWER)) return;
    const { id, value, error } = message;
    const asked = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) asked?.resolve(value);
    else asked?.reject(new StorageError(error.code, error.message, { cause: error.cause }));
  });
  channel.onClose(() => {
    isGone = true;
    for (const asked of waiting.values()) asked.reject(unavailable(gone));
    waiting.clear();
  });
  const send = (id: number, request: Request): void => channel.send({ daypass: CALL, id, request } satisfies Message);
  return {
    async ask(request) {
      if (isGone) throw unavailable(gone);
      const id = ++lastId;
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        send(id, request);
      });
    },
    tell(request) {
      if (!isGone) send(0, request);
    },
  };
}

/** The answering end. */
export function answerCalls<Request>(channel: Channel, answer: (request: Request) => Promise<unknown>): void {
  let gone = false;
  const reply = (id: number, result: Pick<Message, "value" | "error">): void => {
    if (!gone && id !== 0) channel.send({ daypass: ANSWER, id, ...result } satisfies Message);
  };
  channel.onClose(() => {
    gone = true;
  });
  channel.onMessage((message) => {
    if (!isMessage(message, CALL)) return;
    const { id, request } = message;
    answer(request as Request).then(
      (value) => reply(id, { value }),
      (error: unknown) => {
        const fault = translated(error, "write the index");
        const { code, message: text } = isStorageError(fault)
          ? fault
          : unavailable("the process that writes the index failed");
        reply(id, { error: { code, message: text } });
      },
    );
  });
}

function isMessage(message: unknown, kind: Message["daypass"]): message is Message {
  return typeof message === "object" && message !== null && Reflect.get(message, "daypass") === kind;
}
