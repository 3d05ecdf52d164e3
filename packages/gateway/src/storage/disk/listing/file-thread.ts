/** A thread that looks at files and reads folders. A page looks at a thousand files, and a folder may hold a million. */
import { type WorkerThread, workerThread } from "../worker-thread.ts";

export interface LookedAt {
  /** The `fingerprintOf` each regular file; `undefined` if absent. */
  readonly files: readonly (string | undefined)[];
  /** Changes with each name that enters or leaves the folder. `undefined` if absent. */
  readonly folders: readonly (string | undefined)[];
}

/** Some names of a folder. A folder with many names arrives in several parts. The last part has `ended`. */
export interface FolderPart {
  /** The position of the folder in the request. */
  readonly index: number;
  readonly files: readonly string[];
  readonly folders: readonly string[];
  readonly ended?: {
    /** Empty if the folder changed while it was read. `undefined` if the folder is absent. */
    readonly stamp: string | undefined;
    /** Milliseconds that the thread worked on the folder, without waiting. */
    readonly took: number;
  };
}

export interface FileThread {
  /** Takes paths of files and folders. A symbolic link anywhere in a path counts as absence. */
  look(paths: { readonly files: readonly string[]; readonly folders: readonly string[] }): Promise<LookedAt>;
  /** Reads folders one after the other, about a thousand names at a time. The thread reads ahead by one part. */
  read(folders: readonly string[]): AsyncGenerator<readonly FolderPart[], void, undefined>;
  close(): void;
}

type Request =
  | { readonly op: "look"; readonly files: readonly string[]; readonly folders: readonly string[] }
  | { readonly op: "read"; readonly reading: number; readonly folders: readonly string[] }
  | { readonly op: "more" | "drop"; readonly reading: number };

interface Batch {
  readonly parts: readonly FolderPart[];
  readonly more: boolean;
}

/** Looks below a root without a symbolic link in its own path. The first request starts the thread. */
export function fileThread(root: string): FileThread {
  let thread: WorkerThread<Request> | undefined;
  let lastReading = 0;

  function ask(request: Request): Promise<unknown> {
    const onExit = (): void => {
      thread = undefined;
    };
    const file = new URL("./read-folders.thread.js", import.meta.url);
    thread ??= workerThread<Request>(file, { name: "files", workerData: root, onExit });
    return thread.ask(request);
  }

  return {
    look: async (paths) => (await ask({ op: "look", ...paths })) as LookedAt,
    async *read(folders) {
      const reading = ++lastReading;
      let batch = (await ask({ op: "read", reading, folders })) as Batch;
      try {
        for (;;) {
          const next = batch.more ? ask({ op: "more", reading }) : undefined;
          // Awaited below. Until then a failure must not count as unhandled.
          next?.catch(() => {});
          yield batch.parts;
          if (next === undefined) return;
          batch = (await next) as Batch;
        }
      } finally {
        if (batch.more) thread?.tell({ op: "drop", reading });
      }
    },
    close() {
      void thread?.close();
    },
  };
}
